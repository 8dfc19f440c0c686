import NamidTorch

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
