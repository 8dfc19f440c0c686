import NamidTorch
import Testing
@testable import NamidData

/// Crops and flips against one pixel at a time.
@Suite(.serialized) struct AugmentationTests {
  private let count = 40
  private let height = 5
  private let width = 7
  private let channels = 3
  private var streams: [RandomStream] { (0..<count).map { RandomStream(seed: 3).keyed($0) } }

  private var pixels: [UInt8] {
    (0..<(count * height * width * channels)).map { UInt8(truncatingIfNeeded: 1 + $0 * 37 % 255) }
  }

  private func applied(_ augmentation: Augmentation) -> [UInt8] {
    let changes = streams.map { augmentation.change(of: (height, width, channels), $0) }
    return augmentation.applied(
      to: Tensor(pixels, shape: [count, height, width, channels]),
      offsets: Tensor(changes.map(\.offset), shape: [count]),
      mirrored: Tensor(changes.map { $0.isMirrored ? 1 : 0 }, shape: [count])
    ).contiguous().array(of: UInt8.self)
  }

  /// What each sample's stream says: how far up and left the crop begins, and whether it is mirrored.
  private func expected(_ augmentation: Augmentation) -> [UInt8] {
    let (pixels, p) = (pixels, augmentation.cropPadding)
    var result: [UInt8] = []
    for (i, stream) in streams.enumerated() {
      var stream = stream
      let top = stream.integer(below: 2 * p + 1) - p
      let left = stream.integer(below: 2 * p + 1) - p
      let mirrored = augmentation.flip && stream.integer(below: 2) == 1
      for y in 0..<height {
        for x in 0..<width {
          let (row, column) = (top + y, left + (mirrored ? width - 1 - x : x))
          let isInside = (0..<height).contains(row) && (0..<width).contains(column)
          for c in 0..<channels {
            let place = ((i * height + row) * width + column) * channels + c
            result.append(isInside ? pixels[place] : 0)
          }
        }
      }
    }
    return result
  }

  @Test(arguments: [
    Augmentation(), Augmentation(cropPadding: 2, flip: false), Augmentation(cropPadding: 0),
    Augmentation(cropPadding: 6),
  ])
  func cropsAndFlipsAreThoseOfEachSamplesStream(augmentation: Augmentation) {
    #expect(applied(augmentation) == expected(augmentation))
  }

  @Test func allPlacesAndBothSidesOccur() {
    var seen: Set<[Int]> = []
    for stream in (0..<2000).map({ RandomStream(seed: 1).keyed($0) }) {
      var stream = stream
      seen.insert([
        stream.integer(below: 9), stream.integer(below: 9), stream.integer(below: 2),
      ])
    }
    #expect(seen.count == 9 * 9 * 2)
  }

  private func batches(_ size: Int, dropLast: Bool = false) -> EpochBatches {
    let set = ImageSet(
      name: "pixels", title: "Pixels", split: .train, height: height, width: width,
      channels: channels, classNames: ["one", "other"], pixels: pixels,
      labels: (0..<count).map { $0 % 2 }, layout: "memory")
    let root = RandomStream(seed: 3)
    return EpochBatches(
      of: ImageTensors(set), size: size, order: root.keyed("order"), dropLast: dropLast,
      augmentation: Augmentation(), stream: root)
  }

  @Test func aSampleIsAugmentedAlikeInEveryBatch() {
    let shape = [count, height, width, channels]
    let expected =
      Tensor(expected(Augmentation()), shape: shape).permute([0, 3, 1, 2])
      .to(.float32) / 255.0
    for size in [1, 7, 40, 64] {
      let batches = batches(size)
      #expect(batches.count == (count + size - 1) / size)
      var seen: [Int] = []
      for number in 0..<batches.count {
        let batch = batches[number]
        let places = Tensor(batch.indices, shape: [batch.indices.count])
        let isSame = (batch.images .== expected.indexSelect(places)).all().bools()
        #expect(isSame == [true])
        #expect(batch.labels.ints() == batch.indices.map { $0 % 2 })
        seen += batch.indices
      }
      #expect(seen == RandomStream(seed: 3).keyed("order").permutation(count))
    }
  }

  @Test func aSmallerLastBatchIsLeftOutWhereThatIsWanted() {
    let (all, whole) = (batches(7), batches(7, dropLast: true))
    #expect(all.count == 6 && whole.count == 5)
    #expect(all.range(5) == 35..<40)
    for number in 0..<5 { #expect(whole[number].indices == all[number].indices) }
  }

  @Test func streamsFollowTheOrderOfTheEpoch() {
    let (batches, root) = (batches(7), RandomStream(seed: 9))
    let streams = batches.streams(root)
    for number in 0..<batches.count {
      #expect(
        streams.streams(batches.range(number)).keyed("start").each
          == batches[number].indices.map { root.keyed($0).keyed("start") })
    }
  }
}
