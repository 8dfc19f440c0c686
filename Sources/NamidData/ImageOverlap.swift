import Foundation
import NamidTerminal

/// The images of one set that are in another, too, pixel by pixel.
///
/// A figure on images that were trained on says nothing about new ones.
public struct ImageOverlap: Sendable, Equatable {
  /// The number of images that were looked for.
  public let count: Int
  /// The places of those that were found, in the order of their set.
  public let places: [Int]
  /// The place in the other set of the first of them.
  public let firstOther: Int?

  /// Looks for the images of a set in another; labels do not count.
  public init(of images: ImageSet, with others: ImageSet) {
    count = images.count
    guard
      (images.height, images.width, images.channels)
        == (others.height, others.width, others.channels)
    else {
      (places, firstOther) = ([], nil)
      return
    }
    let known = Dictionary(
      zip(others.imageFingerprints, 0...), uniquingKeysWith: { first, _ in first })
    let found = images.imageFingerprints.enumerated().compactMap { index, print in
      known[print].map { (index: index, other: $0) }
    }
    places = found.map(\.index)
    firstOther = found.first?.other
  }

  init(count: Int, places: [Int], firstOther: Int?) {
    self.count = count
    self.places = places
    self.firstOther = firstOther
  }

  /// Refuses images that are all training images; of a part, says how large it is.
  ///
  /// - Parameters:
  ///   - name: The set's name.
  ///   - split: The split of the images that were looked for.
  ///   - say: Takes one line of news at a time.
  /// - Throws: `DatasetError.sameImages` where all were found.
  public func check(_ name: String, _ split: Split, say: (String) -> Void) throws {
    guard let first = places.first, let firstOther else { return }
    guard places.count < count else {
      throw DatasetError.sameImages(name: name, split: split, count: count)
    }
    let share = String(format: "%.1f", 100 * Double(places.count) / Double(count))
    say(
      "\(name): \(thousands(places.count)) of \(thousands(count)) \(split.rawValue) images "
        + "(\(share) %) are training images, too (image \(first) is training "
        + "image \(firstOther), counted from 0): they make figures look better than they are")
  }
}

extension ImageSet {
  /// A hash of each image's pixels, in the order of the set.
  var imageFingerprints: [UInt64] {
    pixels.withUnsafeBytes { all in
      labels.indices.map { index in
        var hash = Fingerprint()
        hash.add(
          UnsafeRawBufferPointer(
            rebasing: all[index * bytesPerImage..<(index + 1) * bytesPerImage]))
        return hash.value
      }
    }
  }
}
