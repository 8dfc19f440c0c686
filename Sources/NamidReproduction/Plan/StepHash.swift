import NamidSettings

/// A hash of all that decides a step's result: its command line without paths, the steps it needs, its data, and the
/// format.
///
/// A step whose hash is there and finished is never done again. How it is computed (threads, device, where data and
/// results lie) is not part of it.
struct StepHash {
  /// Raised when the tool would do something else for the same command line.
  static let formatVersion = 1

  let kind: ExperimentStep.Kind
  let words: [StepWord]
  let data: String?

  private struct Specification: Encodable {
    var format: Int
    var kind: String
    var words: [[String]]
    var data: String?
  }

  /// Twelve hexadecimal digits.
  func text() throws -> String {
    let specification = Specification(
      format: Self.formatVersion, kind: kind.rawValue, words: words.map(Self.content), data: data)
    return String(try specificationHash(specification).prefix(12))
  }

  /// A word without paths; the other steps' names end in their own hashes.
  private static func content(of word: StepWord) -> [String] {
    switch word {
    case .text(let text): ["text", text]
    case .own(let path): ["own", path]
    case .output(let step, let path): ["step", hash(of: step), path]
    case .place(let prefix, _): ["place", prefix]
    }
  }

  private static func hash(of step: String) -> String {
    step.split(separator: "-").last.map(String.init) ?? step
  }
}
