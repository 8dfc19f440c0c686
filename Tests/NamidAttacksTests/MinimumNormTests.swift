import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// The books that minimum-norm attacks keep.
@Suite(.serialized) struct MinimumNormTests {
  /// One pixel each, which is class 1 from 0.5 on; logits spread by 1 − 2x.
  let images = Tensor([Float(0.1), 0.2, 0.7], shape: [3, 1, 1, 1])
  let labels = Tensor([0, 0, 0], shape: [3])
  let threat = ThreatModel(norm: .linf, epsilon: Fraction(0.35))
  let classifier = ClosureClassifier(classCount: 2) { images in
    let lead = images.flatten(1) - 0.5
    return Tensor.cat([-lead, lead], dim: 1)
  }

  /// A search under way, to which the iterates of the samples that are right unattacked can be given.
  struct Trial {
    let search: Search
    let found: MinimumNorm

    var distances: [Float] { found.distances(of: search.survivors).floats() }

    func note(_ values: [Float]) -> [Bool] {
      let rows = search.survivors
      let current = Tensor(values, shape: [values.count, 1, 1, 1])
      return found.note(current, logits: search.logits(current, of: rows), of: rows).bools()
    }
  }

  func run(
    on network: ClosureClassifier? = nil, confidence: Double = 0, _ body: (Trial) -> Void
  ) -> AttackResult {
    Search.run(
      on: network ?? classifier, images: images, labels: labels, streams: [], goal: .fool
    ) { search in
      search.forSmallest(in: threat, confidence: confidence) {
        body(Trial(search: search, found: $0))
      }
    }
  }

  @Test func theSmallestPerturbationIsKept() {
    let result = run { trial in
      #expect(trial.search.survivors.samples == [0, 1])
      #expect(trial.distances == [.infinity, .infinity])
      #expect(trial.note([0.9, 0.4]) == [true, false])
      #expect(trial.note([0.6, 0.45]) == [true, false])
      #expect(trial.note([0.8, 0.3]) == [true, false])
      #expect(trial.distances == [0.5, .infinity])
    }
    #expect(result.images.floats() == [0.6, 0.2, 0.7])
    #expect(result.distances == [0.5, .infinity, 0])
    #expect(result.fooled == [false, false, true])
    // One forward unattacked, one for each iterate, one to confirm.
    #expect(result.costs.map(\.forwards) == [5, 4, 1])
  }

  @Test func fooledMeansWithinTheRadius() {
    let result = run { trial in _ = trial.note([0.51, 0.51]) }
    #expect(result.fooled == [false, true, true])
    expectClose(result.distances ?? [], [0.41, 0.31, 0], rtol: 1e-6)
  }

  @Test func anImageOnTheBoundaryDoesNotCount() {
    // The lead that counts is 1e-4 of the spread, here 0.8e-4 and 0.6e-4; the lead of x is 2x − 1.
    let result = run { trial in
      #expect(trial.note([0.5, 0.5]) == [false, false])
      #expect(trial.note([0.50003, 0.50002]) == [false, false])
      #expect(trial.note([0.50005, 0.50004]) == [true, true])
    }
    #expect(result.images.floats() == [0.50005, 0.50004, 0.7])
  }

  @Test func confidenceIsALead() {
    _ = run(confidence: 0.5) { trial in
      #expect(trial.note([0.74, 0.76]) == [false, true])
    }
  }

  @Test func anUnchangedImageIsNoFinding() {
    var calls = 0
    let moody = ClosureClassifier(classCount: 2) { images in
      calls += 1
      let lead = images.flatten(1) * 0 + (calls == 1 ? -1.0 : 1.0)
      return Tensor.cat([-lead, lead], dim: 1)
    }
    let result = run(on: moody) { trial in
      #expect(trial.note([0.1, 0.2, 0.7]) == [false, false, false])
      #expect(trial.note([0.1, .nan, 0.8]) == [false, false, true])
    }
    #expect(result.distances?[0] == .infinity && result.distances?[1] == .infinity)
    #expect(result.images.floats()[0...1] == [0.1, 0.2])
  }

  @Test func logitsThatAreNoNumbersCount() {
    let broken = ClosureClassifier(classCount: 2) { images in
      let lead = images.flatten(1) - 0.5
      return Tensor.cat([-lead, lead], dim: 1).maskedFill(lead.abs() .< 0.05, .nan)
    }
    let result = run(on: broken) { trial in
      #expect(trial.note([0.46, 0.4]) == [true, false])
    }
    expectClose(result.distances ?? [], [0.36, .infinity, 0], rtol: 1e-6)
  }

  @Test func whatFailsTheLastCheckGivesWayToTheOneBefore() {
    // Wrong below 0.55 only while the search lasts.
    var isChecking = false
    let fickle = ClosureClassifier(classCount: 2) { images in
      let lead = images.flatten(1) - (isChecking ? 0.55 : 0.5)
      return Tensor.cat([-lead, lead], dim: 1)
    }
    let result = run(on: fickle) { trial in
      #expect(trial.note([0.6, 0.54]) == [true, true])
      #expect(trial.note([0.52, 0.52]) == [true, true])
      isChecking = true
    }
    #expect(result.images.floats() == [0.6, 0.2, 0.7])
    #expect(result.distances == [0.5, .infinity, 0])
    #expect(result.costs.map(\.forwards) == [5, 5, 1])
  }

  @Test func ratesFollowACosine() {
    func rate(_ step: Int) -> Double { MinimumNorm.cosine(from: 1, to: 0.2, at: step, of: 10) }
    expectClose([rate(0), rate(5), rate(10)], [1, 0.6, 0.2], rtol: 1e-12)
    expectClose(rate(2) + rate(8), 1.2, rtol: 1e-12)
    #expect(rate(1) > 0.97)
  }
}
