import CNamidZlib
import Foundation

/// A zip archive that cannot be read, or must not be.
public struct ZipError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The archive's path.
  public let file: String
  /// The fault, as the end of a sentence that begins with the file's name.
  public let reason: String

  /// A sentence on the fault.
  public var description: String { "\(file) cannot be read as a zip archive: \(reason)" }
}

/// The entries of a zip archive, each of which is read when it is asked for (PKWARE's APPNOTE 6.3).
///
/// Stored and deflated entries and zip64 are read. The whole directory is checked first: names that are used twice,
/// that are absolute or lead out of a folder, entries that share bytes, that reach beyond the file or would become
/// more than `largestRatio` times as long as the archive, and encrypted ones are refused. Checksums are compared.
public struct ZipArchive: Sendable {
  /// A file inside the archive.
  public struct Entry: Sendable, Equatable {
    /// Its name, with folders separated by `/`.
    public let name: String
    /// Its length in bytes.
    public let count: Int
    /// True where it is compressed.
    let isDeflated: Bool
    /// The CRC-32 of its content, which is compared when it is read.
    public let checksum: UInt32
    /// The place of its local header.
    let header: Int
    /// The length of its bytes in the archive.
    let storedCount: Int
  }

  /// All contents together may be at most so many times as long as the archive, or `alwaysAllowed` bytes.
  public static let largestRatio = 64
  /// The bytes that any archive may hold; a small file of zeros compresses well.
  public static let alwaysAllowed = 64 << 20
  /// The most entries of an archive.
  static let mostEntries = 1 << 20

  /// The archive's path.
  public var path: String { file.path }
  /// The files inside, in the order of the directory; folders are left out.
  public let entries: [Entry]
  private let indices: [String: Int]
  private let file: RandomAccessFile
  /// The place where the bytes of the last entry must have ended.
  private let directoryStart: Int

  /// True for a file that begins as zip archives do.
  public static func isZip(_ file: RandomAccessFile) throws(FileError) -> Bool {
    guard file.count >= 22 else { return false }
    return [[0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6]].contains(try file.read(0..<4))
  }

  /// Reads and checks the directory of an archive.
  public init(_ url: URL) throws {
    try self.init(RandomAccessFile(url))
  }

  /// Reads and checks the directory of an open archive.
  public init(_ file: RandomAccessFile) throws {
    self.file = file
    var directory = try ZipDirectory(file)
    directoryStart = directory.range.lowerBound
    entries = try directory.readEntries()
    var indices: [String: Int] = [:]
    for (index, entry) in entries.enumerated() {
      guard indices.updateValue(index, forKey: entry.name) == nil else {
        throw directory.error("it holds \(quotedForPeople(entry.name)) twice")
      }
    }
    self.indices = indices
  }

  /// The entry of a name, or nil.
  public subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

  /// The whole content of an entry.
  ///
  /// - Parameters:
  ///   - entry: An entry of this archive.
  ///   - limit: The most bytes that it can have.
  /// - Returns: Its bytes, inflated.
  /// - Throws: `ZipError` for a longer or damaged entry, `FileError` where the file cannot be read.
  public func content(of entry: Entry, limit: Int = .max) throws -> [UInt8] {
    guard entry.count <= limit else {
      throw error(entry, "has \(entry.count) bytes; at most \(limit) can be meant")
    }
    let place = try place(of: entry)
    let bytes: [UInt8]
    if entry.isDeflated {
      let stored = try file.read(place)
      var isWhole = false
      bytes = [UInt8](unsafeUninitializedCapacity: entry.count) { buffer, filled in
        isWhole =
          namid_inflate_raw(stored, stored.count, buffer.baseAddress, entry.count) == 1
        filled = isWhole ? entry.count : 0
      }
      guard isWhole else {
        throw error(entry, "is damaged: it does not inflate to \(entry.count) bytes")
      }
    } else {
      bytes = try file.read(place)
    }
    guard namid_crc32(0, bytes, bytes.count) == entry.checksum else {
      throw error(entry, "is damaged: its checksum does not fit")
    }
    return bytes
  }

  /// The place of an entry's bytes in the file, behind its local header.
  private func place(of entry: Entry) throws -> Range<Int> {
    guard entry.header + 30 <= directoryStart else {
      throw error(entry, "has no header where the directory says")
    }
    let header = try file.read(entry.header..<entry.header + 30)
    let name = header.number(26, 2)
    let start = entry.header + 30 + name + header.number(28, 2)
    guard header.number(0, 4) == 0x0403_4B50, start + entry.storedCount <= directoryStart,
      try file.read(entry.header + 30..<entry.header + 30 + name) == Array(entry.name.utf8)
    else { throw error(entry, "has no header where the directory says") }
    return start..<start + entry.storedCount
  }

  private func error(_ entry: Entry, _ problem: String) -> ZipError {
    ZipError(file: path, reason: "its entry \(quotedForPeople(entry.name)) \(problem)")
  }
}

/// The central directory of an archive.
private struct ZipDirectory {
  let file: RandomAccessFile
  /// The place of the directory in the file.
  private(set) var range = 0..<0
  private var count = 0

