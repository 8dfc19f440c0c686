import NamidAttacks
import NamidData
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidEvaluation

/// Images made on one network, judged by another.
@Suite(.serialized) struct TransferTests {
  private let data = ImageTensors(Bars.mislabelled)
  private let attack = PGD(
    threat: ThreatModel(epsilon: Fraction(1, over: 16)), steps: 5, stepSize: 0.02, start: .uniform)

  @Test func imagesAreTheSourcesStrongestAndVerdictsTheTargets() throws {
    let source = try trainedNetwork(seed: 2)
    let target = try trainedNetwork(seed: 1)
    let outcome = Evaluator(target, on: data, batchSize: 16, seed: 0, craftedOn: source)
      .run(attack, keepsImages: true)
    let images = try #require(outcome.images)
    let batch = data.batch(Array(0..<60))
    let root = RandomStream(seed: 0).keyed("evaluate").keyed(attack.name)
    let crafted = attack.run(
      on: source, images: batch.images, labels: batch.labels,
      streams: (0..<60).map { root.keyed($0) }, goal: .strongest)
    expectClose(images, crafted.images, atol: 1e-6)
    #expect((target.predictions(images) .== batch.labels).bools() == outcome.isRobust)
    #expect(outcome.isRobust != (source.predictions(images) .== batch.labels).bools())

    // Every sample gets the whole budget on the source, two forwards on the target.
    #expect(outcome.costs == Array(repeating: Cost(forwards: 2 + 7, backwards: 5), count: 60))
    let clean = Evaluator(target, on: data, seed: 0).run(NoAttack()).isRobust
    let both = zip(clean, outcome.isRobust).count { $0 && $1 }
    #expect(outcome.report.cleanRight == Share(both, of: clean.count { $0 }))
    #expect(outcome.report.cleanRight?.total == 56)
    #expect(outcome.report.refused?.count == 0)
  }

  /// A network attacked through itself is the white box with the whole budget.
  @Test func throughItself() throws {
    let network = try trainedNetwork()
    let white = Evaluator(network, on: data, seed: 0).run(attack)
    let through = Evaluator(network, on: data, seed: 0, craftedOn: network).run(attack)
    let clean = Evaluator(network, on: data, seed: 0).run(NoAttack())
    #expect(through.report.robust <= white.report.robust + 2)
    #expect(through.report.robust < clean.report.robust)
  }

  /// An image that may not be used leaves the verdict on the unattacked one.
  @Test func imagesOutsideTheBallCountForNothing() throws {
    let target = try trainedNetwork()
    let cheat = StubAttack(name: "cheat", ball: Bars.threat) { _, images, labels, streams, _ in
      AttackResult(
        images: Bars.shifted(images, labels, by: 0.4), fooled: streams.map { _ in true },
        costs: streams.map { _ in Cost(forwards: 1) })
    }
    let outcome = Evaluator(target, on: data, seed: 0, craftedOn: Bars.classifier).run(cheat)
    let clean = Evaluator(target, on: data, seed: 0).run(NoAttack())
    #expect(outcome.isRobust == clean.isRobust)
    #expect(outcome.report.refused?.norm == 60)
  }

  @Test func anEnsembleIsRunAsOne() {
    let ensemble = StubAttack(name: "whole", parts: [Bars.mover("a"), Bars.mover("b")]) {
      _, images, labels, streams, goal in
      #expect(goal == .strongest)
      return AttackResult(
        images: Bars.shifted(images, labels, by: 0.05), fooled: streams.map { _ in false },
        costs: streams.map { _ in Cost(forwards: 7) })
    }
    let outcome = Evaluator(Bars.classifier, on: data, seed: 0, craftedOn: Bars.classifier)
      .run(ensemble)
    #expect(outcome.report.members == nil)
    #expect(outcome.costs.allSatisfy { $0.forwards == 9 })
  }

  @Test func theReportNamesTheSource() throws {
    let (source, target) = (try trainedNetwork(seed: 2), try trainedNetwork(seed: 1))
    let measure = { (origin: MeasuredNetwork?) in
      try Evaluator.measure(
        EvaluationRequest("clean,pgd-5", threat: attack.threat),
        of: MeasuredNetwork(target, named: "target", checkpoint: "epoch 1"), craftedOn: origin,
        on: Bars.set, by: [NoAttack(), attack]
      ).report
    }
    let plain = try measure(nil)
    let transfer = try measure(.init(source, named: "source", checkpoint: "epoch 9"))
    #expect(plain.source == nil)
    #expect(transfer.source?.name == "source" && transfer.source?.checkpoint == "epoch 9")
    #expect(transfer.source?.fingerprint == source.fingerprint)
    #expect(transfer.model.fingerprint == target.fingerprint)
    #expect(transfer.specificationHash != plain.specificationHash)
    #expect(transfer.cleanAccuracy == plain.cleanAccuracy)
    #expect(transfer.attacks[0].robust == plain.attacks[0].robust)
    #expect(transfer.attacks[1].robust > plain.attacks[1].robust)
  }
}
