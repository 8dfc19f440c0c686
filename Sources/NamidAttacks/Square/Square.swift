import NamidNetworks
import NamidTorch

/// Square attack (Andriushchenko et al., ECCV 2020): random search over square windows that only sees scores.
///
/// Each sample has windows and signs of its own. A proposal that changes nothing, as where a window already has the
/// signs drawn, is not asked: the network's answer is known.
public struct Square: Attack, Hashable, Sendable {
  /// What the attacker may do.
  public var threat: ThreatModel
  /// Proposals per restart after the first image; every one that changes the image is a query.
  public var queries: Int
  /// How often the attack starts anew on the samples that it has not fooled.
  public var restarts: Int
  /// The share of the image that the first windows cover.
  public var pInit: Double
  /// Whether the schedule of window sizes, made for 10,000 queries, is stretched to the number of queries.
  public var rescaleSchedule: Bool

  /// An attack with the settings of AutoAttack, where the schedule is not stretched.
  public init(
    threat: ThreatModel, queries: Int = 5000, restarts: Int = 1, pInit: Double = 0.8,
    rescaleSchedule: Bool = false
  ) {
    precondition(
      queries >= 0 && restarts >= 1 && pInit > 0 && pInit <= 1,
      "Square with \(queries) queries, \(restarts) restarts and first windows of \(pInit)")
    self.threat = threat
    self.queries = queries
    self.restarts = restarts
    self.pInit = pInit
    self.rescaleSchedule = rescaleSchedule
  }

  /// `square`.
  public var name: String { "square" }

  /// What the attacker may do.
  public var ball: ThreatModel? { threat }

  /// All settings by name.
  public var settings: [String: String] {
    [
      "queries": "\(queries)", "restarts": "\(restarts)", "p_init": "\(pInit)",
      "rescale_schedule": "\(rescaleSchedule)",
    ]
  }

  /// The side of the windows of a proposal (from 0) on images of H × W pixels.
  ///
  /// The share of the image that they cover is halved after proposals 10, 50, 200, 500, 1000, 2000, 4000, 6000 and
  /// 8000. In L2 and L1 sides are odd and at least 3, where the image is large enough.
  func side(at query: Int, height: Int, width: Int) -> Int {
    let index = rescaleSchedule ? query * 10_000 / queries : query
    let halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].count { index > $0 }
    let share = pInit / Double(1 << halvings)
    let side = Int((share * Double(height * width)).squareRoot().rounded(.toNearestOrEven))
    return min(threat.norm == .linf ? max(side, 1) : max(side, 3) | 1, height, width)
  }

  /// Attacks a batch until every sample is fooled or the budget is spent.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    Search.run(on: classifier, images: images, labels: labels, goal: goal) { search in
      for restart in 0..<restarts where !search.survivors.isEmpty {
        look(search, streams.map { $0.keyed("restart").keyed(restart) })
      }
    }
  }

  /// The number of proposals that are drawn, and sent to the device, at once.
  private static let drawnAhead = 16

  private func look(_ search: Search, _ streams: [RandomStream]) {
    var walk = RandomWalk(search)
    var starts = walk.rows.samples.map { streams[$0].keyed("start") }
    walk.ask(first(around: walk.rows.images, &starts))
    walk.settle()
    let images = search.images
    let patterns = SquarePatterns(norm: threat.norm, device: images.device)
    let asksEveryTime = !Pacing.runsAlongside(images.device)
    for first in stride(from: 0, to: queries, by: Self.drawnAhead) where !walk.rows.isEmpty {
      let next = first..<min(first + Self.drawnAhead, queries)
      let sides = next.map { side(at: $0, height: images.size(2), width: images.size(3)) }
      var draws = SquareDraws(
        walk.rows.samples.map { streams[$0] }, from: first, sides: sides, norm: threat.norm,
        like: images)
      for query in next where !walk.rows.isEmpty {
        walk.ask(
          proposal(from: walk.current, around: walk.rows.images, draws[query], patterns))
        if asksEveryTime || query == next.upperBound - 1 { draws.keep(walk.settle()) }
      }
    }
  }
}

extension Square {
  static let entry = AttackEntry(
    name: "square", summary: "random search over square windows, with scores only",
    source: "Andriushchenko et al., ECCV 2020", norms: Norm.allCases
  ) { threat, settings throws(AttackListError) in
    Square(
      threat: threat, queries: try settings.integer("queries", default: 5000, minimum: 0),
      restarts: try settings.integer("restarts", default: 1),
      pInit: try settings.real("p_init", default: 0.8, in: 0...1, excludingLow: true),
      rescaleSchedule: try settings.flag("rescale_schedule", default: false))
  }
}
