import Foundation
import NamidAttacks
import NamidNetworks
import NamidSettings
import NamidTorch
import NamidTraining
import Testing

@testable import NamidReproduction

@Suite struct ReproduceCostTests {
  private let network = NetworkSpecification(architecture: "resnet18", width: 16)

  private func costs() -> CostTable {
    var table = CostTable()
    for (precision, factor) in [(Precision.bfloat16, 1.0), (.float32, 2)] {
      table.networks[NetworkKey(network: network, precision: precision)] = NetworkCosts(
        forward: 1e-4 * factor, gradient: 3e-4 * factor, update: 6e-4 * factor, parameters: 1000)
    }
    table.features[FeatureKey(units: 512, channels: 3, height: 32, width: 32)] = FeatureCosts(
      seconds: 5e-4, parameters: 300)
    return table
  }

  @Test func passesTimesCostsAreSeconds() throws {
    let work = Workload(
      network: network, batchSize: 128,
      items: [
        .init(
          images: 1000,
          passes: PassCount(forwards: 2, gradients: 10, updates: 1, features: 4, seconds: 1e-4),
          precision: .bfloat16),
        .init(images: 50, passes: PassCount(gradients: 1), precision: .float32),
      ], units: 512, savedCopies: 6)
    let estimate = try #require(costs().estimate(work))
    // 1000 · (0.2 + 3 + 0.6 + 2 + 0.1) ms + 50 · 0.6 ms, and the start.
    #expect(abs(estimate.seconds - (CostTable.startSeconds + 5.9 + 0.03)) < 1e-9)
    #expect(estimate.disk == 24000.0)
    var unknown = work
    unknown.network.width = 17
    #expect(costs().estimate(unknown) == nil)
    unknown = work
    unknown.units = 64
    #expect(costs().estimate(unknown) == nil)
    var estimators = work
    estimators.trainsEstimators = true
    #expect(costs().estimate(estimators)?.disk == 7200.0)
    var larger = work
    larger.batchSize *= 2
    #expect((costs().estimate(larger)?.memory ?? 0) > estimate.memory)
  }

  @Test func passesAreThoseOfAttacksAndDefenses() throws {
    let threat = ThreatModel(epsilon: Fraction(8, over: 255))
    func passes(_ text: String) throws -> PassCount {
      .attack(try #require(try AttackList.parse(text, threat: threat).first))
    }
    #expect(try passes("clean") == PassCount(forwards: 1))
    let share = 1.0 / 3 + 2.0 / 15
    #expect(abs(try passes("pgd-40").gradients - 40 * share) < 1e-12)
    #expect(abs(try passes("pgd-10:restarts=3").gradients - 30 * share) < 1e-12)
    let whole = try passes("autoattack")
    let parts = try ["apgd-ce", "apgd-t", "fab-t", "square"].map(passes)
    #expect(abs(whole.gradients - parts.reduce(0) { $0 + $1.gradients }) < 1e-9)
    #expect(abs(whole.forwards - parts.reduce(0) { $0 + $1.forwards }) < 1e-9)
    #expect(try passes("fwa-40").seconds > 0)
    var configuration = RunConfiguration()
    #expect(
      PassCount.training(configuration, catalog: .standard) == PassCount(gradients: 10, updates: 1))
    configuration.defense = .natural
    #expect(PassCount.training(configuration, catalog: .standard) == PassCount(updates: 1))
    var last = 0.0
    // In the order of what they have been measured to cost.
    for defense in [.standard, .mart, .namid, .trades, .namidT] as [DefenseNameOfTests] {
      configuration.defense = .init(rawValue: defense.rawValue)
      let work = Workload(
        network: network, batchSize: 1,
        items: [
          .init(
            images: 1e4, passes: .training(configuration, catalog: .standard), precision: .bfloat16)
        ],
        units: 512)
      var cheap = costs()
      cheap.features[FeatureKey(units: 512, channels: 3, height: 32, width: 32)]?.seconds = 1e-5
      let seconds = try #require(cheap.estimate(work)).seconds
      #expect(seconds > last, "\(defense)")
      last = seconds
    }
    var estimators = EstimatorConfiguration()
    #expect(PassCount.estimators(estimators).features == 6)
    estimators.kind = .standard
    #expect(PassCount.estimators(estimators).features == 3)
  }

  private enum DefenseNameOfTests: String {
    case standard, mart, namid, trades
    case namidT = "namid-t"
  }

  @Test func theClockLearnsFromFinishedSteps() {
    var clock = ProgressClock(["a": 10, "b": 20, "c": 30])
    #expect(clock.remaining == 60 && clock.seconds(of: "c") == 30 && clock.seconds(of: "z") == nil)
    clock.end("a", seconds: 20)
    #expect(clock.remaining == 100 && clock.seconds(of: "c") == 60)
    // What was not carried out teaches nothing.
    clock.end("b", seconds: nil)
    #expect(clock.remaining == 60 && clock.factor == 2)
    clock.end("z", seconds: 5)
    clock.end("c", seconds: 30)
    #expect(clock.remaining == 0)
  }

  /// Real passes through a small network: all costs are there and positive.
  @Test func aCalibrationMeasuresAllThatIsAskedFor() throws {
    let small = NetworkSpecification(architecture: "small-cnn", width: 2, imageHeight: 12)
    let work = Workload(
      network: small, batchSize: 8,
      items: [
        .init(images: 1, passes: PassCount(), precision: .float32),
        .init(images: 1, passes: PassCount(), precision: .bfloat16),
      ], units: 4)
    let table = try Calibration(architectures: Catalog.standard.architectures).measure([work, work])
    #expect(table.networks.count == 2 && table.features.count == 1)
    for costs in table.networks.values {
      #expect(costs.forward > 0 && costs.gradient > 0 && costs.update > 0)
      #expect(costs.parameters > 0)
    }
    #expect(table.estimate(work) != nil)
  }
}
