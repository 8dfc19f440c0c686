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
