import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

/// Estimators for images of 64×64 pixels and 200 classes, as Tiny-ImageNet has.
@Suite(.serialized) struct LargeEstimatorTests {
  struct Facts: Decodable {
    let parameters: Int
    let state_dict: [EncoderTests.Entry]
  }

  func specification(units: Int) -> EstimatorSpecification {
    EstimatorSpecification(units: units, classCount: 200, channels: 3)
  }

  @Test func keysAndParameterCountAreThoseOfPyTorch() throws {
    let facts = try Golden.json("large_estimator", as: Facts.self)
    let estimator = Estimator(specification(units: 2048), stream: RandomStream(seed: 0))
    #expect(EncoderTests().entries(estimator.store) == facts.state_dict)
    #expect(estimator.store.parameterCount == facts.parameters)
  }

  @Test(arguments: ["eval", "train"]) func lossesAreThoseOfPyTorch(_ mode: String) throws {
    let golden = try Golden.tensors("large_estimator", dtype: .float32).below(mode)
    let estimator = Estimator(specification(units: 16), stream: RandomStream(seed: 0))
    let store = estimator.store
    ClosedForm.fill(store)
    store.isTraining = mode == "train"
    let images = ClosedForm.picture([3, 3, 64, 64])
    let logits = ClosedForm.tensor("logits", [3, 200], scale: 2)
    images.requiresGrad = true
    logits.requiresGrad = true

    let features = estimator.features(of: images)
    #expect(features.shape == [256, 3, 16])
    expectGolden(features.select(1, 0), try golden["local.first"], "local features")
    let losses = estimator.losses(features, logits: logits)
    expectGolden(losses, try golden["losses"], "losses")
    losses.mean().backward()
    expectGolden(try #require(logits.grad), try golden["grad.logits"], "gradient of the logits")
    expectGolden(
      try #require(images.grad).norm(), try golden["grad_norm.input"], "gradient of the images")
    var norms = 0
    for entry in store.entries where entry.isTrainable {
      expectGolden(
        try #require(entry.tensor.grad).norm(), try golden["grad_norm.\(entry.name)"],
        "gradient of \(entry.name)", tolerance: 2e-5)
      norms += 1
    }
    #expect(norms == golden.names.filter { $0.hasPrefix("grad_norm.") }.count - 1)
  }

  @Test func aWholeEstimatorRuns() {
    let estimator = Estimator(specification(units: 2048), stream: RandomStream(seed: 0))
    let losses = withoutGrad {
      estimator.losses(
        estimator.features(of: ClosedForm.picture([2, 3, 64, 64])),
        logits: ClosedForm.tensor("logits", [2, 200], scale: 2))
    }
    #expect(losses.shape == [2, 256])
    #expect(losses.floats().allSatisfy { $0.isFinite })
  }
}
