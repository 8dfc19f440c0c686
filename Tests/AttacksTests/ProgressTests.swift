import TestSupport
import Testing
import Torch

@testable import Attacks

@Suite(.serialized) struct ProgressTests {
  let images = Tensor([Float(0.5), 0.6, 0.7], shape: [3, 1, 1, 1])
  let labels = Tensor([0, 1, 2], shape: [3])

  /// Iterates of some samples, with all their logits equal but that of the predicted class, and their losses.
  func note(
    _ progress: inout Progress, _ values: [Float], predicted: [Int], losses: [Float],
    _ active: [Int]
  ) -> [Bool] {
    let logits = predicted.flatMap { label in (0..<3).map { $0 == label ? Float(1) : 0 } }
    let current = Tensor(values, shape: [values.count, 1, 1, 1])
    return progress.note(
      current,
      PGD.Point(
        input: current, logits: Tensor(logits, shape: [values.count, 3]),
        losses: Tensor(losses, shape: [values.count])), active: active)
  }

  @Test func anImageThatFoolsBeatsAnyLoss() {
    var progress = Progress(images: images, labels: labels, wrong: [false, false, false])
    #expect(
      note(&progress, [0.1, 0.2, 0.3], predicted: [0, 1, 2], losses: [2, 2, 2], [0, 1, 2])
        == [false, false, false])
    // With three classes the label can lose to one rival at a smaller loss than before.
    #expect(
      note(&progress, [0.11, 0.31], predicted: [1, 2], losses: [1, 1], [0, 2]) == [true, false])
    #expect(progress.survivors == [1, 2])
    #expect(progress.result.images.floats() == [0.11, 0.2, 0.3])
    #expect(progress.result.fooled == [true, false, false])
    #expect(progress.result.costs.map(\.forwards) == [3, 2, 3])
  }

  @Test func theLargestLossIsKept() {
    var progress = Progress(images: images, labels: labels, wrong: [true, false, false])
    for (value, loss) in [(0.1, 1.0), (0.2, 3.0), (0.3, 2.0)] as [(Float, Float)] {
      _ = note(&progress, [value, 0.9], predicted: [1, 2], losses: [loss, -loss], [1, 2])
    }
    #expect(progress.result.images.floats() == [0.5, 0.2, 0.9])
  }

  @Test func aLossThatIsNoNumberIsNoImprovement() {
    var progress = Progress(images: images, labels: labels, wrong: [false, false, false])
    _ = note(
      &progress, [0.1, 0.2, 0.3], predicted: [0, 1, 2], losses: [.nan, 1, .nan], [0, 1, 2])
    _ = note(
      &progress, [0.4, 0.4, 0.4], predicted: [0, 1, 2], losses: [1, .nan, .nan], [0, 1, 2])
    #expect(progress.result.images.floats() == [0.4, 0.2, 0.7])
  }

  @Test func rowsAreThoseOfTheSamples() {
    let progress = Progress(images: images, labels: labels, wrong: [false, true, false])
    #expect(progress.survivors == [0, 2])
    let rows = progress.rows(of: [2, 0])
    #expect(rows.images.floats() == [0.7, 0.5] && rows.labels.ints() == [2, 0])
    #expect(progress.rows(of: [0, 1, 2]).images.floats() == [0.5, 0.6, 0.7])
  }
}
