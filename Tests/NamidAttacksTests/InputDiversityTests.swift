import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct InputDiversityTests {
  // MARK: Draws

  @Test func allSizesAndPlacesOccur() {
    let diversity = InputDiversity(probability: 1)
    var seen: Set<[Int]> = []
    for sample in 0..<2000 {
      let stream = RandomStream(seed: 1).keyed(sample)
      guard let placement = diversity.placement(height: 32, width: 32, stream: stream) else {
        Issue.record("no change at probability 1")
        return
      }
      let (vertical, horizontal) = (placement.vertical, placement.horizontal)
      #expect(vertical.size == horizontal.size && (28..<32).contains(vertical.size))
      for axis in [vertical, horizontal] {
        #expect(axis.length == 32 && axis.frame == 32)
        #expect((0...axis.frame - axis.size).contains(axis.offset))
      }
      seen.insert([vertical.size, vertical.offset, horizontal.offset])
    }
    // (1 + 1)² + (2 + 1)² + (3 + 1)² + (4 + 1)² places for 31, 30, 29 and 28 pixels.
    #expect(seen.count == 4 + 9 + 16 + 25)
  }

  @Test func changesComeAsOftenAsAsked() {
    for probability in [0, 0.3, 1] {
      let diversity = InputDiversity(probability: probability)
      let count = (0..<4000).count {
        diversity.placement(height: 32, width: 32, stream: RandomStream(seed: 2).keyed($0)) != nil
      }
      #expect(abs(Double(count) / 4000 - probability) < 0.03)
    }
  }

  @Test func sidesKeepTheirProportions() {
    let diversity = InputDiversity(probability: 1, low: 1, high: 1.25)
    for sample in 0..<100 {
      let stream = RandomStream(seed: 3).keyed(sample)
      guard let placement = diversity.placement(height: 20, width: 40, stream: stream) else {
        continue
      }
      #expect(placement.horizontal.frame == 50 && placement.vertical.frame == 25)
      #expect((40..<50).contains(placement.horizontal.size))
      #expect(abs(2 * placement.vertical.size - placement.horizontal.size) <= 1)
    }
  }

  @Test func thereIsNothingToChooseWhereSizesAreTheSame() {
    let stream = RandomStream(seed: 4)
    for (low, high, side) in [(1.0, 1.0, 32), (0.8, 0.8, 32), (0.875, 1, 1), (0.99, 1, 32)] {
      let diversity = InputDiversity(probability: 1, low: low, high: high)
      #expect(diversity.placement(height: side, width: side, stream: stream) == nil)
    }
    #expect(InputDiversity.off.placement(height: 32, width: 32, stream: stream) == nil)
  }

  // MARK: Views

  func placement(_ vertical: [Int], _ horizontal: [Int]) -> InputDiversity.Placement {
    func axis(_ n: [Int]) -> InputDiversity.Axis {
      .init(length: n[0], size: n[1], offset: n[2], frame: n[3])
    }
    return .init(vertical: axis(vertical), horizontal: axis(horizontal))
  }

  @Test func viewsAreResizedAndPaddedImages() {
    let images = ClosedForm.picture([4, 3, 8, 10])
    let placements: [InputDiversity.Placement?] = [
      nil, placement([8, 6, 1, 8], [10, 7, 3, 10]), placement([8, 9, 2, 12], [10, 11, 0, 15]),
      placement([8, 6, 1, 8], [10, 8, 0, 10]),
    ]
    let views = DiverseViews(
      [placements.reversed(), placements], height: 8, width: 10, device: .cpu)
    let labels = Tensor([0, 0, 0, 0], shape: [4])
    let view = views.view(of: Rows([0, 1, 2, 3], images: images, labels: labels), at: 1)
    #expect(view.isChanged == [false, true, true, true])
    let changed = view.images(images)
    expectIdentical(changed.select(0, 0), images.select(0, 0))
    for (sample, placement) in placements.enumerated() {
      guard let placement else { continue }
      let (v, h) = (placement.vertical, placement.horizontal)
      var expected = images.slice(sample..<sample + 1).upsampleBilinear2d([v.size, h.size]).pad([
        h.offset, h.frame - h.size - h.offset, v.offset, v.frame - v.size - v.offset,
      ])
      if v.frame != 8 { expected = expected.upsampleBilinear2d([8, 10]) }
      expectClose(changed.slice(sample..<sample + 1), expected, rtol: 1e-5, atol: 1e-6)
    }
    // Of some rows, at another step.
    let some = views.view(of: Rows([0, 3], images: images, labels: labels), at: 0)
    #expect(some.isChanged == [true, false])
    let part = images.slice(0..<1)
    expectIdentical(
      some.images(.cat([part, part])).slice(0..<1),
      view.images(.cat([images.slice(0..<3), part])).slice(3..<4).clone())
    // What goes back is the transpose: ⟨Tx, y⟩ = ⟨x, Tᵀy⟩.
    let other = ClosedForm.tensor("other", images.shape)
    expectClose(
      (changed * other).sum([1, 2, 3]), (images * view.pulledBack(other)).sum([1, 2, 3]),
      rtol: 1e-4, atol: 1e-4)
  }

  @Test func withoutChangesThereIsNoWork() {
    let images = ClosedForm.picture([2, 3, 4, 4])
    let calls = CallCounter.count {
      let view = DiverseViews([[nil, nil]], height: 4, width: 4, device: .cpu).view(
        of: Rows([0, 1], images: images, labels: .zeros([2], dtype: .int64)), at: 0)
      expectIdentical(view.images(images), images)
      expectIdentical(view.pulledBack(images), images)
    }
    #expect(calls[.matmul] == 0)
  }
}
