import NamidTorch

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
  /// - Returns: Which rows err (rows), and the rows to go on with.
  func record(_ current: Tensor, logits: Tensor, of rows: Rows) -> (errs: Tensor, kept: Kept) {
    let sizes = threat.size(of: current - rows.images)
    let wrong = misclassified(logits, rows.labels)
    let found = sizes.maskedFill(wrong.logicalNot(), .infinity)
    distances.indexCopy_(rows.places, found.minimum(distances.indexSelect(rows.places)))
    let isNear = sizes .<= threat.epsilon.value
    // Any image that fools is above any that does not; a nearer one is above one further away.
    let margins = AttackLoss.margin.values(logits, rows.labels).clamp(max: 0)
    let losses = (-sizes).where(wrong, else: margins - threat.epsilon.value)
    search.take(current, wrong: wrong, losses: losses, of: rows, counted: isNear)
    return (wrong, search.settle((wrong .& isNear).bools(), of: rows))
  }
}
