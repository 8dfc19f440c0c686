import Foundation
import NamidFiles

/// Reading and listing, with errors that name the file.
enum Files {
  static func isDirectory(_ url: URL) -> Bool { FileKind(of: url) == .folder }

  /// True for anything there but a folder.
  static func isFile(_ url: URL) -> Bool { ![nil, .folder].contains(FileKind(of: url)) }

  /// Reads a whole file of at most `limit` bytes.
  static func read(_ url: URL, limit: Int) throws -> Data {
    guard isFile(url) else {
      throw DatasetError.missing(
        what: url.lastPathComponent, lookedIn: [url.deletingLastPathComponent().path],
        remedy: "The set is incomplete: fetch or copy it again.")
    }
    do {
      return try readFile(at: url, limit: limit)
    } catch .overLimit(_, let size, _) {
      throw DatasetError.tooLong(file: url.path, expected: limit, found: size)
    }
  }

  /// The lines of a text file with their numbers, from 1; those that are empty are left out.
  static func lines(of url: URL, limit: Int) throws -> [(number: Int, text: Substring)] {
    let data = try read(url, limit: limit)
    let lines = String(decoding: data, as: UTF8.self)
      .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.enumerated().filter { !$1.isEmpty }.map { ($0 + 1, $1) }
  }

  /// Names in a folder, sorted by their bytes: the same order on every machine and in every locale.
  static func names(in folder: URL) throws -> [String] {
    try entries(in: folder).compactMap { String(validating: $0, as: UTF8.self) }
  }

  /// The names in a folder that are not UTF-8, with a mark in place of what cannot be shown.
  static func strangeNames(in folder: URL) -> [String] {
    ((try? entries(in: folder)) ?? []).filter { String(validating: $0, as: UTF8.self) == nil }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The bytes of the names in a folder, sorted.
  private static func entries(in folder: URL) throws -> [[UInt8]] {
    guard let stream = opendir(folder.path) else {
      throw DatasetError.unreadable(
        file: folder.path, reason: String(cString: strerror(errno)))
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [0x2E] && name != [0x2E, 0x2E] { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The system's own words where an error carries them.
  static func reason(_ error: any Error) -> String {
    let details = error as NSError
    if let cause = details.userInfo[NSUnderlyingErrorKey] as? NSError,
      cause.domain == NSPOSIXErrorDomain
    {
      return String(cString: strerror(Int32(cause.code)))
    }
    return details.localizedDescription
  }
}