  /// Finds the directory by the record at the end of the file.
  init(_ file: RandomAccessFile) throws {
    self.file = file
    let tail = try file.read(max(0, file.count - 65_557)..<file.count)
    let marked = { (at: Int) in
      tail[at] == 0x50 && tail.number(at, 4) == 0x0605_4B50
        && at + 22 + tail.number(at + 20, 2) == tail.count
    }
    guard tail.count >= 22,
      let at = stride(from: tail.count - 22, through: 0, by: -1).first(where: marked)
    else { throw error("it has no directory at its end; it is cut off or of another kind") }
    count = tail.number(at + 10, 2)
    var (size, start) = (tail.number(at + 12, 4), tail.number(at + 16, 4))
    var end = file.count - tail.count + at
    if end >= 20, case let locator = try file.read(end - 20..<end),
      locator.number(0, 4) == 0x0706_4B50
    {
      end = locator.number(8, 8)
      guard end >= 0, end <= file.count - 76, case let record = try file.read(end..<end + 56),
        record.number(0, 4) == 0x0606_4B50
      else { throw error("its zip64 directory is not where the file says") }
      (count, size, start) = (record.number(32, 8), record.number(40, 8), record.number(48, 8))
    }
    guard start >= 0, size >= 0, start <= end, size <= end - start else {
      throw error("its directory reaches beyond the file")
    }
    guard count >= 0, count <= ZipArchive.mostEntries, count <= size / 46 else {
      throw error("its directory of \(size) bytes cannot hold \(count) entries")
    }
    range = start..<start + size
  }

  mutating func readEntries() throws -> [ZipArchive.Entry] {
    let bytes = try file.read(range)
    var (entries, at): ([ZipArchive.Entry], Int) = ([], 0)
    for _ in 0..<count {
      guard at + 46 <= bytes.count, bytes.number(at, 4) == 0x0201_4B50 else {
        throw error("its directory is damaged at byte \(range.lowerBound + at)")
      }
      let lengths = [28, 30, 32].map { bytes.number(at + $0, 2) }
      let end = at + 46 + lengths.reduce(0, +)
      guard end <= bytes.count else { throw error("its directory ends within an entry") }
      let extra = at + 46 + lengths[0]
      let entry = try entry(
        bytes, at, name: at + 46..<extra, extra: extra..<extra + lengths[1])
      if !entry.name.hasSuffix("/") { entries.append(entry) }
      at = end
    }
    try check(entries)
    return entries
  }

  private func entry(
    _ bytes: [UInt8], _ at: Int, name: Range<Int>, extra: Range<Int>
  ) throws -> ZipArchive.Entry {
    guard let name = String(validating: bytes[name], as: UTF8.self) else {
      throw error("one of its names is not UTF-8")
    }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.isEmpty, parts.first != "", !parts.contains(".."), !name.contains("\\"),
      !name.utf8.contains(0)
    else { throw error("the name \(quotedForPeople(name)) leads out of a folder") }
    let method = bytes.number(at + 10, 2)
    guard method == 0 || method == 8, bytes.number(at + 8, 2) & 1 == 0 else {
      throw error(
        "its entry \(quotedForPeople(name)) is encrypted or compressed by another method than deflate (\(method))"
      )
    }
    var (stored, count, header) = (
      bytes.number(at + 20, 4), bytes.number(at + 24, 4), bytes.number(at + 42, 4)
    )
    // Numbers that do not fit into 32 bits stand in this order in an extra field of kind 1.
    var wide = wideNumbers(bytes, extra)
    let unknown = 0xFFFF_FFFF
    if count == unknown, let number = wide.popFirst() { count = number }
    if stored == unknown, let number = wide.popFirst() { stored = number }
    if header == unknown, let number = wide.popFirst() { header = number }
    guard count >= 0, stored >= 0, header >= 0, header <= range.lowerBound,
      stored <= range.lowerBound - header, method == 8 || stored == count
    else { throw error("its entry \(quotedForPeople(name)) reaches beyond the file") }
    return ZipArchive.Entry(
      name: name, count: count, isDeflated: method == 8,
      checksum: UInt32(truncatingIfNeeded: bytes.number(at + 16, 4)), header: header,
      storedCount: stored)
  }

  private func wideNumbers(_ bytes: [UInt8], _ extra: Range<Int>) -> ArraySlice<Int> {
    var at = extra.lowerBound
    while at + 4 <= extra.upperBound {
      let end = at + 4 + bytes.number(at + 2, 2)
      guard end <= extra.upperBound else { return [] }
      if bytes.number(at, 2) == 1 {
        return stride(from: at + 4, through: end - 8, by: 8).map { bytes.number($0, 8) }[...]
      }
      at = end
    }
    return []
  }

  /// Refuses entries that share bytes, and contents that are out of proportion to the file.
  private func check(_ entries: [ZipArchive.Entry]) throws {
    let sorted = entries.sorted { $0.header < $1.header }
    for (entry, next) in zip(sorted, sorted.dropFirst())
    where entry.header + 30 + entry.name.utf8.count + entry.storedCount > next.header {
      throw error(
        "its entries \(quotedForPeople(entry.name)) and \(quotedForPeople(next.name)) share bytes")
    }
    var total = 0
    let largest = max(
      ZipArchive.alwaysAllowed,
      file.count.multipliedReportingOverflow(by: ZipArchive.largestRatio).partialValue)
    for entry in entries {
      let (sum, overflow) = total.addingReportingOverflow(entry.count)
      guard !overflow, sum <= largest else {
        throw error(
          "its contents are more than \(ZipArchive.largestRatio) times as long as the file itself")
      }
      total = sum
    }
  }

  func error(_ reason: String) -> ZipError { ZipError(file: file.path, reason: reason) }
}

extension [UInt8] {
  /// A little-endian number of at most 8 bytes; one beyond `Int` is negative.
  fileprivate func number(_ at: Int, _ count: Int) -> Int {
    Int(
      truncatingIfNeeded: self[at..<at + count].reversed().reduce(UInt64(0)) {
        $0 << 8 | UInt64($1)
      })
  }
}
