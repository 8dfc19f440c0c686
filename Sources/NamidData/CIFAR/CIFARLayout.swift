import Foundation

/// The common ground of the binary and the Python distribution of CIFAR-10.
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

  /// A set from batches whose images are planes: all red values, then green, then blue.
  static func imageSet(
    split: Split, layout: String, labels: [Int], images: [ArraySlice<UInt8>]
  ) -> ImageSet {
    let total = images.reduce(0) { $0 + $1.count }
    let area = side * side
    let pixels = [UInt8](unsafeUninitializedCapacity: total) { buffer, filled in
      for batch in images {
        batch.withUnsafeBufferPointer { planes in
          for start in stride(from: 0, to: planes.count, by: bytesPerImage) {
            for channel in 0..<3 {
              for place in 0..<area {
                buffer[filled + start + 3 * place + channel] =
                  planes[start + channel * area + place]
              }
            }
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

/// The binary distribution of CIFAR-10: `data_batch_1.bin` to `data_batch_5.bin`, `test_batch.bin`.
///
/// Each file is a row of records: one byte of label, then 1,024 red, 1,024 green and 1,024 blue
/// values.
enum CIFARBinary {
  static func read(_ folder: URL, split: Split, imagesPerBatch: Int) throws -> ImageSet {
    let names = folder.appendingPathComponent("batches.meta.txt")
    if Files.isFile(names) {
      let text = String(decoding: try Files.read(names, limit: 65_536), as: UTF8.self)
      try CIFARLayout.checkClassNames(
        text.split(whereSeparator: \.isNewline).map(String.init), file: names)
    }
    var labels: [Int] = []
    var pixels: [UInt8] = []
    let record = 1 + CIFARLayout.bytesPerImage
    let files = CIFARLayout.batches(of: split).map { folder.appendingPathComponent($0 + ".bin") }
    pixels.reserveCapacity(files.count * imagesPerBatch * CIFARLayout.bytesPerImage)
    for file in files {
      let expected = imagesPerBatch * record
      let bytes = [UInt8](try Files.read(file, limit: expected))
      guard bytes.count == expected else {
        throw DatasetError.truncated(file: file.path, expected: expected, found: bytes.count)
      }
      for index in 0..<imagesPerBatch {
        let start = index * record
        let label = Int(bytes[start])
        try CIFARLayout.checkLabel(label, index: index, file: file)
        labels.append(label)
        pixels += bytes[(start + 1)..<(start + record)]
      }
    }
    return CIFARLayout.imageSet(
      split: split, layout: "binary", labels: labels, images: [pixels[...]])
  }
}

/// The Python distribution of CIFAR-10: pickled dictionaries with `data` and `labels`.
///
/// The files are read by a reader that knows data and runs nothing (`PickledBatch`).
enum CIFARPython {
  static func read(_ folder: URL, split: Split, imagesPerBatch: Int) throws -> ImageSet {
    let meta = folder.appendingPathComponent("batches.meta")
    if Files.isFile(meta) {
      try CIFARLayout.checkClassNames(PickledBatch(file: meta).texts("label_names"), file: meta)
    }
    var labels: [Int] = []
    var images: [ArraySlice<UInt8>] = []
    for name in CIFARLayout.batches(of: split) {
      let file = folder.appendingPathComponent(name)
      let batch = try PickledBatch(file: file)
      let batchLabels = try batch.integers("labels")
      let data = try batch.array("data")
      guard data.shape.count == 2, data.shape[1] == CIFARLayout.bytesPerImage else {
        throw DatasetError.foreign(
          file: file.path, expected: "an array of N × \(CIFARLayout.bytesPerImage) bytes",
          found: "an array of \(data.shape.map(String.init).joined(separator: " × "))")
      }
      for (what, count) in [("data", data.shape[0]), ("labels", batchLabels.count)]
      where count != imagesPerBatch {
        throw DatasetError.wrongCount(
          what: "“\(what)” in \(file.path)", expected: imagesPerBatch, found: count)
      }
      for (index, label) in batchLabels.enumerated() {
        try CIFARLayout.checkLabel(label, index: index, file: file)
      }
      labels += batchLabels
      images.append(data.bytes[...])
    }
    return CIFARLayout.imageSet(split: split, layout: "python", labels: labels, images: images)
  }
}
