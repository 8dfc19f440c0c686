import Torch

/// How far an attack on a batch is: who is fooled, the best image of each sample, and what it cost.
struct Progress {
  private let images: Tensor
  private let labels: Tensor
  private let best: Tensor
  private let bestLoss: Tensor
  private var fooled: [Bool]
  private var costs: [Cost]

  /// A batch of which `wrong` samples are misclassified unattacked; that check has cost one forward each.
  init(images: Tensor, labels: Tensor, wrong: [Bool]) {
    self.images = images
    self.labels = labels
    best = images.clone()
    bestLoss = .full([wrong.count], -Double.infinity, device: images.device)
    fooled = wrong
    costs = wrong.map { _ in Cost(forwards: 1) }
  }

  /// The samples that are not fooled yet.
  var survivors: [Int] { fooled.indices.filter { !fooled[$0] } }

  /// Images and labels of some samples.
  func rows(of samples: [Int]) -> (images: Tensor, labels: Tensor) {
    if samples.count == fooled.count { return (images, labels) }
    let indices = index(samples)
    return (images.indexSelect(indices), labels.indexSelect(indices))
  }

  /// Records an evaluated iterate of the active samples; returns which of them it fools.
  ///
  /// A fooled sample keeps the image that fools it, any other the one of the largest loss so far. A loss that is
  /// not a number counts as no improvement.
  mutating func note(_ current: Tensor, _ point: PGD.Point, active: [Int]) -> [Bool] {
    let indices = index(active)
    let rowLabels = labels.indexSelect(indices)
    let wrongRows = misclassified(point.logits, rowLabels)
    let losses = point.losses.detach()
    let better = wrongRows .| (losses .> bestLoss.indexSelect(indices))
    let kept = better.nonzeroIndices()
    let places = indices.indexSelect(kept)
    best.indexCopy_(places, current.indexSelect(kept))
    bestLoss.indexCopy_(places, losses.indexSelect(kept))
    let wrong = wrongRows.bools()
    for (row, sample) in active.enumerated() {
      costs[sample].forwards += 1
      if wrong[row] { fooled[sample] = true }
    }
    return wrong
  }

  /// Records a gradient of the active samples.
  mutating func countBackward(_ active: [Int]) {
    for sample in active { costs[sample].backwards += 1 }
  }

  var result: AttackResult { AttackResult(images: best, fooled: fooled, costs: costs) }

  private func index(_ samples: [Int]) -> Tensor {
    Tensor(samples, shape: [samples.count]).to(images.device)
  }
}
