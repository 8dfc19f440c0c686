import NamidAttacks
import NamidData
import NamidTestSupport
import NamidTorch
import Synchronization
import Testing
@testable import NamidEvaluation

/// Members of an ensemble come one after another, each on what is left.
@Suite(.serialized) struct EnsembleTests {
  private let data = ImageTensors(Bars.set)

  private func evaluator(batchSize: Int = 16) -> Evaluator {
    Evaluator(Bars.classifier, on: data, batchSize: batchSize, seed: 0)
  }

  private var ensemble: StubAttack {
    StubAttack(
      name: "ensemble", ball: Bars.threat,
      parts: [Bars.mover("right"), Bars.mover("left", towards: 2), Bars.mover("again")])
  }

  @Test func theUnionIsWhatTheMembersLeaveTogether() throws {
    let alone = ["right", "left"].enumerated().map { place, name in
      evaluator().run(Bars.mover(name, towards: place + 1)).isRobust
    }
    let outcome = evaluator().run(ensemble)
    #expect(outcome.isRobust == zip(alone[0], alone[1]).map { $0 && $1 })
    // Otherwise the members would not be told apart.
    let counts = (alone + [outcome.isRobust]).map { $0.count { $0 } }
    #expect(counts[2] > 0 && counts[2] < counts[0] && counts[0] < 60, "\(counts)")

    let members = try #require(outcome.report.members)
    #expect(members.map(\.name) == ["right", "left", "again"])
    #expect(members.map(\.attacked) == [60, counts[0], counts[2]])
    #expect(members.map(\.robust) == [counts[0], counts[2], counts[2]])
    #expect(members.allSatisfy { $0.attacked == $0.fooled + $0.robust })
    // The unattacked image, two forwards of each member that came to it, and the check of the claim.
    let fooledBy = try #require(outcome.report.samples?.fooledBy)
    #expect(
      outcome.costs
        == fooledBy.map { member in
          let runs = member < 0 ? 3 : member + 1
          return Cost(forwards: 1 + 2 * runs + (member < 0 ? 0 : 1), backwards: runs)
        })
    #expect(fooledBy.map { $0 < 0 } == outcome.isRobust)
    #expect(Set(fooledBy) == [-1, 0, 1])
  }

  /// What is left is put into full batches anew, and comes unattacked.
  @Test func everyMemberSeesTheUnattackedImagesOfWhatIsLeft() throws {
    let seen = Mutex<[Int]>([])
    let clean = data.batch(Array(0..<60))
    let all = clean.images.array(of: Float.self)
    let each = all.count / 60
    let watcher = StubAttack(name: "watcher", ball: Bars.threat) { _, images, labels, streams, _ in
      let values = images.array(of: Float.self)
      for row in streams.indices {
        let image = values[row * each..<(row + 1) * each]
        let sample = (0..<60).first { all[$0 * each..<($0 + 1) * each].elementsEqual(image) }
        seen.withLock { $0.append(sample ?? -1) }
      }
      seen.withLock { $0.append(-streams.count - 1) }
      return AttackResult(
        images: images, fooled: streams.map { _ in false }, costs: streams.map { _ in Cost() })
    }
    let first = evaluator().run(Bars.mover("right"))
    let left = first.isRobust.indices.filter { first.isRobust[$0] }
    let ensemble = StubAttack(name: "ensemble", parts: [Bars.mover("right"), watcher])
    _ = evaluator(batchSize: 8).run(ensemble)
    let calls = seen.withLock { $0 }
    #expect(calls.filter { $0 >= 0 } == left)
    #expect(!calls.contains(-1))
    let sizes = calls.filter { $0 < -1 }.map { -$0 - 1 }
    #expect(sizes.dropLast().allSatisfy { $0 == 8 } && sizes.reduce(0, +) == left.count)
    #expect(sizes.count > 1)
  }

  /// A member gives the same images alone, and in whatever ensemble: its random numbers are keyed by its own name.
  @Test func aMemberDoesTheSameAloneAndWithin() throws {
    let attack = PGD(
      threat: Bars.threat, steps: 2, stepSize: 0.01, start: .uniform, restarts: 2)
    let alone = evaluator().run(attack, keepsImages: true)
    let within = evaluator().run(
      StubAttack(name: "other", parts: [attack, StubAttack(name: "idle")]), keepsImages: true)
    expectIdentical(try #require(within.images), try #require(alone.images))
    #expect(within.isRobust == alone.isRobust)
  }

  /// The second time, nothing is computed; the ledger of the attack is as if it had been alone.
  @Test func knownResultsAreUsedAgain() throws {
    let runs = Mutex(0)
    var counted = Bars.mover("right")
    let body = counted.body
    counted.body = { classifier, images, labels, streams, goal in
      runs.withLock { $0 += streams.count }
      return body(classifier, images, labels, streams, goal)
    }
    let session = EvaluationSession(evaluator(), keepsImages: true)
    let first = session.outcome(of: counted, save: { _, _ in }, report: { _, _ in })
    #expect(runs.withLock { $0 } == 60)
    let total = session.cost
    #expect(total == first.costs.reduce(Cost(), +))
    let ensemble = StubAttack(name: "ensemble", parts: [counted, StubAttack(name: "idle")])
    let second = session.outcome(of: ensemble, save: { _, _ in }, report: { _, _ in })
    #expect(runs.withLock { $0 } == 60)
    #expect(second.costs == first.costs)
    #expect(session.cost == total)
    expectIdentical(try #require(second.images), try #require(first.images))

    // With another setting it is another attack.
    counted.settings = ["strength": "2"]
    _ = session.outcome(of: counted, save: { _, _ in }, report: { _, _ in })
    #expect(runs.withLock { $0 } == 120)
  }

  @Test func anEnsembleOfEnsemblesIsTakenApart() {
    let inner = StubAttack(name: "inner", parts: [Bars.mover("a"), Bars.mover("b")])
    let outer = StubAttack(name: "outer", parts: [inner, Bars.mover("c")])
    #expect(outer.allMembers.map(\.name) == ["a", "b", "c"])
    #expect(Bars.mover("a").allMembers.map(\.name) == ["a"])
  }

  /// Images: what fools the network where there is such, else what the first member has tried.
  @Test func imagesOfAnEnsembleFoolWhereItSaysSo() throws {
    let outcome = evaluator().run(ensemble, keepsImages: true)
    let images = try #require(outcome.images)
    let batch = data.batch(Array(0..<60))
    let right = (Bars.classifier.predictions(images) .== batch.labels).bools()
    #expect(right == outcome.isRobust)
    let fooledBy = try #require(outcome.report.samples?.fooledBy)
    let left = Bars.shifted(batch.images, batch.labels, by: Bars.threat.epsilon.value, towards: 2)
    let ahead = Bars.shifted(batch.images, batch.labels, by: Bars.threat.epsilon.value)
    for (sample, member) in fooledBy.enumerated() {
      let expected = member == 1 ? left : ahead
      expectIdentical(
        images.slice(sample..<sample + 1), expected.slice(sample..<sample + 1), "\(sample)")
    }
  }
}
