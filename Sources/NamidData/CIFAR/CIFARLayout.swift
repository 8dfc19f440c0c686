import Foundation

/// What the binary and the Python distribution of CIFAR-10 have in common.
enum CIFARLayout {
  static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]
  static let side = 32
  static let bytesPerImage = 3 * side * side

  /// Names of the batch files of a split, without extension.
  static func batches(of split: Split) -> [String] {
    split == .train ? (1...5).map { "data_batch_\($0)" } : ["test_batch"]
  }

  static func checkClassNames(_ found: [String], file: URL) throws {
    guard found == classNames else {
      throw DatasetError.foreign(
        file: file.path, expected: "the class names \(classNames.joined(separator: " "))",
        found: found.prefix(12).joined(separator: " "))
    }
  }

  static func checkLabel(_ label: Int, index: Int, file: URL) throws {
    guard classNames.indices.contains(label) else {
      throw DatasetError.labelOutOfRange(
        file: file.path, index: index, label: label, classes: classNames.count)
    }
  }

  /// A set from batches whose images are planes: red, green, blue.
  static func imageSet(
    split: Split, layout: String, labels: [Int], images: [ArraySlice<UInt8>]
  ) -> ImageSet {
    let total = images.reduce(0) { $0 + $1.count }
    let pixels = [UInt8](unsafeUninitializedCapacity: total) { buffer, filled in
      for batch in images {
        batch.withUnsafeBufferPointer { planes in
          for start in stride(from: 0, to: planes.count, by: bytesPerImage) {
            interleave(
              planes: UnsafeBufferPointer(rebasing: planes[start..<(start + bytesPerImage)]),
              channels: 3,
              into: UnsafeMutableBufferPointer(
                rebasing: buffer[(filled + start)..<(filled + start + bytesPerImage)]))
          }
        }
        filled += batch.count
      }
    }
    return ImageSet(
      name: "cifar10", title: "CIFAR-10", split: split, height: side, width: side, channels: 3,
      classNames: classNames, pixels: pixels, labels: labels, layout: layout)
  }
}
