import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct SearchTests {
  let images = Tensor([Float(0.5), 0.6, 0.7], shape: [3, 1, 1, 1])
  let labels = Tensor([0, 1, 2], shape: [3])

  /// Logits with a 1 at the predicted classes.
  func logits(_ predicted: [Int]) -> Tensor {
    Tensor(
      predicted.flatMap { label in (0..<3).map { $0 == label ? Float(1) : 0 } },
      shape: [predicted.count, 3])
  }

  /// Runs a search on a network that predicts the given classes for the unattacked images.
  func search(
    clean: [Int] = [0, 1, 2], goal: Goal = .fool, _ body: (Search) -> Void
  ) -> AttackResult {
    Search.run(
      on: ClosureClassifier(classCount: 3) { _ in logits(clean) }, images: images, labels: labels,
      streams: [], goal: goal, body: body)
  }

  /// Records iterates of some samples.
  @discardableResult
  func note(
    _ search: Search, _ values: [Float], predicted: [Int], losses: [Float], _ samples: [Int]
  ) -> [Int] {
    search.note(
      Tensor(values, shape: [values.count, 1, 1, 1]), logits: logits(predicted),
      losses: Tensor(losses, shape: [values.count]),
      of: Rows(samples, images: images, labels: labels)
    ).positions
  }

  @Test func anImageThatFoolsBeatsAnyLoss() {
    let result = search { search in
      #expect(
        note(search, [0.1, 0.2, 0.3], predicted: [0, 1, 2], losses: [2, 2, 2], [0, 1, 2]) == [
          0, 1, 2,
        ])
      // With three classes the label can lose to one rival at a smaller loss than before.
      #expect(note(search, [0.11, 0.31], predicted: [1, 2], losses: [1, 1], [0, 2]) == [1])
      #expect(search.survivors.samples == [1, 2])
    }
    #expect(result.images.floats() == [0.11, 0.2, 0.3])
    #expect(result.fooled == [true, false, false])
    #expect(result.costs.map(\.forwards) == [1, 1, 1])
  }

  @Test func theLargestLossIsKept() {
    let result = search(clean: [1, 1, 2]) { search in
      for (value, loss) in [(0.1, 1.0), (0.2, 3.0), (0.3, 2.0)] as [(Float, Float)] {
        note(search, [value, 0.9], predicted: [1, 2], losses: [loss, -loss], [1, 2])
      }
    }
    #expect(result.images.floats() == [0.5, 0.2, 0.9])
    #expect(result.fooled == [true, false, false])
  }

  @Test func theStrongestImageIsTheOneOfTheLargestLoss() {
    let result = search(clean: [1, 1, 2], goal: .strongest) { search in
      #expect(search.survivors.samples == [0, 1, 2])
      #expect(
        note(search, [0.1, 0.2, 0.3], predicted: [1, 0, 2], losses: [1, 2, 3], [0, 1, 2]) == [
          0, 1, 2,
        ])
      note(search, [0.11, 0.21, 0.31], predicted: [0, 1, 1], losses: [2, 1, 4], [0, 1, 2])
    }
    #expect(result.images.floats() == [0.11, 0.2, 0.31])
    #expect(result.fooled == [true, true, true])
  }

  @Test func aLossThatIsNoNumberIsNoImprovement() {
    let result = search { search in
      note(search, [0.1, 0.2, 0.3], predicted: [0, 1, 2], losses: [.nan, 1, .nan], [0, 1, 2])
      note(search, [0.4, 0.4, 0.4], predicted: [0, 1, 2], losses: [1, .nan, .nan], [0, 1, 2])
    }
    #expect(result.images.floats() == [0.4, 0.2, 0.7])
  }

  @Test func rowsAreThoseOfTheSamples() {
    _ = search(clean: [0, 2, 2]) { search in
      #expect(search.survivors.samples == [0, 2])
      #expect(search.survivors.images.floats() == [0.5, 0.7])
      let rows = Rows([0, 1, 2], images: images, labels: labels)
      let kept = Kept([true, false, true], device: .cpu)
      #expect(kept.positions == [0, 2] && !kept.isEmpty)
      #expect(rows.keeping(kept).images.floats() == [0.5, 0.7])
      #expect(rows.keeping(kept).labels.ints() == [0, 2])
      #expect(kept.of(["a", "b", "c"]) == ["a", "c"])
      #expect(Kept([true, true], device: .cpu).index == nil)
    }
  }

  @Test func passesAreCountedForTheirSamples() {
    let result = search { search in
      let some = Rows([0, 2], images: images, labels: labels)
      _ = search.logits(some.images, of: some, asQuery: true)
      _ = search.logits(some.images, of: some)
    }
    #expect(
      result.costs == [
        Cost(forwards: 3, queries: 1), Cost(forwards: 1), Cost(forwards: 3, queries: 1),
      ])
  }
}
