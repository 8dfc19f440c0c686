import NamidAttacks
import NamidInformation
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidDefenses

/// Whole training losses, and a step at perturbed weights, as PyTorch computes them.
@Suite(.serialized) struct WholeLossTests {
  private let golden: GoldenTensors
  private let batch: Batch
  private let attacked = ClosedForm.tensor("attacked", [6, 1, 28, 28])
  private let attack = TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1))

  init() throws {
    golden = try Golden.tensors("defenses", dtype: .float32)
    batch = Batch(
      images: ClosedForm.picture([6, 1, 28, 28]), labels: try golden["labels"],
      indices: Array(0..<6))
  }

  private func network() throws -> Network {
    let network = try Network(
      NetworkSpecification(
        architecture: "small-cnn", width: 16, channels: 1, imageHeight: 28, imageWidth: 28),
      stream: RandomStream(seed: 0))
    ClosedForm.fill(network.store)
    network.isTraining = true
    return network
  }

  private func estimator() -> Estimator {
    let estimator = Estimator(
      EstimatorSpecification(units: 8, channels: 1), stream: RandomStream(seed: 0))
    ClosedForm.fill(estimator.store)
    return estimator
  }

  private func defense(_ name: String) -> any Defense {
    let pair = EstimatorPair(natural: estimator(), adversarial: estimator())
    var control = NAMID.Settings()
    control.term = .logitPairing
    switch name {
    case "standard": return StandardAT(attack: attack)
    case "standard.smoothing":
      return StandardAT(attack: attack, labelLoss: LabelLoss(smoothing: 0.1))
    case "trades": return TRADES(attack: attack)
    case "mart": return MART(attack: attack)
    case "namid": return NAMID(StandardAT(attack: attack), estimators: pair)
    case "namid-t": return NAMID(TRADES(attack: attack), name: name, estimators: pair)
    case "namid-m": return NAMID(MART(attack: attack), name: name, estimators: pair)
    case "namid.pairing":
      return NAMID(StandardAT(attack: attack), estimators: pair, settings: control)
    default: return WMIM(attack: attack, estimator: estimator())
    }
  }

  @Test(arguments: [
    "standard", "standard.smoothing", "trades", "mart", "namid", "namid-t", "namid-m",
    "namid.pairing", "wmim",
  ])
  func lossesAndGradientsAreThoseOfPyTorch(_ name: String) throws {
    let network = try network()
    let loss = defense(name).loss(of: network, batch: batch, attacked: attacked, epoch: 0)
    let expected = golden.below(name)
    expectGolden(loss.total, try expected["value"], "\(name) value")
    loss.total.backward()
    for (key, tensor) in network.store.state {
      let gradient = try #require(tensor.grad)
      expectGolden(gradient.norm(), try expected["grad_norm.\(key)"], "\(name) \(key)")
      if key == "fc2.bias" {
        expectGolden(gradient, try expected["grad.fc2.bias"], "\(name) fc2.bias", tolerance: 2e-5)
      }
    }
    #expect(
      loss.terms.allSatisfy { !$0.value.requiresGrad && $0.value.isfinite().all().bools()[0] })
  }

  @Test(arguments: ["standard", "trades"])
  func aStepAtPerturbedWeightsIsThatOfPyTorch(_ name: String) throws {
    let network = try network()
    let defense = defense(name)
    let compute = { defense.loss(of: network, batch: batch, attacked: attacked, epoch: 0).total }
    let optimizer = SGD(network.store, momentum: 0.9, weightDecay: 5e-4)
    let perturbed = try #require(
      WeightPerturbation().applied(to: network.store, epoch: 0, loss: compute))
    let loss = compute()
    loss.backward()
    optimizer.step(learningRate: 0.1)
    perturbed.remove()
    let expected = golden.below("perturbed.\(name)")
    expectGolden(loss, try expected["loss"], "\(name) loss")
    for (key, tensor) in network.store.state {
      expectGolden(tensor.norm(), try expected["weight_norm.\(key)"], "\(name) \(key)")
      if key == "fc2.weight" {
        expectGolden(tensor, try expected["weight.fc2.weight"], "\(name) \(key)")
      }
    }
  }
}
