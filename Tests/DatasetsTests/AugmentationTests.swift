import Testing
import Torch

@testable import Datasets

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
    augmentation.applied(to: Tensor(pixels, shape: [count, height, width, channels]), streams)
      .contiguous().array(of: UInt8.self)
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

  @Test func aSampleIsAugmentedAlikeInEveryBatch() {
    let augmentation = Augmentation()
    let images = Tensor(pixels, shape: [count, height, width, channels])
    let whole = augmentation.applied(to: images, streams)
    let part = augmentation.applied(to: images.slice(11..<17), Array(streams[11..<17]))
    let same = whole.slice(11..<17).contiguous().array(of: UInt8.self)
    #expect(part.contiguous().array(of: UInt8.self) == same)
  }
}
