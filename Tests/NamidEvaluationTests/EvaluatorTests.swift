import NamidAttacks
import NamidData
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidEvaluation

/// What is measured depends on the network, the images, the attack and the seed, and on nothing else.
@Suite(.serialized) struct EvaluatorTests {
  private let threat = ThreatModel(epsilon: Fraction(1, over: 16))
  private let set = Bars.mislabelled

  private var attack: PGD {
    PGD(threat: threat, steps: 10, stepSize: 0.01, start: .uniform, restarts: 2)
  }

  @Test func theBatchSizeChangesNothing() throws {
    let network = try trainedNetwork()
    let data = ImageTensors(set)
    let whole = Evaluator(network, on: data, batchSize: 60, seed: 0).run(attack)
    // Otherwise there is nothing that could have changed.
    #expect(whole.report.robust > 0 && whole.report.robust < 60, "\(whole.report.robust)")
    #expect(Set(whole.costs).count > 2, "\(Set(whole.costs))")
    for size in [1, 7, 32] {
      let outcome = withOneThread {
        Evaluator(network, on: data, batchSize: size, seed: 0).run(attack)
      }
      #expect(outcome.isRobust == whole.isRobust, "batches of \(size)")
      #expect(outcome.costs == whole.costs, "batches of \(size)")
    }
  }

  @Test func theFirstImagesFareAsTheyDoAmongAll() throws {
    let network = try trainedNetwork()
    let whole = Evaluator(network, on: ImageTensors(set), seed: 0).run(attack)
    let first = Evaluator(network, on: ImageTensors(set.prefix(25)), seed: 0).run(attack)
    #expect(first.isRobust == Array(whole.isRobust[..<25]))
    #expect(first.costs == Array(whole.costs[..<25]))
    #expect(first.report.total == 25)
  }

  /// Random numbers belong to an image's index on disk, not to its place among those that are measured.
  @Test func someImagesFareAsTheyDoAmongAll() throws {
    let network = try trainedNetwork()
    let random = PGD(threat: threat, steps: 1, stepSize: 0.01, start: .uniform)
    let chosen = [4, 9, 17, 30, 59]
    let images = try [set, set.subset(indices: chosen)].map { images in
      let evaluator = Evaluator(network, on: ImageTensors(images), batchSize: 3, seed: 0)
      return try #require(evaluator.run(random, keepsImages: true).images)
    }
    let among = images[0].indexSelect(Tensor(chosen, shape: [chosen.count]))
    expectClose(images[1], among, atol: 1e-6)
  }

  @Test func theSeedDecides() throws {
    let network = try trainedNetwork()
    let images = try [0, 0, 1].map { seed in
      let evaluator = Evaluator(network, on: ImageTensors(set), seed: seed)
      return try #require(evaluator.run(attack, keepsImages: true).images).array(of: Float.self)
    }
    #expect(images[0] == images[1])
    #expect(images[0] != images[2])
  }

  @Test func countsAddUp() throws {
    let network = try trainedNetwork()
    var seen: [Evaluator.Progress] = []
    let evaluator = Evaluator(network, on: ImageTensors(set), batchSize: 25, seed: 0)
    let clean = evaluator.run(NoAttack()).report
    #expect(clean.forwards == 60 && clean.backwards == 0)
    #expect(clean.refused == nil && clean.members == nil)
    let outcome = evaluator.run(attack) { seen.append($0) }
    let report = outcome.report
    // The unattacked images first, then those that are right.
    #expect(seen.prefix(3).map(\.done) == [25, 50, 60])
    #expect(seen[2].robust == clean.robust && seen.allSatisfy { $0.count == 60 })
    #expect(seen.dropFirst(3).map(\.total) == [clean.robust, clean.robust, clean.robust])
    #expect(seen.last?.done == clean.robust && seen.last?.robust == report.robust)
    #expect(clean.robust > 50 && clean.robust < 60, "\(clean.robust)")
    #expect(report.robust == outcome.isRobust.count { $0 })
    #expect(report.forwards == outcome.costs.reduce(0) { $0 + $1.forwards })
    #expect(report.backwards == outcome.costs.reduce(0) { $0 + $1.backwards })
    #expect(report.samples?.robust == outcome.isRobust.map { $0 ? 1 : 0 })
    #expect(report.samples?.forwards == outcome.costs.map(\.forwards))
    #expect(outcome.images == nil)
    #expect(clean.robust >= report.robust)
  }

