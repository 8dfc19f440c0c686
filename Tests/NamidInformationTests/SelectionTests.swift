import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

@Suite(.serialized) struct SelectionTests {
  struct Facts: Decodable {
    let labels: [Int]
    let natural: [[Double]]
    let adversarial: [[Double]]
    let argmax: Outcome
    let batchSoftmax: Outcome
    enum CodingKeys: String, CodingKey {
      case labels, argmax
      case natural = "logits.natural"
      case adversarial = "logits.adversarial"
      case batchSoftmax = "batch_softmax"
    }
  }
  struct Outcome: Decodable {
    let naturalLabels: [Int]
    let adversarialLabels: [Int]
    let correct: [Int]
    let selected: [Int]
    let robust: [Int]
    enum CodingKeys: String, CodingKey {
      case correct, selected, robust
      case naturalLabels = "label.natural"
      case adversarialLabels = "label.adversarial"
    }
  }

  func positions(_ mask: [Int]) -> [Int] { mask.indices.filter { mask[$0] == 1 } }

  @Test(arguments: SelectionRule.allCases) func samplesAreThoseOfPyTorch(_ rule: SelectionRule)
    throws
  {
    let facts = try Golden.json("selection", as: Facts.self)
    let outcome = rule == .argmax ? facts.argmax : facts.batchSoftmax
    let natural = Tensor(facts.natural.flatMap { $0 }, shape: [8, 4])
    let adversarial = Tensor(facts.adversarial.flatMap { $0 }, shape: [8, 4])
    let labels = Tensor(facts.labels, shape: [8])
    #expect(rule.labels(natural).ints() == outcome.naturalLabels)
    #expect(rule.labels(adversarial).ints() == outcome.adversarialLabels)
    let selection = Selection(
      natural: natural, adversarial: adversarial, labels: labels, rule: rule)
    #expect(selection.right.ints() == positions(outcome.correct))
    #expect(selection.flipped.ints() == positions(outcome.selected))
    #expect(selection.robust.ints() == positions(outcome.robust))
  }

  /// Numbers that an independent implementation gave for formulas alone.
  @Test func labelsAreTheIndependentOnes() throws {
    let losses = try Golden.tensors("losses")
    let natural = try losses["logits.natural"]
    let adversarial = try losses["logits.adversarial"]
    #expect(SelectionRule.argmax.labels(natural).ints() == [2, 0, 3, 3, 2])
    #expect(SelectionRule.argmax.labels(adversarial).ints() == [0, 1, 2, 2, 2])
    #expect(SelectionRule.batchSoftmax.labels(natural).ints() == [2, 0, 3, 3, 2])
    #expect(SelectionRule.batchSoftmax.labels(adversarial).ints() == [3, 1, 2, 2, 2])
  }

  @Test func aBatchSoftmaxIsBlindToConstantsPerClass() {
    let logits = ClosedForm.tensor("logits", [6, 4], scale: 2)
    let shifted = logits + Tensor([Float(5), -3, 0, 80], shape: [4])
    let rule = SelectionRule.batchSoftmax
    #expect(rule.labels(shifted).ints() == rule.labels(logits).ints())
    #expect(SelectionRule.argmax.labels(shifted).ints() == [3, 3, 3, 3, 3, 3])
  }

  @Test func noSamplesAreEmptySelections() {
    let logits = Tensor([Float(0), 1], shape: [1, 2])
    let selection = Selection(
      natural: logits, adversarial: logits, labels: .zeros([1], dtype: .int64))
    #expect(selection.flipped.shape == [0] && selection.right.shape == [0])
  }

  @Test func selectingNeedsNoGradients() {
    let logits = ClosedForm.tensor("logits", [3, 2])
    logits.requiresGrad = true
    let selection = Selection(
      natural: logits * 1, adversarial: logits * 2, labels: .zeros([3], dtype: .int64))
    #expect(!selection.flipped.requiresGrad && selection.flipped.dtype == .int64)
  }
}
