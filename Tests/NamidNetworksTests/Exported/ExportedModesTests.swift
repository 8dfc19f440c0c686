import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidNetworks

/// Modes of exported programs: training, evaluation, and frozen with folded normalisation.
@Suite(.serialized) struct ExportedModesTests {
  @Test(arguments: ["resnet-train", "resnet-train-functional"])
  func trainingIsThatOfPyTorch(_ name: String) throws {
    let network = try ExportedFixture.network(name)
    let numbers = try ExportedFixture.numbers(name)
    let images = try #require(numbers["images"])
    images.requiresGrad = true
    network.isTraining = true
    let logits = network.logits(images)
    expectClose(
      logits.detach(), try #require(numbers["training/logits"]), rtol: 1e-4, atol: 1e-4)
    let gradient = grad(of: (logits * (try #require(numbers["direction"]))).sum(), wrt: images)
    expectClose(gradient, try #require(numbers["training/input_gradient"]), rtol: 1e-4, atol: 1e-4)
    let expected = numbers.filter { $0.key.hasPrefix("state/") }
    #expect(expected.count == 18)
    for entry in network.store.entries {
      guard let value = expected["state/\(entry.name)"] else { continue }
      expectClose(entry.tensor.detach(), value, rtol: 1e-5, atol: 1e-6, entry.name)
    }
  }

  @Test(arguments: ["resnet-train", "resnet-train-functional", "resnet"])
  func evaluationLeavesTheStateAlone(_ name: String) throws {
    let network = try ExportedFixture.network(name)
    let before = network.store.state.map { $0.tensor.detach().clone() }
    let images = ClosedForm.picture([3, 3, 8, 8])
    withoutGrad { _ = network.logits(images) }
    network.isTraining = true
    withoutGrad { _ = network.logits(images, statisticsMomentum: 0) }
    for ((name, tensor), old) in zip(network.store.state, before) {
      expectIdentical(tensor.detach(), old, name)
    }
  }

  @Test func anExportInEvaluationModeHasNoOther() throws {
    let network = try ExportedFixture.network("resnet")
    let images = ClosedForm.picture([3, 3, 8, 8])
    let evaluated = withoutGrad { network.logits(images) }
    network.isTraining = true
    withoutGrad { expectIdentical(network.logits(images), evaluated) }
  }

  @Test func dropoutDrawsFromTheNetworksStream() throws {
    let program = try ExportedProgram(contentsOf: ExportedFixture.url("dropout-train"))
    #expect(program.hasTrainingMode)
    let images = ClosedForm.picture([3, 3, 8, 8])
    func runs(seed: Int) throws -> [Tensor] {
      let network = try program.network(stream: RandomStream(seed: seed))
      network.isTraining = true
      return withoutGrad { (0..<2).map { _ in network.logits(images, statisticsMomentum: 0) } }
    }
    let (one, same, other) = (try runs(seed: 1), try runs(seed: 1), try runs(seed: 2))
    expectIdentical(one[0], same[0])
    expectIdentical(one[1], same[1])
    #expect((one[0] - one[1]).abs().max().item() > 0.01)
    #expect((one[0] - other[0]).abs().max().item() > 0.01)
  }

  @Test(arguments: ["resnet", "resnet-train", "resnet-core"])
  func normalisationFoldsWhileFrozen(_ name: String) throws {
    let network = try ExportedFixture.network(name)
    let images = ClosedForm.picture([3, 3, 8, 8])
    func calls() -> CallCounts { CallCounter.count { _ = network.logits(images) } }
    withoutGrad {
      let thawed = calls()
      // Six convolutions, each with a normalisation; the folded ones are made in the first pass.
      #expect(thawed[.batchNorm] == 6)
      network.frozen {
        _ = calls()
        let frozen = calls()
        #expect(frozen[.batchNorm] == 0)
        // The folded shortcut also needs no picking of pixels, two slices, for its weight's gradient.
        #expect(frozen.total == thawed.total - 6 - 2)
      }
      #expect(calls()[.batchNorm] == 6)
    }
  }

  /// A convolution does not move behind a change of its input.
  @Test func foldingKeepsTheOrderOfChanges() throws {
    let network = try ExportedFixture.network("changed-later")
    let numbers = try ExportedFixture.numbers("changed-later")
    let images = try #require(numbers["images"])
    let expected = try #require(numbers["logits"])
    withoutGrad {
      network.frozen {
        expectClose(network.logits(images), expected, rtol: 1e-4, atol: 1e-4)
        #expect(CallCounter.count { _ = network.logits(images) }[.batchNorm] == 1)
      }
    }
  }

  @Test func theWeightsReachTheirGradientsAfterFreezing() throws {
    let network = try ExportedFixture.network("resnet")
    let images = ClosedForm.picture([3, 3, 8, 8])
    network.frozen { withoutGrad { _ = network.logits(images) } }
    network.logits(images).sum().backward()
    #expect(network.store.parameters.allSatisfy { $0.grad != nil })
  }
}
