import NamidNetworks
import NamidSettings
import NamidTorch

/// Square attack (Andriushchenko et al., ECCV 2020): random search over square windows that only sees scores.
///
/// Each sample has windows and signs of its own. A proposal that changes nothing, as where a window already has the
/// signs drawn, is not asked: the network's answer is known.
public struct Square: Attack, Hashable {
  /// The choices of the attack; the usual ones are AutoAttack's.
  public struct Settings: AttackSettings {
    /// Proposals per restart after the first image; every one that changes the image is a query.
    public var queries = 5000
    /// Starts on the samples that are not fooled yet.
    public var restarts = 1
    /// The share of the image that the first windows cover.
    public var pInit = 0.8
    /// True to stretch the schedule of window sizes, made for 10,000 queries, to the number of queries.
    public var rescaleSchedule = false

    /// AutoAttack's choices.
    public init(in threat: ThreatModel) {}

    /// Refuses counts and shares that cannot work.
    public func validate(in threat: ThreatModel) throws(InvalidSetting) {
      try require(queries, "queries", in: 0...1_000_000)
      try require(restarts, "restarts")
      try require(pInit, "pInit", in: 0...1, excludingLow: true)
    }
  }

  /// The choices made.
  public var settings: Settings
  /// The ball.
  public var threat: ThreatModel

  /// An attack with these choices.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// `square`.
  public var name: String { "square" }

  /// One query for the first image and for each proposal of a restart; fewer where proposals change nothing.
  public func budget(classCount: Int) -> Cost {
    let queries = settings.restarts * (settings.queries + 1)
    return Cost(forwards: 1 + queries, queries: queries)
  }

  /// The side of the windows of a proposal (from 0) on images of H × W pixels.
  ///
  /// The share of the image that they cover is halved after proposals 10, 50, 200, 500, 1000, 2000, 4000, 6000 and
  /// 8000. In L2 and L1 sides are odd and at least 3, where the image is large enough.
  func side(at query: Int, height: Int, width: Int) -> Int {
    let index = settings.rescaleSchedule ? query * 10_000 / settings.queries : query
    let halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].count { index > $0 }
    let share = settings.pInit / Double(1 << halvings)
    let side = Int((share * Double(height * width)).squareRoot().rounded(.toNearestOrEven))
    return min(threat.norm == .linf ? max(side, 1) : max(side, 3) | 1, height, width)
  }

  /// Proposes windows until every sample is fooled or the budget is spent.
  public func attack(_ search: Search) {
    for restart in 0..<settings.restarts where !search.survivors.isEmpty {
      look(search, search.streams.map { $0.keyed("restart").keyed(restart) })
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
    for first in stride(from: 0, to: settings.queries, by: Self.drawnAhead) where !walk.rows.isEmpty
    {
      let next = first..<min(first + Self.drawnAhead, settings.queries)
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

  static let entry = AttackEntry(
    Square.self, name: "square", summary: "random search over square windows, with scores only",
    source: "Andriushchenko et al., ECCV 2020", norms: Norm.allCases)
}

/// The samples of a random search and the best image of each so far.
///
/// On a device that computes while the host goes on, rows stay in the work for a while after they are fooled: what is
/// then asked about them is not counted and changes nothing.
struct RandomWalk {
  private let search: Search
  private(set) var rows: Rows
  private(set) var current: Tensor
  private var losses: Tensor
  /// A truth value per row: fooled since the host last asked (rows).
  private var fooled: Tensor
  /// The number of queries made since then (rows), int64.
  private var queries: Tensor

  /// A search on all survivors.
  init(_ search: Search) {
    self.search = search
    rows = search.survivors
    current = rows.images
    let device = current.device
    losses = .full([rows.count], -Double.infinity, device: device)
    fooled = .zeros([rows.count], dtype: .bool, device: device)
    queries = .zeros([rows.count], dtype: .int64, device: device)
  }

  /// Asks about the proposals (rows, C, H, W) that change an image, and takes over those with a larger margin.
  mutating func ask(_ proposals: Tensor) {
    let differ = (proposals .!= current).flatten(1).amax([1])
    let device = proposals.device
    // To know which ones to leave out is worth a question only where the answer is at hand.
    let asked =
      Pacing.runsAlongside(device) ? Kept.all(rows.count) : Kept(differ.bools(), device: device)
    if asked.isEmpty { return }
    let labels = asked.of(rows.labels)
    let logits = search.uncountedLogits(asked.of(proposals))
    let margins = asked.spread(AttackLoss.margin.values(logits, labels), over: rows.count)
    let wrong = asked.spread(misclassified(logits, labels), over: rows.count)
    let counted = search.goal == .fool ? differ .& fooled.logicalNot() : differ
    search.take(proposals, wrong: wrong, losses: margins, of: rows, counted: counted)
    let better = (margins .> losses) .& counted
    current = proposals.where(Ascent.perImage(better), else: current)
    losses = margins.where(better, else: losses)
    fooled = fooled .| (wrong .& counted)
    queries = queries + counted.to(.int64)
  }

  /// Lets the host know what has been found since the last time; where the goal is to fool, rows that are fooled leave.
  @discardableResult
  mutating func settle() -> Kept {
    // Both in one answer.
    let answers = (queries * 2 + fooled.to(.int64)).ints()
    search.charge(answers.map { Cost(forwards: $0 / 2, queries: $0 / 2) }, to: rows)
    let kept = search.settle(answers.map { $0 % 2 == 1 }, of: rows)
    (rows, current, losses) = (rows.keeping(kept), kept.of(current), kept.of(losses))
    fooled = .zeros([rows.count], dtype: .bool, device: current.device)
    queries = .zeros([rows.count], dtype: .int64, device: current.device)
    return kept
  }
}
