import Foundation
import NamidFiles
import NamidNetworks
import NamidTestSupport
import NamidTorch

/// The archives of `Tests/Golden/make-scripted-modules.py`.
enum Scripted {
  /// A committed archive by its name.
  static func url(_ name: String) -> URL { Golden.url("scripted/\(name).pt") }

  /// A committed archive, checked and tried.
  static func module(
    _ name: String, imageShape: [Int]? = nil, output: String? = nil
  ) throws -> ScriptedModule {
    try module(at: url(name), imageShape: imageShape, output: output)
  }

  /// Any archive, checked and tried.
  static func module(
    at url: URL, imageShape: [Int]? = nil, output: String? = nil
  ) throws -> ScriptedModule {
    try ScriptedModule(ZipArchive(url), imageShape: imageShape, output: output)
  }

  /// The message with which an archive is refused, or nil where it is not.
  static func refusal(_ url: URL) -> String? {
    message { _ = try module(at: url).network().logits(.zeros([1, 3, 16, 16])) }
  }

  /// All entries of a committed archive without the folder in which they lie.
  static func entries(_ name: String) throws -> [(name: String, bytes: [UInt8])] {
    let zip = try ZipArchive(url(name))
    return try zip.entries.map {
      (String($0.name.drop { $0 != "/" }.dropFirst()), try zip.content(of: $0))
    }
  }

  /// Writes an archive with fitting checksums.
  static func write(_ entries: [(name: String, bytes: [UInt8])], to url: URL) throws {
    try AtomicFile.write(to: url) { writer in
      var zip = ZipWriter(writer)
      for (name, bytes) in entries { try zip.add("archive/\(name)", bytes) }
      try zip.finish()
    }
  }

  /// The refusal of a committed archive with one entry changed by `change`.
  static func refusal(
    of name: String, changing entry: String, in folder: URL,
    _ change: ([UInt8]) -> [UInt8]
  ) throws -> String? {
    let url = folder.appending(path: "changed.pt")
    try write(
      try entries(name).map { ($0.name, $0.name == entry ? change($0.bytes) : $0.bytes) }, to: url)
    return refusal(url)
  }

  /// The refusal of an archive in whose code a text is replaced.
  static func refusal(
    of name: String, replacing old: String, with new: String,
    file: String = "code/__torch__.py", in folder: URL
  ) throws -> String? {
    try refusal(of: name, changing: file, in: folder) {
      Array(String(decoding: $0, as: UTF8.self).replacing(old, with: new).utf8)
    }
  }
}
