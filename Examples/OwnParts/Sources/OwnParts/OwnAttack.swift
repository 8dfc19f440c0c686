import Namid

/// Points drawn uniformly from the ball, the strongest of which is kept: the weakest attack that there is.
struct RandomPoints: Attack {
  /// The settings, as in `random-points-20` or `random-points:points=20`.
  struct Settings: AttackSettings {
    /// Points for each sample.
    var points = 10

    init(in threat: ThreatModel) {}

    func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(points, "points")
    }
  }

  let settings: Settings
  let threat: ThreatModel

  init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  var name: String { "random-points-\(settings.points)" }

  func budget(classCount: Int) -> Cost {
    Cost(forwards: 1 + settings.points, queries: settings.points)
  }

  func attack(_ search: Search) {
    for point in 0..<settings.points {
      let rows = search.survivors
      if rows.isEmpty { return }
      let streams = RandomStreams(rows.samples.map { search.streams[$0].keyed(point) })
      let images = Start.uniform.images(from: rows.images, threat: threat, streams: streams)
      let logits = search.logits(images, of: rows, asQuery: true)
      search.note(
        images, logits: logits, losses: AttackLoss.crossEntropy.values(logits, rows.labels),
        of: rows)
    }
  }
}

extension AttackEntry {
  /// The line that makes it known.
  static let randomPoints = AttackEntry(
    RandomPoints.self, name: "random-points", number: "points",
    summary: "points drawn uniformly from the ball", source: "an example")
}
