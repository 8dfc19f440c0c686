import Namid

/// A message of a measured program: one line of JSON on standard output.
enum PeerLine: Equatable {
  /// The program is prepared.
  ///
  /// Facts are numbers that tell whether programs do the same work, such as the loss after the attack.
  case ready(facts: [String: Double], versions: [String: String])
  /// One measurement: how long the work took, and the most memory that the program has had so far.
  case measurement(seconds: Double, peakBytes: Double?)
  /// Anything that is not a JSON object: what libraries print.
  case chatter

  /// Reads a line.
  ///
  /// - Parameter line: The text without its newline.
  /// - Returns: The message.
  /// - Throws: `PeerLineError` for an object that is no message.
  static func parse(_ line: String) throws(PeerLineError) -> PeerLine {
    let text = line.trimmingPrefix(while: \.isWhitespace)
    guard text.hasPrefix("{") else { return .chatter }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: String(text))
    } catch {
      throw PeerLineError(line: line, reason: "is not JSON")
    }
    if let ready = value["ready"] {
      guard let facts = ready.objectValue else {
        throw PeerLineError(line: line, reason: "has no object under \"ready\"")
      }
      return .ready(facts: numbers(facts), versions: texts(value["versions"]?.objectValue))
    }
    guard let seconds = value["seconds"]?.doubleValue else {
      throw PeerLineError(line: line, reason: "has neither \"ready\" nor \"seconds\"")
    }
    guard seconds.isFinite, seconds > 0 else {
      throw PeerLineError(line: line, reason: "says \(seconds) seconds")
    }
    return .measurement(seconds: seconds, peakBytes: value["peak_bytes"]?.doubleValue)
  }

  /// Facts that are no finite numbers (a loss may diverge) are left out.
  private static func numbers(_ object: JSONObject) -> [String: Double] {
    Dictionary(
      object.compactMap { member in
        member.value.doubleValue.flatMap { $0.isFinite ? (member.key, $0) : nil }
      }, uniquingKeysWith: { $1 })
  }

  private static func texts(_ object: JSONObject?) -> [String: String] {
    Dictionary(
      (object ?? [:]).compactMap { member in member.value.stringValue.map { (member.key, $0) } },
      uniquingKeysWith: { $1 })
  }
}

/// A line that begins like a message and is none.
struct PeerLineError: Error, CustomStringConvertible, Equatable {
  let line: String
  let reason: String

  var description: String { "its line \"\(line.prefix(120))\" \(reason)" }
}
