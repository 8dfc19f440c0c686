import NamidAttacks
import NamidData
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidEvaluation

/// Figures with all that belongs to them, and what they are refused for.
@Suite(.serialized) struct RobustnessMeasurementTests {
  private let threat = ThreatModel(epsilon: Fraction(1, over: 16))

  private func measure(
    _ network: Network, on set: ImageSet = Bars.set, threat: ThreatModel? = nil,
    attacks: [any Attack] = [NoAttack()], place: EvaluationState.Place? = nil
  ) throws -> RobustnessMeasurement {
    var request = EvaluationRequest("", threat: threat ?? self.threat)
    request.seed = 3
    return try Evaluator.measure(
      request, of: MeasuredNetwork(network, named: "a run", checkpoint: "epoch 1"), on: set,
      by: attacks, EvaluationConduct(keepingStateIn: place))
  }

  @Test func theWorstCaseIsTheUnionOfAllThatWereListed() throws {
    let network = try trainedNetwork()
    let one = PGD(threat: threat, steps: 1)
    let ten = PGD(threat: threat, steps: 10, stepSize: 0.01, start: .uniform)
    let measurement = try measure(network, attacks: [NoAttack(), one, ten])
    let worst = try #require(measurement.report.worstCase)
    #expect(worst.attacks == ["pgd-1", "pgd-10"])
    let both = zip(measurement.outcomes[1].isRobust, measurement.outcomes[2].isRobust)
    #expect(worst.share == Share(both.count { $0 && $1 }, of: 60))
    #expect(measurement.report.attacks.dropFirst().allSatisfy { worst.share.robust <= $0.robust })
    #expect(worst.share.robust < measurement.report.attacks[0].robust)
    #expect(try measure(network, attacks: [NoAttack(), ten]).report.worstCase == nil)
  }

  @Test func theTotalCountsEveryPassOnce() throws {
    let ten = PGD(threat: threat, steps: 10)
    let report = try measure(trainedNetwork(), attacks: [NoAttack(), ten, ten]).report
    let attack = report.attacks[1]
    #expect(report.attacks[2].forwards == attack.forwards)
    #expect(report.cost?.forwards == attack.forwards)
    #expect(report.cost?.backwards == attack.backwards)
  }

  @Test func samplesAreNamed() throws {
    let set = Bars.set.subset(indices: [4, 9, 17, 30])
    let network = try trainedNetwork()
    let report = try measure(network, on: set, attacks: [PGD(threat: threat, steps: 3)]).report
    #expect(report.samples?.index == [4, 9, 17, 30])
    #expect(report.samples?.label == set.labels)
    let clean = Evaluator(network, on: ImageTensors(set), seed: 0).run(NoAttack())
    #expect(report.samples?.clean == clean.isRobust.map { $0 ? 1 : 0 })
    #expect(report.attacks[0].samples?.robust.count == 4)
  }

  @Test func aFallbackIsNamed() throws {
    let odd = StubAttack(name: "odd", fallbackText: "one target")
    let report = try measure(trainedNetwork(), attacks: [NoAttack(), odd]).report
    #expect(report.attacks.map(\.fallback) == [nil, "one target"])
    #expect(report.flags?.map(\.name) == [.fewClasses])
    #expect(try measure(trainedNetwork()).report.flags == [])
  }

  /// The folder of the state has the name that the report's digest will be.
  @Test func theStateHasTheReportsDigest() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let parts = [PGD(threat: threat, steps: 1), PGD(threat: threat, steps: 2)]
    let ensemble = StubAttack(name: "ensemble", settings: ["a": "b"], parts: parts)
    let measurement = try measure(
      trainedNetwork(), attacks: [NoAttack(), parts[0], ensemble], place: .run(root))
    let name = try #require(measurement.state?.folder.lastPathComponent)
    #expect(name == "\(measurement.report.specificationHash).state")
  }

  // MARK: What cannot be measured

  @Test func anEmptySetIsRefused() throws {
    let network = try trainedNetwork()
    #expect(throws: EvaluationError.noImages) {
      try measure(network, on: Bars.set.subset(indices: []))
    }
  }

  @Test func oneImageIsEnough() throws {
    let set = Bars.set.subset(indices: [7])
    let attack = PGD(threat: threat, steps: 3)
    let report = try measure(trainedNetwork(), on: set, attacks: [NoAttack(), attack]).report
    #expect(report.attacks.map(\.total) == [1, 1])
    #expect(report.flags == [])
  }

  @Test(arguments: [
    (Norm.linf, -0.1, false), (.linf, 0, true), (.linf, 1, true), (.linf, 1.01, false),
    (.l2, 1.01, true), (.l2, 20.7, true), (.l2, 20.8, false),
    (.l1, 432, true), (.l1, 433, false), (.l1, -1, false),
  ])
  func radii(norm: Norm, epsilon: Double, isAllowed: Bool) throws {
    let threat = ThreatModel(norm: norm, epsilon: Fraction(epsilon))
    // Images of 3 × 12 × 12 differ by at most 1, √432 = 20.78…, 432.
    if isAllowed {
      try threat.checkRadius(valuesPerImage: 432)
      return
    }
    let error = #expect(throws: EvaluationError.self) {
      try measure(trainedNetwork(), threat: threat)
    }
    let said = epsilon < 0 ? "must not be negative" : "differ by at most"
    #expect(error?.description.contains(said) == true, "\(error?.description ?? "")")
  }

  @Test func weightsThatAreNotNumbersAreRefused() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let network = try trainedNetwork()
    let entry = try #require(network.store.entries.first)
    withoutGrad { _ = entry.tensor.detach().fill_(Double.nan) }
    let error = #expect(throws: EvaluationError.self) {
      try measure(network, place: .run(root))
    }
    #expect(error == .weightsNotFinite(names: [entry.name]))
    #expect(error?.description.contains("the network's weights contain NaN") == true)
    #expect(try sortedNames(in: root) == [])
  }

  @Test func logitsThatAreNotNumbersAreRefused() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let network = try trainedNetwork()
    for entry in network.store.entries where entry.isTrainable {
      withoutGrad { _ = entry.tensor.detach().fill_(1e38) }
    }
    let error = #expect(throws: EvaluationError.self) {
      try measure(network, place: .run(root))
    }
    #expect(error == .logitsNotFinite(count: 60, total: 60))
    #expect(try sortedNames(in: root) == [])
  }
}
