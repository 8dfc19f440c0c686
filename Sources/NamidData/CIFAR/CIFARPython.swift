import Foundation

/// The Python distribution of CIFAR-10: pickled dictionaries with `data` and `labels`.
///
/// The files are read by a reader that knows data and runs nothing (`Pickle`).
public enum CIFARPython {
  /// Reads one split.
  ///
  /// - Parameters:
  ///   - folder: The folder of the batch files.
  ///   - split: `train` or `test`.
  ///   - imagesPerBatch: How many images each file must have; 10,000 in the official files.
  /// - Returns: The images in the order of the files.
  /// - Throws: `DatasetError` that names the file.
  public static func read(
    _ folder: URL, split: Split, imagesPerBatch: Int = 10_000
  ) throws -> ImageSet {
    let meta = folder.appendingPathComponent("batches.meta")
    if Files.isFile(meta) {
      let pickle = try Pickle(file: meta)
      let names = try pickle.list(pickle.entry("label_names")).map { try pickle.text($0) }
      try CIFARLayout.checkClassNames(names, file: meta)
    }
    var labels: [Int] = []
    var images: [ArraySlice<UInt8>] = []
    for name in CIFARLayout.batches(of: split) {
      let file = folder.appendingPathComponent(name)
      let pickle = try Pickle(file: file)
      let batchLabels = try pickle.list(pickle.entry("labels")).map { try pickle.integer($0) }
      let data = try pickle.array(pickle.entry("data"))
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
      images.append(data.bytes)
    }
    return CIFARLayout.imageSet(split: split, layout: "python", labels: labels, images: images)
  }
}
