import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

/// Blocks of outputs change how much memory a loss takes, and nothing else.
@Suite(.serialized) struct PatternScoresTests {
  private let samples = 7
  private let local = ClosedForm.tensor("local", [3, 7, 5]).to(.float64)
  private let first = ClosedForm.tensor("first", [7, 5], scale: 2).to(.float64)
  private let second = ClosedForm.tensor("second", [4, 5], scale: 2).to(.float64)
  private let anchors = Tensor([6, 0, 3, 3], shape: [4])

  /// Bytes of the scores of some outputs against all patterns.
  private func bytes(_ outputs: Int) -> Int { outputs * 4 * 3 * samples }

  /// A loss that couples both lists of losses, with its gradients to local, first and second.
  private func loss(
    blockBytes: Int, leak: Bool
  ) -> (value: Tensor, gradients: [Tensor]) {
    let leaves = [local, first, second].map { tensor in
      let leaf = tensor.clone()
      leaf.requiresGrad = true
      return leaf
    }
    let scores = PatternScores(local: leaves[0], leak: leak, blockBytes: blockBytes)
    let all = scores.losses(of: leaves[1])
    let some = scores.losses(of: leaves[2], anchors: anchors)
    let parts = CosineForm.batch.loss(all.indexSelect(anchors), some) + 0.3 * some.mean()
    // A part that reaches an output on a way of its own.
    let total = scores.connected(parts + all.square().mean() + leaves[1].square().mean())
    return (total.detach(), grad(of: total, wrt: leaves))
  }

  @Test(arguments: [1, 2, 3, 6], [true, false])
  func blocksGiveTheSameValueAndGradient(outputs: Int, leak: Bool) {
    let whole = loss(blockBytes: .max, leak: leak)
    let blocked = loss(blockBytes: bytes(outputs), leak: leak)
    expectClose(blocked.value, whole.value, rtol: 1e-13)
    for (a, b) in zip(blocked.gradients, whole.gradients) {
      #expect(b.abs().max().item() > 1e-3)
      expectClose(a, b, rtol: 1e-9, atol: 1e-12)
    }
  }

  @Test func gradientsOfBlocksMatchDifferences() {
    expectGradientsMatchDifferences(at: [local, first]) { inputs in
      let scores = PatternScores(local: inputs[0], leak: true, blockBytes: bytes(2))
      return scores.connected(scores.losses(of: inputs[1]).square().mean())
    }
  }

  /// Whether the path in blocks is taken at all, and that it keeps no scores.
  @Test func oneRowAtATimeIsOneProductPerRow() {
    let scores = PatternScores(local: local, leak: true, blockBytes: 1)
    let counts = CallCounter.count { _ = scores.losses(of: first) }
    #expect(counts[.linear] == samples)
    let whole = PatternScores(local: local, leak: true)
    #expect(CallCounter.count { _ = whole.losses(of: first) }[.linear] == 1)
  }

  @Test func onlyWhatLearnsGetsAGradient() {
    let leaf = first.clone()
    leaf.requiresGrad = true
    let scores = PatternScores(local: local, leak: true, blockBytes: bytes(2))
    let total = scores.connected(scores.losses(of: leaf).mean())
    total.backward()
    #expect(leaf.grad != nil && !local.requiresGrad)
    let fixed = PatternScores(local: local, leak: true, blockBytes: bytes(2))
    #expect(!fixed.connected(fixed.losses(of: first).mean()).requiresGrad)
  }

  /// The memory that a batch of 1024 of 64×64 pixels takes is bounded by arithmetic: features and one block.
  @Test func aFrozenEstimatorWorksInParts() {
    let specification = EstimatorSpecification(units: 2048, classCount: 3, channels: 1)
    let estimator = Estimator(specification, stream: RandomStream(seed: 3))
    estimator.freeze()
    // 2 MiB of features per image: 64 images at once.
    let images = ClosedForm.picture([66, 1, 64, 64])
    let counts = CallCounter.count {
      let features = estimator.features(of: images)
      #expect(features.shape == [256, 66, 2048])
      let last = estimator.features(of: images.slice(65..<66))
      expectClose(features.slice(65..<66, dim: 1), last, rtol: 1e-4, atol: 1e-4)
    }
    // Two parts and the single image, with five convolutions each.
    #expect(counts[.conv2d] == 3 * 5)
  }
}
