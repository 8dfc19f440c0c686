import Foundation
import NamidTorch

/// The smallest image per sample on which a search has seen the network err.
///
/// Minimum-norm attacks keep their books here and not in `Search.note`: they go on after a sample is fooled,
/// because a smaller perturbation may do. An image counts when another class leads the label by more than the
/// confidence asked for plus 1e-4 of the spread of the unattacked image's logits. On the boundary itself the verdict
/// would hang on rounding, which changes with the batch; this stands well off that and lengthens a perturbation by
/// about the same 1e-4.
final class MinimumNorm {
  /// The lead that another class must have, per sample of the batch (N).
  let margins: Tensor
  private let threat: ThreatModel
  fileprivate let best: Findings
  /// The findings before the best, should the best fail the check at the end.
  private let earlier: Findings
  private let images: Tensor

  fileprivate init(_ search: Search, threat: ThreatModel, confidence: Double) {
    self.threat = threat
    let logits = search.cleanLogits
    margins = (logits.amax([1]) - logits.amin([1])) * 1e-4 + confidence
    let none = margins.fullLike(Double.infinity)
    let wrong = misclassified(logits, search.labels)
    best = Findings(images: search.images, distances: none.maskedFill(wrong, 0))
    earlier = Findings(images: search.images, distances: none)
    images = search.images
  }

  /// The size of the smallest perturbation found for each row (rows), infinite where there is none.
  func distances(of rows: Rows) -> Tensor { best.distances.at(rows.places) }

  /// Records iterates that have been evaluated; returns a mask of those that count, also of larger ones (rows).
  ///
  /// An iterate equal to its unattacked image is no finding: the network was right on it.
  @discardableResult
  func note(_ current: Tensor, logits: Tensor, of rows: Rows) -> Tensor {
    let sizes = threat.size(of: current.to(.float64) - rows.images.to(.float64)).to(.float32)
    let leads = AttackLoss.margin.values(logits, rows.labels) .> margins.indexSelect(rows.places)
    let counts = (leads .| logits.sum([1]).isfinite().logicalNot()) .& (sizes .> 0)
    let isSmaller = counts .& (sizes .< distances(of: rows))
    let target = best.distances.target(rows.places, where: isSmaller)
    earlier.put(best.images.at(rows.places), distances(of: rows), at: target)
    best.put(current, sizes, at: target)
    return counts
  }

  /// Classifies what was found once more, one forward each; an image that fools no longer gives way to the one before,
  /// or to none.
  fileprivate func confirm(in search: Search) {
    var samples = search.survivors.samples
    for _ in 0..<2 {
      let distances = best.distances.values.floats()
      let rows = Rows(
        samples.filter { distances[$0].isFinite }, images: search.images, labels: search.labels)
      if rows.isEmpty { return }
      let logits = search.logits(best.images.at(rows.places), of: rows)
      let holds = misclassified(logits, rows.labels).bools()
      samples = zip(rows.samples, holds).filter { !$0.1 }.map(\.0)
      if samples.isEmpty { return }
      let places = Tensor(samples, shape: [samples.count]).to(search.images.device)
      best.put(earlier.images.at(places), earlier.distances.at(places), at: places)
      let none = Tensor.full([samples.count], Double.infinity, device: images.device)
      earlier.put(images.indexSelect(places), none, at: places)
    }
  }

  /// A number that goes from one value to another along half a cosine: the first at step 0, the last at `steps`.
  static func cosine(from first: Double, to last: Double, at step: Int, of steps: Int) -> Double {
    last + (first - last) * (1 + cos(Double.pi * Double(step) / Double(steps))) / 2
  }
}

/// An image and the size of its perturbation per row.
private struct Findings {
  let images: Slots
  let distances: Slots

  init(images: Tensor, distances: Tensor) {
    self.images = Slots(images)
    self.distances = Slots(distances)
  }

  func put(_ newImages: Tensor, _ newDistances: Tensor, at target: Tensor) {
    images.put(newImages, at: target)
    distances.put(newDistances, at: target)
  }
}

extension Search {
  /// Runs a search for the smallest perturbation, within ε or not.
  ///
  /// The whole budget is spent on every sample that is right unattacked, for the sake of its distance: neither ε nor
  /// the goal has a say. Images are the smallest found, or the unattacked ones where none was found; a sample counts as
  /// fooled where they lie within ε (up to 1e-6 of it). An image counts from a lead of `confidence` over the label on,
  /// in logits. When all images are wrong unattacked, `body` is not called.
  func forSmallest(
    in threat: ThreatModel, confidence: Double = 0, body: (MinimumNorm) -> Void
  ) {
    goal = .fool
    let found = MinimumNorm(self, threat: threat, confidence: confidence)
    if !survivors.isEmpty {
      body(found)
      found.confirm(in: self)
    }
    let distances = found.best.distances.values.floats()
    smallest = SmallestFound(
      distances: distances, images: found.best.images.values,
      fooled: distances.map { Double($0) <= threat.epsilon.value * (1 + 1e-6) })
  }
}
