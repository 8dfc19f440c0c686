import NamidAttacks
import NamidInformation
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidDefenses

/// TRADES and MART on logits.
@Suite(.serialized) struct ObjectiveTests {
  private static let attack = TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1))

  private static func trades(_ beta: Double) -> TRADES {
    var settings = TRADES.Settings()
    settings.beta = beta
    return TRADES(attack: attack, settings: settings)
  }

  private static func mart(_ beta: Double) -> MART {
    var settings = MART.Settings()
    settings.beta = beta
    return MART(attack: attack, settings: settings)
  }

  @Test func defaultsAreThePapers() {
    #expect(TRADES.Settings().beta == 6)
    #expect(MART.Settings().beta == 5)
  }

  /// The losses agree with numbers that an independent implementation gave, too (`Tests/Golden/generate.py`).
  @Test(arguments: ["trades.beta6", "mart.beta5", "mart.beta6"], [DType.float32, .float64])
  func lossesAreThoseOfPyTorch(_ name: String, _ dtype: DType) throws {
    let golden = try Golden.tensors("losses", dtype: dtype)
    let leaves = try ["natural", "adversarial"].map { try golden["logits.\($0)"] }
    for leaf in leaves { leaf.requiresGrad = true }
    let objective: any AdversarialObjective =
      switch name {
      case "trades.beta6": Self.trades(6)
      case "mart.beta5": Self.mart(5)
      default: Self.mart(6)
      }
    let loss = objective.loss(
      natural: leaves[0], adversarial: leaves[1], labels: try golden["labels"])
    expectGolden(loss.total, try golden["\(name)/value"], name)
    let gradients = grad(of: loss.total, wrt: leaves)
    for (key, gradient) in zip(["natural", "adversarial"], gradients) {
      expectGolden(gradient, try golden["\(name)/grad.\(key)"], "\(name) \(key)")
    }
  }

  @Test func partsAreThoseOfPyTorch() throws {
    let golden = try Golden.tensors("losses")
    let (natural, adversarial) = (
      try golden["logits.natural"], try golden["logits.adversarial"]
    )
    let labels = try golden["labels"]
    let mart = Self.mart(5).loss(natural: natural, adversarial: adversarial, labels: labels)
    #expect(mart.terms.map(\.name) == ["ce_adv", "margin", "kl_weighted"])
    expectGolden(mart.terms[0].value + mart.terms[1].value, try golden["mart.boosted/value"])
    let trades = Self.trades(6).loss(natural: natural, adversarial: adversarial, labels: labels)
    #expect(trades.terms.map(\.name) == ["ce", "kl"])
    expectGolden(trades.terms[1].value, try golden["kl.batchmean/value"])
    expectGolden(divergence(from: natural, to: adversarial), try golden["kl.none/value"])
  }

  @Test func gradientsMatchDifferences() throws {
    let golden = try Golden.tensors("losses")
    let inputs = [try golden["logits.natural"], try golden["logits.adversarial"]]
    let labels = try golden["labels"]
    for objective in [Self.trades(6), Self.mart(5)] as [any AdversarialObjective] {
      expectGradientsMatchDifferences(at: inputs) { inputs in
        objective.loss(natural: inputs[0], adversarial: inputs[1], labels: labels).total
      }
    }
    let smoothed = StandardAT(attack: Self.attack, labelLoss: LabelLoss(smoothing: 0.2))
    expectGradientsMatchDifferences(at: [inputs[1]]) { inputs in
      smoothed.loss(natural: nil, adversarial: inputs[0], labels: labels).total
    }
  }

  /// Logits so far apart that probabilities are 0 and 1 in float32.
  @Test func certainNetworksHaveFiniteLosses() {
    let natural = Tensor([400, 0, 0, 0, 400, 0] as [Float], shape: [2, 3])
    let adversarial = Tensor([0, 400, 0, 0, 400, 0] as [Float], shape: [2, 3])
    let labels = Tensor([0, 2], shape: [2])
    for objective in [Self.trades(6), Self.mart(5)] as [any AdversarialObjective] {
      for logits in [natural, adversarial] { logits.requiresGrad = true }
      let loss = objective.loss(natural: natural, adversarial: adversarial, labels: labels).total
      #expect(loss.isfinite().bools() == [true], "\(objective.name)")
      for gradient in grad(of: loss, wrt: [natural, adversarial]) {
        #expect(gradient.isfinite().all().bools() == [true], "\(objective.name)")
      }
    }
  }

  @Test func theTermsOfEquationEightMatchDifferences() {
    let inputs = ["a", "b"].map { ClosedForm.tensor($0, [4, 3]) }
    for form in CosineForm.allCases {
      expectGradientsMatchDifferences(at: inputs) { inputs in
        NAMID.Part(natural: inputs[0], adversarial: inputs[1], weight: -0.1, form: form).total
      }
    }
  }
}
