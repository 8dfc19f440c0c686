import Foundation

/// A file of scalars that TensorBoard reads.
///
/// It takes a new file per run or resume; TensorBoard reads all files of a folder as one run.
/// Names sort in the order in which files were made, also within a second or after the clock has gone
/// back. Each record is with the system before the call returns.
public final class EventFile {
  /// The file, whose name follows TensorBoard's pattern.
  public let url: URL

  private static let prefix = "events.out.tfevents."
  private let writer: FileWriter

  /// Makes a new file in a folder.
  ///
  /// - Parameters:
  ///   - folder: The folder, which must exist.
  ///   - step: The last step that stays of earlier files: TensorBoard drops their later scalars.
  /// - Throws: `FileError`.
  public init(folder: URL, resumingAfter step: Int? = nil) throws(FileError) {
    let now = Date().timeIntervalSince1970
    let host = ProcessInfo.processInfo.hostName.replacing("/", with: "-")
    let process = ProcessInfo.processInfo.processIdentifier
    let unique = UInt32.random(in: .min ... .max)
    let second = max(Int(now), Self.lastSecond(in: folder) + 1)
    url = folder.appending(path: "\(Self.prefix)\(second).\(host).\(process).\(unique)")
    let opened = openDescriptor(url.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
    if let code = opened.failure { throw FileError(code: code, .create, url.path) }
    writer = FileWriter(descriptor: opened.descriptor, path: url.path, aftermath: .earlierKept)
    var version = EventMessage(wallTime: now, step: nil)
    version.setFileVersion("brain.Event:2")
    try append(version)
    if let step {
      var start = EventMessage(wallTime: now, step: step + 1)
      start.setSessionStart()
      try append(start)
    }
  }

  /// Appends scalars of one step, as one record.
  ///
  /// - Parameters:
  ///   - step: The training step.
  ///   - scalars: Tags such as `train/loss` and values; NaN and infinities are fine.
  /// - Throws: `FileError`; then the file ends with the record before.
  public func append(step: Int, _ scalars: [(tag: String, value: Double)]) throws(FileError) {
    var event = EventMessage(wallTime: Date().timeIntervalSince1970, step: step)
    event.setScalars(scalars)
    try append(event)
  }

  /// The latest second in the names of the files that are there; 0 for none.
  private static func lastSecond(in folder: URL) -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.reduce(0) { latest, name in
      guard name.hasPrefix(prefix) else { return latest }
      let digits = name.dropFirst(prefix.count).prefix { $0 != "." }
      // Ten digits, as all seconds until 2286 have: others are not ours and would sort elsewhere.
      return digits.count == 10 ? max(latest, Int(digits) ?? 0) : latest
    }
  }

  private func append(_ event: EventMessage) throws(FileError) {
    // Length, its checksum, content, its checksum: all little-endian.
    var record = Data()
    let length = withUnsafeBytes(of: UInt64(event.bytes.count).littleEndian) { Data($0) }
    for part in [length, Data(event.bytes)] {
      record += part
      withUnsafeBytes(of: CRC32C.masked(part).littleEndian) { record += $0 }
    }
    try writer.append(whole: record)
  }
}

/// The few fields of TensorBoard's `Event` message that scalars need, in protocol-buffer encoding.
struct EventMessage {
  private(set) var bytes: [UInt8] = []

  /// An event at some seconds since 1970; without a step it is one outside of training.
  init(wallTime: Double, step: Int?) {
    appendTag(1, .fixed64)
    appendLittleEndian(wallTime.bitPattern)
    if let step {
      appendTag(2, .varint)
      appendVarint(UInt64(bitPattern: Int64(step)))
    }
  }

  /// `Event.file_version`, with which a file starts.
  mutating func setFileVersion(_ version: String) { append(3, Array(version.utf8)) }

  /// `Event.summary`: values by name.
  mutating func setScalars(_ scalars: [(tag: String, value: Double)]) {
    var summary = EventMessage()
    for scalar in scalars {
      var value = EventMessage()
      value.append(1, Array(scalar.tag.utf8))
      value.appendTag(2, .fixed32)
      value.appendLittleEndian(Float(scalar.value).bitPattern)
      summary.append(1, value.bytes)
    }
    append(5, summary.bytes)
  }

  /// `Event.session_log` with status START: readers drop what earlier files say from this step on.
  mutating func setSessionStart() {
    var log = EventMessage()
    log.appendTag(1, .varint)
    log.appendVarint(1)
    append(7, log.bytes)
  }

  private init() {}

  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  private mutating func append(_ field: UInt64, _ content: [UInt8]) {
    appendTag(field, .bytes)
    appendVarint(UInt64(content.count))
    bytes += content
  }

  private mutating func appendTag(_ field: UInt64, _ type: WireType) {
    appendVarint(field << 3 | type.rawValue)
  }

  private mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}

/// The checksum CRC-32C (Castagnoli, RFC 3720 §B.4), which guards the records of event files.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? (value >> 1) ^ 0x82f6_3b78 : value >> 1
    }
  }

  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let table = table
    return ~bytes.reduce(~0) { value, byte in
      (value >> 8) ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
    }
  }

  /// The form stored in record files, where a checksum may itself be checksummed.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let sum = checksum(bytes)
    return ((sum >> 15) | (sum << 17)) &+ 0xa282_ead8
  }
}
