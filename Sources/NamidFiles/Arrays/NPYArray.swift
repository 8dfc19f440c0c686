import Foundation

/// An array in NumPy's format: a file written by `numpy.save`, or an entry of one by `numpy.savez`.
///
/// The head is read at once and every length in it checked against the file; the numbers are read when they are asked
/// for, all or some rows.
///
/// ```swift
/// let array = try NPYArray(URL(filePath: "labels.npy"))
/// array.shape     // [10000]
/// try array.integers()
/// ```
public struct NPYArray: Sendable {
  /// The file's path, with the entry's name where it lies in an archive.
  public let name: String
  /// Length of every axis; empty for a single number.
  public var shape: [Int] { header.shape }
  /// The type of the numbers.
  public var element: NPYElement { header.element }
  /// The number of numbers.
  public let count: Int
  private let header: NPYHeader
  private let source: Source
  /// The place of the first number.
  private let start: Int

  private enum Source: Sendable {
    case file(RandomAccessFile)
    case memory([UInt8])

    var count: Int {
      switch self {
      case .file(let file): file.count
      case .memory(let bytes): bytes.count
      }
    }

    func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
      switch self {
      case .file(let file): try file.read(range)
      case .memory(let bytes): Array(bytes[range])
      }
    }
  }

  /// Opens a file and reads its head.
  ///
  /// - Throws: `NPYError` for what is no array of numbers, `FileError` where the file cannot be read.
  public init(_ url: URL) throws {
    try self.init(.file(RandomAccessFile(url)), named: url.path)
  }

  /// Reads the head of a file's content.
  public init(_ bytes: [UInt8], named name: String) throws {
    try self.init(.memory(bytes), named: name)
  }

  private init(_ source: Source, named name: String) throws {
    let place = try NPYHeader.place(
      in: source.read(0..<min(NPYHeader.prefix, source.count)), file: name)
    guard place.upperBound <= source.count else {
      throw NPYError(file: name, reason: "it ends within its header of \(place.count) bytes")
    }
    header = try NPYHeader(String(decoding: source.read(place), as: UTF8.self), file: name)
    start = place.upperBound
    let (present, size) = (source.count - start, header.element.byteCount)
    guard let count = header.count, present == count.multipliedReportingOverflow(by: size).0,
      count <= present
    else {
      let wanted = header.count.map { "\($0) numbers of \(size) bytes each" }
      throw NPYError(
        file: name,
        reason: "it has \(present) bytes where its header says \(wanted ?? "too many numbers")")
    }
    self.count = count
    self.source = source
    self.name = name
  }

  /// The numbers of some places of the first axis: rows one after the other, in the byte order of this machine.
  ///
  /// - Parameter rows: Places of the first axis; all when nil.
  /// - Returns: `element.byteCount` bytes for every number, the last axis fastest.
  /// - Throws: `FileError` where the file cannot be read.
  public func bytes(rows: Range<Int>? = nil) throws -> [UInt8] {
    let size = element.byteCount
    let length = shape.first ?? 1
    let rows = rows ?? 0..<length
    precondition(rows.lowerBound >= 0 && rows.upperBound <= length, "rows \(rows) of \(length)")
    let row = length == 0 ? 0 : count / length * size
    var bytes: [UInt8]
    if header.isFortranOrder, shape.count > 1 {
      let all = try source.read(start..<start + count * size)
      bytes = Array(
        lastAxisFastest(all)[rows.lowerBound * row..<rows.upperBound * row])
    } else {
      bytes = try source.read(start + rows.lowerBound * row..<start + rows.upperBound * row)
    }
    if header.isBigEndian, size > 1 {
      bytes.withUnsafeMutableBufferPointer { buffer in
        for at in stride(from: 0, to: buffer.count, by: size) {
          for byte in 0..<size / 2 { buffer.swapAt(at + byte, at + size - 1 - byte) }
        }
      }
    }
    return bytes
  }

  /// Moves numbers from an order in which the first axis runs fastest.
  private func lastAxisFastest(_ columns: [UInt8]) -> [UInt8] {
    let size = element.byteCount
    // The distance in the file between neighbours of each axis.
    var strides: [Int] = []
    var distance = size
    for length in shape {
      strides.append(distance)
      distance *= max(1, length)
    }
    return [UInt8](unsafeUninitializedCapacity: columns.count) { buffer, filled in
      var index = [Int](repeating: 0, count: shape.count)
      var from = 0
      for to in stride(from: 0, to: columns.count, by: size) {
        for byte in 0..<size { buffer[to + byte] = columns[from + byte] }
        // On to the next place, the last axis fastest.
        for axis in shape.indices.reversed() {
          index[axis] += 1
          from += strides[axis]
          if index[axis] < shape[axis] { break }
          from -= index[axis] * strides[axis]
          index[axis] = 0
        }
      }
      filled = columns.count
    }
  }

  /// All numbers as float64; integers beyond 2⁵³ are rounded.
  public func doubles() throws -> [Double] { element.doubles(try bytes()) }

  /// All numbers of an array of integers; nil for other types, and where one is beyond `Int`.
  public func integers() throws -> [Int]? { element.integers(try bytes()) }

  // MARK: - Writing

  /// Writes an array of float32.
  ///
  /// - Parameters:
  ///   - values: The numbers, the last axis fastest.
  ///   - shape: Length of every axis.
  ///   - writer: The start of an empty file.
  /// - Throws: `FileError` where the disk refuses.
  public static func write(
    _ values: [Float], shape: [Int], to writer: FileWriter
  ) throws(FileError) {
    try write(values, .float32, shape, writer)
  }

  /// Writes an array of int64.
  ///
  /// - Parameters:
  ///   - values: The numbers, the last axis fastest.
  ///   - shape: Length of every axis.
  ///   - writer: The start of an empty file.
  /// - Throws: `FileError` where the disk refuses.
  public static func write(
    _ values: [Int64], shape: [Int], to writer: FileWriter
  ) throws(FileError) {
    try write(values, .int64, shape, writer)
  }

  private static func write<Number>(
    _ values: [Number], _ element: NPYElement, _ shape: [Int], _ writer: FileWriter
  ) throws(FileError) {
    let header = NPYHeader(element: element, shape: shape)
    precondition(header.count == values.count, "\(values.count) numbers for \(shape)")
    try writer.write(Data(header.bytes))
    // Every machine that this runs on has little-endian numbers, as the head says.
    try writer.write(values.withUnsafeBytes { Data($0) })
  }
}
