import NamidEvaluation
import NamidFiles
import NamidStatistics

/// The figures in a step's result.
struct StepFigures {
  /// One of them.
  struct Figure {
    var value: Double
    var interval: ConfidenceInterval?
    var count: Int?
    var hash: String?
    /// The images that were withstood; nil where the result does not name them, and for other figures.
    var withstood: Withstood?
  }

  /// The file, relative to the experiment's folder.
  let file: String
  private let tree: JSONValue

  init(_ tree: JSONValue, file: String) {
    self.tree = tree
    self.file = file
  }

  /// The images' title.
  var dataset: String? { text(["dataset", "name"]) ?? text(["setting", "dataset", "name"]) }

  /// The checkpoint that was measured.
  var checkpoint: String? {
    text(["model", "checkpoint"]) ?? text(["setting", "model", "checkpoint"])
  }

  /// The names of the flags that make the figures doubtful.
  var flags: [String] { (tree["flags"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue } }

  /// A figure.
  func figure(_ reading: FigureReading) throws(MissingFigure) -> Figure {
    switch reading {
    case .robust(let place):
      let attack = try attack(place)
      return Figure(
        value: try number(attack, ["robust_accuracy"]), interval: interval(attack["ci95"]),
        count: attack["total"]?.intValue, hash: tree["spec_hash"]?.stringValue,
        withstood: withstood(attack))
    case .unbounded(let place):
      let attack = try attack(place)
      let value = try number(attack, ["minimum_norm", "unbounded"])
      guard (0...1).contains(value) else {
        throw MissingFigure(text: "\(file) has a share of \(value)", isFailure: true)
      }
      let total = attack["total"]?.intValue
      return Figure(
        value: value,
        interval: total.map { Share(Int((value * Double($0)).rounded()), of: $0).interval },
        count: total, hash: tree["spec_hash"]?.stringValue)
    case .pairing(let place, let key):
      let attack = try attack(place)
      // The paper moves the lowest of all readings to 0 before it takes means.
      let offset = try number(tree, ["offset"])
      return Figure(
        value: try number(attack, [key, "mean"]) - offset,
        interval: interval(attack[key]?["ci95"]).map { $0 - offset },
        count: tree["setting"]?["dataset"]?["count"]?.intValue,
        hash: attack["spec_hash"]?.stringValue)
    case .estimate(let place, let role, let kind, let images):
      let readings = try attack(place)["readings"]?.arrayValue ?? []
      guard let found = readings.first(where: { $0["role"]?.stringValue == role }) else {
        throw MissingFigure(text: "\(file) has no reading of \(role)", isFailure: true)
      }
      let own = found[kind] ?? .null
      let lowest = try number(own, ["offset", "lowest"])
      return Figure(
        value: try number(own, ["offset", images]),
        interval: interval(own["summary"]?[images]?["ci95"]).map { $0 - lowest },
        count: tree["setting"]?["dataset"]?["count"]?.intValue,
        hash: found["spec_hash"]?.stringValue)
    }
  }

  private func withstood(_ attack: JSONValue) -> Withstood? {
    guard let images = tree["dataset"]?["fingerprint"]?.stringValue,
      let robust = attack["samples"]?["robust"]?.arrayValue
    else { return nil }
    return Withstood(images: images, isRobust: robust.map { $0 == 1 })
  }

  private func attack(_ place: Int) throws(MissingFigure) -> JSONValue {
    guard let attacks = tree["attacks"]?.arrayValue, attacks.indices.contains(place) else {
      throw MissingFigure(text: "\(file) has no attack number \(place + 1)", isFailure: true)
    }
    return attacks[place]
  }

  private func number(_ tree: JSONValue, _ path: [String]) throws(MissingFigure) -> Double {
    guard let value = path.reduce(tree, { $0[$1] ?? .null }).doubleValue, value.isFinite else {
      throw MissingFigure(
        text: "\(file) has no figure \(path.joined(separator: "."))", isFailure: true)
    }
    return value
  }

  private func interval(_ value: JSONValue?) -> ConfidenceInterval? {
    value.flatMap { try? $0.decode() }
  }

  private func text(_ path: [String]) -> String? {
    path.reduce(tree) { $0[$1] ?? .null }.stringValue
  }
}
