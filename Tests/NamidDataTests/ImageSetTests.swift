import NamidData
import Testing

struct ImageSetTests {
  /// Images of one gray pixel whose value is the index; `counts` images of each class in turn.
  private func set(_ counts: [Int], split: Split = .train) -> ImageSet {
    let labels = counts.enumerated().flatMap { label, count in
      [Int](repeating: label, count: count)
    }
    return ImageSet(
      name: "made-up", title: "Made up", split: split, height: 1, width: 1, channels: 1,
      classNames: counts.indices.map { "class \($0)" },
      pixels: labels.indices.map { UInt8($0 % 251) }, labels: labels, layout: "memory")
  }

  @Test func partsAreDisjointCompleteAndInOrder() throws {
    let whole = set([40, 40, 40])
    let (train, validation) = try whole.splitting(validation: 30, seed: 7)
    #expect(train.split == .train && validation.split == .validation)
    #expect(train.classCounts == [30, 30, 30] && validation.classCounts == [10, 10, 10])
    #expect((train.pixels + validation.pixels).sorted() == whole.pixels.sorted())
    #expect(Set(train.pixels).isDisjoint(with: validation.pixels))
    #expect(train.pixels == train.pixels.sorted())
    #expect(validation.pixels == validation.pixels.sorted())
  }

  @Test func unequalClassesGiveTheirShare() throws {
    // 10 of 100: shares 5.5, 3.3, 1.2; the one left over goes to the largest remainder.
    let (train, validation) = try set([55, 33, 12]).splitting(validation: 10, seed: 1)
    #expect(validation.classCounts == [6, 3, 1])
    #expect(train.classCounts == [49, 30, 11])
  }

  @Test(arguments: [1, 2, 59, 119])
  func everyCountIsExact(_ count: Int) throws {
    let (train, validation) = try set([70, 1, 49]).splitting(validation: count, seed: 3)
    #expect(validation.count == count && train.count == 120 - count)
  }

  @Test func theDrawDependsOnTheSeedAlone() throws {
    let whole = set([50, 50])
    let first = try whole.splitting(validation: 20, seed: 1).validation.pixels
    #expect(try whole.splitting(validation: 20, seed: 1).validation.pixels == first)
    #expect(try whole.splitting(validation: 20, seed: 2).validation.pixels != first)
    // Worked out apart from this code: a change of the stream would change every validation split ever drawn.
    #expect(
      try set([8, 8]).splitting(validation: 6, seed: 1).validation.pixels == [0, 1, 2, 8, 9, 14])
  }

  @Test func drawsAreUniform() throws {
    // Every image of a class of 10 is drawn 3 times in 10: 600 ± 5 standard deviations of 20.5.
    var drawn = [Int](repeating: 0, count: 10)
    let whole = set([10])
    for seed in 0..<2_000 {
      for pixel in try whole.sample(3, seed: UInt64(seed)).pixels { drawn[Int(pixel)] += 1 }
    }
    #expect(drawn.allSatisfy { abs($0 - 600) < 103 }, "\(drawn)")
  }

  @Test(arguments: [0, -1, 20, 21])
  func emptyPartsAreRefused(_ count: Int) throws {
    #expect(throws: DatasetError.badCount(set: "Made up", wanted: count, available: 20)) {
      try set([10, 10]).splitting(validation: count, seed: 0)
    }
  }

  @Test func samplesKeepTheSplit() throws {
    let sample = try set([30, 30], split: .test).sample(10, seed: 4)
    #expect(sample.split == .test && sample.classCounts == [5, 5])
    #expect(try set([3, 3]).sample(6, seed: 4).count == 6)
    datasetError(try set([3, 3]).sample(7, seed: 4))
  }

  @Test func subsetsKeepTheOrderOfTheirIndices() {
    let subset = set([3, 3]).subset(indices: [5, 0, 5])
    #expect(subset.pixels == [5, 0, 5] && subset.labels == [1, 0, 1])
    #expect(set([3, 3]).prefix(4).pixels == [0, 1, 2, 3])
    #expect(set([3, 3]).prefix(9).count == 6)
    #expect(set([3, 3]).prefix(0).count == 0)
  }

  @Test func fingerprintsTellSetsApart() throws {
    func make(_ pixels: [UInt8], _ labels: [Int], height: Int = 1, width: Int = 3) -> String {
      ImageSet(
        name: "a", title: "b", split: .train, height: height, width: width, channels: 1,
        classNames: ["x", "y"], pixels: pixels, labels: labels, layout: "c"
      ).fingerprint
    }
    let base = make([1, 2, 3, 4, 5, 6], [0, 1])
    #expect(base.count == 16)
    #expect(base == make([1, 2, 3, 4, 5, 6], [0, 1]))
    let others = [
      make([1, 2, 3, 4, 5, 7], [0, 1]), make([1, 2, 3, 4, 6, 5], [0, 1]),
      make([1, 2, 3, 4, 5, 6], [1, 0]), make([1, 2, 3, 4, 5, 6], [0, 1], height: 3, width: 1),
      make([1, 2, 3], [0]), make([0, 0, 0], [0]), make([0, 0, 0, 0, 0, 0], [0, 0]),
    ]
    #expect(Set(others + [base]).count == others.count + 1)
    // Worked out apart from this code: fingerprints stand in the specs of figures.
    #expect(base == "1528597adfdeebd1")
  }

  @Test func aSetThatDoesNotFitTogetherTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = ImageSet(
        name: "a", title: "b", split: .train, height: 2, width: 2, channels: 1,
        classNames: ["x"], pixels: [1, 2, 3], labels: [0], layout: "c")
    }
    await #expect(processExitsWith: .failure) {
      _ = ImageSet(
        name: "a", title: "b", split: .train, height: 1, width: 1, channels: 1,
        classNames: ["x"], pixels: [1], labels: [1], layout: "c")
    }
  }
}
