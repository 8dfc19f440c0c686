import Foundation

/// The name of images of one's own, taken apart: paths between commas, then options as `:key=value`.
struct OwnName {
  /// At least one.
  let paths: [URL]
  var options: [String: String] = [:]

  /// Takes a name without its prefix apart.
  ///
  /// A path that is there is a path, whatever colons and commas are in its name.
  init(_ text: String, severalPaths: Bool) {
    var path = text[...]
    while !Self.exists(path), let colon = path.lastIndex(of: ":"),
      let option = Self.option(path[path.index(after: colon)...])
    {
      // Of an option that is written twice the last one counts, as on a command line.
      options[option.key] = options[option.key] ?? option.value
      path = path[..<colon]
    }
    let parts = severalPaths && !Self.exists(path) ? path.split(separator: ",") : []
    paths = (parts.isEmpty ? [path] : parts).map(Self.place)
  }

  private static func option(_ text: Substring) -> (key: String, value: String)? {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex,
      text[..<equals].allSatisfy({ $0.isASCII && $0.isLetter })
    else { return nil }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }

  private static func exists(_ path: Substring) -> Bool {
    !path.isEmpty && FileManager.default.fileExists(atPath: place(path).path)
  }

  /// The place of a path; a relative one starts at the current directory, `~` is the home directory.
  private static func place(_ path: Substring) -> URL {
    URL(fileURLWithPath: (String(path) as NSString).expandingTildeInPath).standardizedFileURL
  }

  /// The options as they are written behind a name, in alphabetical order.
  var optionText: String {
    options.sorted { $0.key < $1.key }.map { ":\($0.key)=\($0.value)" }.joined()
  }

  /// The whole number that an option gives.
  ///
  /// - Throws: `DatasetError.badOption` for anything else.
  func number(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = options[key] else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw DatasetError.badOption(
        option: "\(key)=\(text)",
        expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// Refuses options that are not among some.
  func check(known: [String]) throws {
    guard let key = options.keys.sorted().first(where: { !known.contains($0) }) else { return }
    throw DatasetError.badOption(
      option: "\(key)=\(options[key] ?? "")",
      expected: known.map { "\($0)=…" }.joined(separator: ", "))
  }
}
