import Foundation

/// The binary distribution of CIFAR-10: `data_batch_1.bin` to `data_batch_5.bin`, `test_batch.bin`.
///
/// Each file is a row of records: one byte of label, then 1,024 red, 1,024 green and 1,024 blue
/// values.
public enum CIFARBinary {
  /// Reads one split.
  ///
  /// - Parameters:
  ///   - folder: The folder of the batch files.
  ///   - split: `train` or `test`.
  ///   - imagesPerBatch: How many records each file must have; 10,000 in the official files.
  /// - Returns: The images in the order of the files.
  /// - Throws: `DatasetError` that names the file.
  public static func read(
    _ folder: URL, split: Split, imagesPerBatch: Int = 10_000
  ) throws -> ImageSet {
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
