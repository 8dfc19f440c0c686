import Foundation

/// The idx format of MNIST and Fashion-MNIST, plain or gzipped.
///
/// A header of two zero bytes, the type of the values (8 is unsigned byte, the only one read here),
/// the rank and one big-endian 32-bit size per dimension; then the values.
enum IDX {
  /// An array as it lies in a file.
  struct Content: Sendable, Equatable {
    /// The size of each dimension, slowest first.
    let shape: [Int]
    /// The values, row-major.
    let values: [UInt8]
  }

  /// Reads an array of bytes of a rank from a plain or gzipped file with at most `limit` bytes once unpacked.
  ///
  /// - Throws: `DatasetError` that names the file: truncated, too long, foreign or unreadable.
  static func read(_ file: URL, rank: Int, limit: Int = 1 << 30) throws -> Content {
    // What does not shrink grows a little when it is packed.
    let data = try Files.read(file, limit: limit + limit / 100 + 65_536)
    guard Gzip.isGzip(data) else {
      if data.count > limit {
        throw DatasetError.tooLong(file: file.path, expected: limit, found: data.count)
      }
      return try parse([UInt8](data), rank: rank, of: file.path)
    }
    let label = file.path + " (unpacked)"
    do {
      let (content, truncated) = try Gzip.inflateWhatIsThere(data, limit: limit)
      guard truncated == nil else {
        // The header, where it came out, says how much is missing; where all values came out, only
        // gzip's own last bytes are.
        _ = try parse(content, rank: rank, of: label)
        throw DatasetError.truncated(
          file: file.path, expected: data.count + 1, found: data.count)
      }
      return try parse(content, rank: rank, of: label)
    } catch let error as ImagingError {
      if error.kind == .tooLarge {
        throw DatasetError.tooLong(file: label, expected: limit, found: limit + 1)
      }
      throw DatasetError.unreadable(file: file.path, reason: error.description)
    }
  }

  private static func parse(_ bytes: [UInt8], rank: Int, of file: String) throws -> Content {
    let header = 4 + 4 * rank
    let magic: [UInt8] = [0, 0, 8, UInt8(clamping: rank)]
    // A foreign file is called foreign even where it is short.
    guard magic.starts(with: bytes.prefix(4)) else {
      throw DatasetError.foreign(
        file: file, expected: "an idx file that starts with \(hexBytes(magic))",
        found: hexBytes(bytes.prefix(4)))
    }
    guard bytes.count >= header else {
      throw DatasetError.truncated(file: file, expected: header, found: bytes.count)
    }
    var shape: [Int] = []
    var total = header
    var values = 1
    for dimension in 0..<rank {
      let size = bytes[(4 + 4 * dimension)..<(8 + 4 * dimension)].reduce(0) { $0 << 8 | Int($1) }
      let (product, overflow) = values.multipliedReportingOverflow(by: size)
      let (sum, sumOverflow) = header.addingReportingOverflow(product)
      guard !overflow, !sumOverflow else {
        throw DatasetError.foreign(
          file: file, expected: "sizes whose product is a file's length",
          found: "\(shape + [size])")
      }
      shape.append(size)
      values = product
      total = sum
    }
    guard bytes.count >= total else {
      throw DatasetError.truncated(file: file, expected: total, found: bytes.count)
    }
    guard bytes.count == total else {
      throw DatasetError.tooLong(file: file, expected: total, found: bytes.count)
    }
    return Content(shape: shape, values: Array(bytes[header...]))
  }
}
