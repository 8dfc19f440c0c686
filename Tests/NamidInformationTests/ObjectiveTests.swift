import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

@Suite(.serialized) struct ObjectiveTests {
  struct Facts: Decodable {
    let selections: [String: [Int]]
    let partitions: [String: [String: [Int]]]
  }

  /// A selection whose samples are flipped, robust or neither (wrong already unattacked).
  func selection(flipped: [Int], robust: [Int]) -> Selection {
    let right: [Float] = [1, 0]
    let wrong: [Float] = [0, 1]
    let natural = zip(flipped, robust).flatMap { $0 + $1 > 0 ? right : wrong }
    let adversarial = robust.flatMap { $0 > 0 ? right : wrong }
    let shape = [flipped.count, 2]
    return Selection(
      natural: Tensor(natural, shape: shape), adversarial: Tensor(adversarial, shape: shape),
      labels: .zeros([flipped.count], dtype: .int64))
  }

  /// The objective of both estimators; nil where no sample takes part.
  func values(
    _ objective: EstimatorObjective, _ features: Features, _ selection: Selection
  ) throws -> [(name: String, value: Tensor?)] {
    let losses = try ["natural", "adversarial"].map { estimator in
      let ofNatural = try features.losses("\(estimator).of_natural")
      let ofAdversarial = try features.losses("\(estimator).of_adversarial")
      return EstimatorLosses(natural: ofNatural, adversarial: ofAdversarial)
    }
    return [
      ("natural", objective.naturalLoss(losses[0], selection)),
      ("adversarial", objective.adversarialLoss(losses[1], selection)),
    ]
  }

  @Test(arguments: [DType.float32, .float64]) func eq4TakesTheWholeBatch(_ dtype: DType) throws {
    for entries in try Golden.json("mutual_information", as: Facts.self).selections.values {
      let features = try Features(dtype)
      let chosen = selection(flipped: entries, robust: [0, 0, 0, 0])
      for (name, value) in try values(.eq4, features, chosen) {
        try features.expect(try #require(value), is: "eq4/\(name).all")
      }
    }
  }

  @Test(arguments: [DType.float32, .float64])
  func eq5LowersOnlyInformationAboveZero(_ dtype: DType) throws {
    let selections = try Golden.json("mutual_information", as: Facts.self).selections
    #expect(selections.count == 5)
    for (selected, entries) in selections {
      let features = try Features(dtype)
      let chosen = selection(flipped: entries, robust: [0, 0, 0, 0])
      for (name, value) in try values(.eq5, features, chosen) {
        if selected == "none" {
          #expect(value == nil)
        } else {
          try features.expect(
            try #require(value), is: "eq5.floor_per_sample/\(name).\(selected)")
        }
      }
    }
  }

  @Test(arguments: [DType.float32, .float64]) func cosineIsTheAuthors(_ dtype: DType) throws {
    let partitions = try Golden.json("mutual_information", as: Facts.self).partitions
    #expect(partitions.count == 5)
    for (partition, sets) in partitions {
      let features = try Features(dtype)
      let chosen = selection(
        flipped: try #require(sets["wrong"]), robust: try #require(sets["robust"]))
      for (name, value) in try values(.cosine, features, chosen) {
        try features.expect(try #require(value), is: "cosine/\(name).\(partition)")
      }
    }
  }

  @Test func batchCosineIsTheIndependentOne() {
    // Samples 0, 2 and 3 of the natural and the adversarial losses.
    let natural = Tensor([-1, -0.5, -3], shape: [3, 1])
    let adversarial = Tensor([-0.4, -1.5, -0.1], shape: [3, 1])
    expectClose(
      CosineForm.batch.similarity(natural, adversarial).item(), 0.2911376596518682, rtol: 1e-12)
    expectClose(
      CosineForm.batch.loss(natural, adversarial).item(), 0.7088623403481318, rtol: 1e-12)
  }

  @Test func cosinesCompareWhatTheyName() {
    let a = Tensor([1.0, 0, 2, 2], shape: [2, 2])
    let b = Tensor([0.0, 3, 1, 1], shape: [2, 2])
    // Per position: cosines 0 and 1. Of batch vectors (0.5, 2) and (1.5, 1).
    expectClose(CosineForm.perPosition.similarity(a, b).item(), 0.5)
    expectClose(CosineForm.perPosition.loss(a, b).item(), 0.5)
    expectClose(
      CosineForm.batch.similarity(a, b).item(), 2.75 / (4.25.squareRoot() * 3.25.squareRoot()))
    for form in CosineForm.allCases {
      expectClose(form.loss(a, a).item(), 0, rtol: 0, atol: 1e-12)
      expectClose(form.loss(a, -a).item(), 2)
      #expect(form.similarity(a, a.zerosLike()).item() == 0)
    }
  }

  @Test func oneSampleHasABatchCosineWithoutAGradient() {
    let a = Tensor([0.3, 0.9], shape: [1, 2])
    a.requiresGrad = true
    let b = Tensor([-0.2, 0.7], shape: [1, 2])
    let loss = CosineForm.batch.loss(a, b)
    expectClose(loss.item(), 0, rtol: 0, atol: 1e-12)
    expectClose(grad(of: loss, wrt: a).doubles, [0, 0], rtol: 0, atol: 1e-12)
    expectClose(CosineForm.batch.loss(a, -b).item(), 2)
  }
}
