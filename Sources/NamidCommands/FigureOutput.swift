import ArgumentParser
import Foundation
import NamidFiles

/// The destination of figures: standard output for people and, where asked for, a file with JSON.
///
/// With `-` the JSON goes to standard output, and nothing for people.
struct FigureOutput: ParsableArguments {
  @Option(help: .init("Write the figures as JSON; - for standard output.", valueName: "file"))
  var json: String?

  /// Throws when the file could not be written in the end: better now than after hours.
  func check() throws {
    if let json, json != "-" { try checkWritable(json) }
  }

  /// Writes figures.
  func write(_ figures: some Encodable, asText text: String) throws {
    if let json {
      let data = try JSONValue(encoding: figures).data(indent: 2) + Data("\n".utf8)
      if json == "-" {
        FileHandle.standardOutput.write(data)
      } else {
        try AtomicFile.write(data, to: URL(filePath: json))
      }
    }
    if json != "-" { print(text, terminator: "") }
  }
}

extension FigureOutput {
  init(json: String?) {
    self.init()
    self.json = json
  }
}

/// Throws what stands in the way of writing a file.
func checkWritable(_ path: String) throws(FileError) {
  let manager = FileManager.default
  var isFolder: ObjCBool = false
  if manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
    throw .isAFolder(action: .write, path: path)
  }
  let parent = URL(filePath: path).deletingLastPathComponent().path
  let folder = parent.isEmpty ? "." : parent
  guard manager.fileExists(atPath: folder, isDirectory: &isFolder) else {
    throw .missing(action: .create, path: path, firstMissing: folder)
  }
  if !isFolder.boolValue { throw .notAFolder(path: path, obstacle: folder) }
  if !manager.isWritableFile(atPath: folder) {
    throw .permissionDenied(action: .create, path: path)
  }
}
