import Foundation
import Testing

/// Files of the kinds that people publish, made by PyTorch (`Tests/Golden/make-published.py`).
public enum PublishedFiles {
  /// A file and what is to become of it.
  public struct Entry: Decodable, Sendable, CustomTestStringConvertible {
    /// Its path below `Tests/Golden/published`.
    public let file: String
    /// A few words on it.
    public let shows: String
    /// `network`, `tensors` or `refused`, perhaps with more words.
    public let expect: String
    /// The place of its weights, where it holds several.
    public let key: String?
    /// The file of its numbers, where it is not the one of its own name.
    public let golden: String?
    /// The input of a PreActResNet's shortcuts: `raw` or `activated`.
    public let shortcut: String?
    /// The activation, where names do not tell.
    public let activation: String?

    /// The file.
    public var url: URL { Golden.url("published/\(file)") }
    /// The file of its numbers.
    public var numbers: URL {
      Golden.url(
        "published/" + (golden ?? file.replacing(/\.\w+$/, with: ".safetensors")))
    }
    /// Its path, for the names of tests.
    public var testDescription: String { file }
  }

  /// The files of a folder, or of all of them.
  public static func entries(in folder: String = "") -> [Entry] {
    let index = Golden.url("published/INDEX.json")
    let all = (try? JSONDecoder().decode([Entry].self, from: Data(contentsOf: index))) ?? []
    return all.filter { $0.file.hasPrefix(folder) }
  }
}
