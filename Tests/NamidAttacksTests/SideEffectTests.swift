import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// A network with weights, running statistics and modes, for what an attack must leave alone.
final class SmallNetwork: Classifier {
  let store = ParameterStore(stream: RandomStream(seed: 2))
  let classCount = 3
  private(set) var modes: Set<Bool> = []
  private let body: Sequential

  init() {
    let path = store.root
    body = Sequential([
      Conv2d(1, 4, kernel: 3, padding: 1, bias: false, at: path / "conv"),
      BatchNorm2d(4, at: path / "bn"), ReLU(), Flatten(),
      Linear(4 * 30, 3, at: path / "fc"),
    ])
    ClosedForm.fill(store)
  }

  var isTraining: Bool {
    get { store.isTraining }
    set { store.isTraining = newValue }
  }

  func logits(_ images: Tensor) -> Tensor {
    modes.insert(isTraining)
    return body(images)
  }
}

@Suite(.serialized) struct SideEffectTests {
  let images = ClosedForm.picture([6, 1, 5, 6])
  let labels = Tensor([0, 1, 2, 0, 1, 2], shape: [6])

  func expectUntouched(training: Bool, _ use: (SmallNetwork, PGD, [RandomStream]) -> Void) throws {
    for norm in [Norm.linf, .l2] {
      let network = SmallNetwork()
      network.isTraining = true
      network.logits(images).crossEntropy(labels).backward()
      network.isTraining = training
      let state = network.store.state.map { $0.tensor.detach().clone() }
      let gradients = try network.store.parameters.map { try #require($0.grad).clone() }
      let modes = network.modes
      let (imagesBefore, labelsBefore) = (images.clone(), labels.clone())

      let attack = PGD(
        threat: ThreatModel(norm: norm, epsilon: 0.1), steps: 3, start: .uniform, restarts: 2)
      use(network, attack, streams(Array(0..<6)))

      #expect(network.isTraining == training)
      #expect(network.modes == modes.union([false]))
      for ((name, tensor), old) in zip(network.store.state, state) {
        expectIdentical(tensor.detach(), old, name)
      }
      for (parameter, old) in zip(network.store.parameters, gradients) {
        expectIdentical(try #require(parameter.grad), old)
        #expect(parameter.requiresGrad)
      }
      expectIdentical(images, imagesBefore)
      expectIdentical(labels, labelsBefore)
      #expect(!images.requiresGrad && images.grad == nil)
      #expect((network.store.parameters[0] * 1).requiresGrad)
    }
  }

  @Test(arguments: [true, false]) func measuringLeavesTheNetworkAsItWas(_ training: Bool) throws {
    try expectUntouched(training: training) { network, attack, streams in
      _ = attack.run(on: network, images: images, labels: labels, streams: streams)
    }
  }

  @Test(arguments: [true, false]) func craftingLeavesTheNetworkAsItWas(_ training: Bool) throws {
    try expectUntouched(training: training) { network, attack, streams in
      _ = attack.craft(
        on: network, images: images, labels: labels, streams: RandomStreams(streams))
    }
  }

  @Test func aFrozenNetworkCanBeAttacked() {
    let network = SmallNetwork()
    network.store.setRequiresGrad(false)
    let attack = PGD(threat: ThreatModel(norm: .linf, epsilon: 0.1), steps: 2)
    let result = attack.run(
      on: network, images: images, labels: labels, streams: streams(Array(0..<6)))
    #expect((result.images - images).abs().max().item() > 0)
    #expect(network.store.parameters.allSatisfy { !$0.requiresGrad })
  }

  @Test func attacksLeaveNoTensorsBehind() {
    let network = SmallNetwork()
    let attack = PGD(threat: ThreatModel(norm: .l2, epsilon: 0.1), steps: 2, restarts: 2)
    expectNoTensorLeak {
      _ = attack.run(on: network, images: images, labels: labels, streams: streams(Array(0..<6)))
      _ = attack.craft(
        on: network, images: images, labels: labels, streams: craftingStreams(Array(0..<6)))
    }
  }

  @Test func craftingSucceedsInLowPrecision() {
    let network = SmallNetwork()
    let attack = PGD(threat: ThreatModel(norm: .linf, epsilon: 0.1), steps: 3)
    withPrecision(.bfloat16) {
      let crafted = attack.craft(
        on: network, images: images, labels: labels, streams: craftingStreams(Array(0..<6)))
      #expect(crafted.dtype == .float32 && crafted.isfinite().all().bools() == [true])
      // The weights must still get a gradient from a pass in the same scope.
      network.logits(crafted).to(.float32).crossEntropy(labels).backward()
    }
    #expect(network.store.parameters.allSatisfy { $0.grad != nil })
  }
}
