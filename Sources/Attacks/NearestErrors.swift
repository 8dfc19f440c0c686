import Torch

/// How near to the unattacked images a search has seen the network err.
///
/// Images outside the ball count for the distances only; those inside are passed on to the search, which keeps the
/// nearest that fools, else the one of the largest margin.
final class NearestErrors {
  let search: Search
  /// The size of the smallest perturbation that fools (N); 0 for images wrong unattacked, infinite where none is.
  let distances: Tensor
  private let threat: ThreatModel

  init(_ search: Search, threat: ThreatModel) {
    self.search = search
    self.threat = threat
    let wrong = misclassified(search.cleanLogits, search.labels)
    let none = Tensor.full([search.fooled.count], Double.infinity, device: search.images.device)
    distances = none.maskedFill(wrong, 0)
  }

  /// Records iterates that have been evaluated.
  ///
  /// - Parameters:
  ///   - current: The images (rows, C, H, W).
  ///   - logits: Their logits.
  ///   - rows: Which samples they belong to.
  /// - Returns: Which rows err, and the rows to go on with.
  func record(_ current: Tensor, logits: Tensor, of rows: Rows) -> (errs: [Bool], kept: Kept) {
    let sizes = threat.size(of: current - rows.images)
    let wrong = misclassified(logits, rows.labels)
    let found = sizes.maskedFill(wrong.logicalNot(), .infinity)
    distances.indexCopy_(rows.places, found.minimum(distances.indexSelect(rows.places)))
    // Both answers in one message from the device.
    let isNear = sizes .<= threat.epsilon.value
    let answers = (wrong.to(.int64) + isNear.to(.int64) * 2).ints()
    let errs = answers.map { $0 & 1 == 1 }
    let near = Kept(answers.map { $0 & 2 == 2 }, device: current.device)
    if !near.isEmpty {
      // Any image that fools is above any that does not; a nearer one is above one further away.
      let margins = AttackLoss.margin.values(logits, rows.labels).clamp(max: 0)
      let losses = (-sizes).where(wrong, else: margins - threat.epsilon.value)
      search.note(
        near.of(current), logits: near.of(logits), losses: near.of(losses), of: rows.keeping(near))
    }
    let stays = answers.map { search.goal == .strongest || $0 != 3 }
    return (errs, Kept(stays, device: current.device))
  }
}
