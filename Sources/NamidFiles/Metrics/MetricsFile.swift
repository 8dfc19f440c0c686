import Foundation

/// A fault in a file of metrics.
public enum MetricsError: Error, Equatable, CustomStringConvertible {
  /// A complete line that is not an object with a step.
  case badLine(path: String, line: Int, reason: String)

  /// The place and the reason.
  public var description: String {
    switch self {
    case .badLine(let path, let line, let reason):
      "\(path):\(line): \(reason); repair or remove that line to go on"
    }
  }
}

/// A file of measurements, one JSON object per line: `{"step":12,"loss":1.482}`.
///
/// Every line is with the system before `append` returns, so that a kill loses none. NaN and the
/// infinities are written as the texts `"nan"`, `"inf"` and `"-inf"`, which Python's `float`
/// and pandas' `to_numeric` read as numbers.
public final class MetricsFile {
  /// The file.
  public let url: URL

  private let writer: FileWriter

  /// Opens a file for appending.
  ///
  /// - Parameters:
  ///   - url: The file; its folder must exist.
  ///   - step: The last step that stays. Lines of later steps and a line torn by a kill are cut
  ///     off, since a run resumed after `step` writes them again. With nil the file must be new.
  /// - Throws: `FileError`, or `MetricsError` for a line that no run has written.
  public init(url: URL, resumingAfter step: Int? = nil) throws {
    self.url = url
    let kept = step == nil ? (end: 0, isTerminated: true) : try Self.kept(of: url, upTo: step ?? 0)
    let flags = step == nil ? O_EXCL : 0
    let opened = openDescriptor(url.path, O_WRONLY | O_CREAT | O_APPEND | flags)
    if let code = opened.failure {
      if code == EEXIST {
        throw FileError.exists(path: url.path, remedy: "resume that run or choose another folder")
      }
      throw FileError(code: code, .create, url.path)
    }
    writer = FileWriter(
      descriptor: opened.descriptor, path: url.path, count: kept.end, aftermath: .earlierKept)
    if step != nil { try writer.truncate(to: kept.end) }
    if !kept.isTerminated { try writer.append(whole: Data("\n".utf8)) }
  }

  /// Appends one line.
  ///
  /// - Parameters:
  ///   - step: The step that the values belong to; it comes first in the line.
  ///   - values: Names and values, written in this order.
  /// - Throws: `FileError`; then the file ends with the line before.
  public func append(step: Int, _ values: JSONObject) throws(FileError) {
    var line: JSONObject = ["step": .int(step)]
    for (key, value) in values where key != "step" { line[key] = value }
    try writer.append(whole: Data((JSONValue.object(line).text() + "\n").utf8))
  }

  /// Forces everything onto the disk; call it before a checkpoint that a resume may start from.
  public func synchronize() throws(FileError) { try writer.sync() }

  /// Reads all complete lines of a file; a last line torn by a kill is left out.
  ///
  /// - Parameter url: The file.
  /// - Returns: The lines in order, each with its `step`.
  /// - Throws: `FileError`, or `MetricsError` for a line that no run has written.
  public static func read(_ url: URL) throws -> [JSONObject] {
    try lines(of: url).map(\.object)
  }

  private struct Line {
    let object: JSONObject
    let step: Int
    let end: Int
    let isTerminated: Bool
  }

  /// The end of the lines up to a step.
  private static func kept(of url: URL, upTo step: Int) throws -> (end: Int, isTerminated: Bool) {
    guard FileKind(of: url) != nil else { return (0, true) }
    let last = try lines(of: url).prefix { $0.step <= step }.last
    return last.map { ($0.end, $0.isTerminated) } ?? (0, true)
  }

  private static func lines(of url: URL) throws -> [Line] {
    let bytes = try readFile(at: url, limit: 1 << 30)
    var lines: [Line] = []
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
      let end = newline ?? bytes.endIndex
      do throws(JSONSyntaxError) {
        let value = try JSONValue(parsing: bytes[start..<end])
        guard let object = value.objectValue, let step = value["step"]?.intValue else {
          let reason = "expected an object with an integer \"step\""
          throw JSONSyntaxError(line: 1, column: 1, offset: 0, reason: reason)
        }
        let next = newline.map { $0 + 1 } ?? end
        lines.append(Line(object: object, step: step, end: next, isTerminated: newline != nil))
      } catch {
        if newline == nil { break }
        throw MetricsError.badLine(path: url.path, line: lines.count + 1, reason: error.reason)
      }
      start = end + 1
    }
    return lines
  }
}