  /// An image wrong unattacked costs one forward; one that withstands costs that, the attack's own unattacked one and
  /// (steps + 1) per restart; one that is fooled costs the check of the claim besides.
  @Test func theLedgerIsWhatTheNetworkHasSeen() throws {
    let network = ObservedClassifier(try trainedNetwork())
    let outcome = Evaluator(network, on: ImageTensors(set), batchSize: 25, seed: 0).run(attack)
    #expect(network.imageCount == outcome.report.forwards)
    let withstood = Cost(forwards: 1 + 1 + 2 * 11, backwards: 2 * 10)
    let wrongClean = Cost(forwards: 1)
    let standing = outcome.costs.indices.filter { outcome.isRobust[$0] }
    #expect(!standing.isEmpty && standing.allSatisfy { outcome.costs[$0] == withstood })
    #expect(outcome.costs.contains(wrongClean))
    let fooled = outcome.costs.indices.filter {
      !outcome.isRobust[$0] && outcome.costs[$0] != wrongClean
    }
    #expect(!fooled.isEmpty)
    #expect(fooled.allSatisfy { (3...26).contains(outcome.costs[$0].forwards) })
  }

  @Test(arguments: [Norm.linf, .l2])
  func keptImagesAreAllowedAndDoWhatIsRecorded(norm: Norm) throws {
    let network = try trainedNetwork()
    let threat = ThreatModel(norm: norm, epsilon: norm == .linf ? threat.epsilon : Fraction(1))
    let attack = PGD(threat: threat, steps: 10)
    let data = ImageTensors(set)
    let outcome = Evaluator(network, on: data, seed: 0).run(attack, keepsImages: true)
    let images = try #require(outcome.images)
    #expect(images.shape == [60, 3, 12, 12])
    let values = images.array(of: Float.self)
    #expect(values.allSatisfy { (0...1).contains($0) })
    let batch = data.batch(Array(0..<60))
    let sizes = threat.size(of: images - batch.images).array(of: Float.self)
    #expect(sizes.allSatisfy { Double($0) <= threat.epsilon.value * (1 + 1e-5) })
    #expect(sizes.contains { Double($0) > threat.epsilon.value * 0.9 })
    let right = (network.predictions(images) .== batch.labels).bools()
    #expect(right == outcome.isRobust)
    #expect((1..<60).contains(outcome.report.robust), "\(outcome.report.robust)")
  }

  @Test func measuringLeavesTheNetworkAsItWas() throws {
    let network = try trainedNetwork()
    network.isTraining = true
    let before = network.fingerprint
    network.store.zeroGrad()
    _ = Evaluator(network, on: ImageTensors(set), seed: 0).run(attack)
    #expect(network.fingerprint == before)
    #expect(network.isTraining)
    #expect(network.store.parameters.allSatisfy { $0.grad == nil && $0.requiresGrad })
  }

  /// Training may have left bfloat16 on; figures are float32 all the same.
  @Test func measuringIsInFloat32() throws {
    let network = try trainedNetwork()
    let data = ImageTensors(set)
    let plain = Evaluator(network, on: data, seed: 0).run(attack, keepsImages: true)
    let within = withPrecision(.bfloat16) {
      Evaluator(network, on: data, seed: 0).run(attack, keepsImages: true)
    }
    #expect(within.images?.array(of: Float.self) == plain.images?.array(of: Float.self))
    #expect(within.isRobust == plain.isRobust)
  }

  @Test func aMeasurementHoldsEveryAttackAndCleanAccuracy() throws {
    let network = try trainedNetwork()
    var request = EvaluationRequest("pgd-10,pgd-1", threat: threat)
    request.seed = 3
    request.keepsImages = true
    let measurement = try Evaluator.measure(
      request, of: MeasuredNetwork(network, named: "a run", checkpoint: "epoch 1"), on: set,
      by: [attack, PGD(threat: threat, steps: 1)])
    let report = measurement.report
    #expect(report.attacks.map(\.name) == ["pgd-10", "pgd-1"])
    #expect(measurement.outcomes.map(\.report.name) == ["pgd-10", "pgd-1"])
    let clean = Evaluator(network, on: ImageTensors(set), seed: 3).run(NoAttack()).report
    #expect(report.cleanAccuracy == clean.robustAccuracy)
    #expect(report.dataset.split == "test" && report.dataset.count == 60)
    #expect(report.dataset.fingerprint == set.fingerprint)
    #expect(report.model.fingerprint == network.fingerprint)
    #expect(report.model.parameters == network.store.parameterCount)
    #expect(report.seed == 3)
    #expect(measurement.outcomes.allSatisfy { $0.images != nil })
  }
}
