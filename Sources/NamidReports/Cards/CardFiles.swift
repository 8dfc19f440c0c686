import Foundation
import NamidFiles

/// The files `README.md` and `robustbench.json` of a run, each rewritten only where this tool has written it.
struct CardFiles {
  static let cardName = "README.md"

  private static let start = "---\n# Written by namid, digest "
  private static let end = """
    , anew after every training and evaluation.
    # Change anything, or take these lines out, and namid leaves the file alone.

    """
  private static let digestLength = 16
  private static let maximumBytes = 1 << 24

  private let card: URL
  private let entry: URL

  init(run: URL) {
    card = run.appending(path: Self.cardName)
    entry = run.appending(path: RobustBenchEntry.fileName)
  }

  /// The existing leaderboard line; nil where there is none, or one that this tool has not written.
  var earlierEntry: JSONObject? {
    guard FileKind(of: entry, followingLinks: false) == .file,
      let data = try? readFile(at: entry, limit: 1 << 20),
      let tree = (try? JSONValue(parsing: data))?.objectValue, tree["namid"]?.objectValue != nil
    else { return nil }
    return tree
  }

  /// Writes both files, except one that this tool has not written, and says so of that one.
  func write(_ model: ModelCard, _ line: JSONObject, say: (String) -> Void) throws {
    if let obstacle = cardObstacle {
      say("\(card.relativePath) stays as it is: \(obstacle)")
    } else {
      try AtomicFile.write(try Self.marked(model), to: card)
    }
    if FileKind(of: entry, followingLinks: false) != nil, earlierEntry == nil {
      let why = "it has no key \"namid\", so that it is somebody else's"
      say("\(entry.relativePath) stays as it is: \(why)")
    } else {
      try AtomicFile.write(
        JSONValue.object(line).data(indent: 2) + Data("\n".utf8), to: entry)
    }
  }

  // MARK: Whose card it is

  /// Makes the card's text, headed by lines that name this tool and a digest of all text after the digest.
  private static func marked(_ card: ModelCard) throws -> Data {
    let rest = Data("\(end)\(try card.frontMatter())---\n\n\(card.body)".utf8)
    return Data(start.utf8) + Data(digest(of: rest).utf8) + rest
  }

  private static func digest(of data: Data) -> String {
    String(SHA256.hexDigest(of: data).prefix(digestLength))
  }

  /// The reason that the card must not be overwritten; nil where there is no card, or one that has not changed since.
  private var cardObstacle: String? {
    guard let kind = FileKind(of: card, followingLinks: false) else { return nil }
    let foreign = "namid has not written it (move it away to have a model card written)"
    guard kind == .file, let data = try? readFile(at: card, limit: Self.maximumBytes) else {
      return foreign
    }
    let start = Data(Self.start.utf8)
    guard data.starts(with: start) else { return foreign }
    let written = data.dropFirst(start.count).prefix(Self.digestLength)
    let rest = data.dropFirst(start.count + Self.digestLength)
    return Data(Self.digest(of: Data(rest)).utf8) == Data(written)
      ? nil : "it was changed by hand (move it away to have it written anew)"
  }
}
