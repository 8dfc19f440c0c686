import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct AttackLossTests {
  let labels = Tensor([2, 0], shape: [2])

  @Test func lossesFollowTheirDefinitions() {
    let logits = Tensor([Float(1), -2, 3, 0.5, -1, -4, -3, -2], shape: [2, 4])
    #expect(AttackLoss.margin.values(logits, labels).floats() == [-2, -1])
    // (z_y − max z_i) over z_(1) − z_(3): 2 over 2.5, 1 over 2.
    #expect(AttackLoss.dlr.values(logits, labels).floats() == [-0.8, -0.5])
    let targets = Tensor([3, 1], shape: [2])
    // z_y − z_t over z_(1) − (z_(3) + z_(4)) / 2.
    #expect(
      AttackLoss.targetedDLR(logits, labels, towards: targets).floats() == [
        Float(-2.5 / 3.75), Float(-3 / 2.5),
      ])
    expectClose(
      AttackLoss.crossEntropy.values(logits, labels),
      logits.logsumexp([1]) - Tensor([Float(3), -1], shape: [2]))
  }

  @Test func fewClassesHaveFallbacks() {
    let two = Tensor([Float(1), -2, -3, 4], shape: [2, 2])
    let label = Tensor([0, 0], shape: [2])
    #expect(AttackLoss.dlr.values(two, label).floats() == [-3, 7])
    let three = Tensor([Float(1), -2, 5], shape: [1, 3])
    #expect(
      AttackLoss.targetedDLR(three, Tensor([2], shape: [1]), towards: Tensor([0], shape: [1]))
        .floats() == [-4])
  }

  @Test(arguments: [2, 3, 6]) func gradientsAgreeWithDifferences(_ classes: Int) {
    let logits = ClosedForm.tensor("logits", [5, classes], scale: 3).to(.float64)
    let label = Tensor((0..<5).map { $0 % classes }, shape: [5])
    let target = Tensor((0..<5).map { ($0 + 1) % classes }, shape: [5])
    for loss in AttackLoss.allCases {
      expectGradientsMatchDifferences(at: [logits]) { loss.values($0[0], label).sum() }
    }
    expectGradientsMatchDifferences(at: [logits]) {
      AttackLoss.targetedDLR($0[0], label, towards: target).sum()
    }
  }
}
