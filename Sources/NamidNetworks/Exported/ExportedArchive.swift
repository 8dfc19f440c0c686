import Foundation
import NamidFiles

/// The archive that `torch.export.save` writes: a graph as JSON beside raw weights with a table.
struct ExportedArchive: Sendable {
  let zip: ZipArchive
  /// The folder in which everything lies, with its slash; PyTorch names it after the file.
  let root: String
  /// The name under which the program was packed.
  let model: String
  /// True where numbers of several bytes begin with the highest one.
  let isBigEndian: Bool

  /// The most bytes of a JSON text; that of a network with a thousand layers has about 5 MB.
  static let longestText = 128 << 20
  private static let mark = "archive_format"

  /// Opens an archive and finds the program in it.
  init(_ zip: ZipArchive) throws {
    self.zip = zip
    guard let mark = zip.entries.first(where: { Self.isMark($0.name) }) else {
      throw Self.otherKind(zip)
    }
    root = String(mark.name.dropLast(Self.mark.count))
    let format = String(decoding: try zip.content(of: mark, limit: 64), as: UTF8.self)
    guard format == "pt2" else {
      throw ExportedProgramError(
        "its format is \(quotedForPeople(format)), not \"pt2\"", advice: Self.howToSave)
    }
    let folder = root + "models/"
    let models = zip.entries.map(\.name).filter { $0.hasPrefix(folder) && $0.hasSuffix(".json") }
      .map { String($0.dropFirst(folder.count).dropLast(5)) }
    guard let model = models.contains("model") ? "model" : models.first else {
      throw ExportedProgramError(
        "it holds no graph; a package that was compiled for one machine cannot be read",
        advice: Self.howToSave)
    }
    guard models.count == 1 || model == "model" else {
      throw ExportedProgramError(
        "it holds \(models.count) programs and none is called \"model\"", advice: Self.howToSave)
    }
    self.model = model
    var isBigEndian = false
    if let order = zip[root + "byteorder"] {
      isBigEndian = try zip.content(of: order, limit: 64) == Array("big".utf8)
    }
    self.isBigEndian = isBigEndian
  }

  /// True for an archive of this kind.
  static func isOne(_ zip: ZipArchive) -> Bool {
    zip.entries.contains { isMark($0.name) || $0.name.hasSuffix(oldGraph) }
  }

  /// The length of all contents in bytes.
  var byteCount: Int { zip.entries.reduce(0) { $0 + $1.count } }

  /// The bytes of the graph's JSON text.
  func graphText() throws -> [UInt8] { try text("models/\(model).json") }

  /// The table of the weights, or that of the constants, by name.
  func table(_ kind: String) throws -> JSONObject {
    let name = "data/\(kind)/\(model)_\(kind)_config.json"
    let table = try Self.parse(try text(name), name)["config"]
    guard let members = table?.objectValue else {
      throw ExportedProgramError("\(name) has no \"config\"", advice: Self.howToSave)
    }
    return members
  }

  /// The bytes of a text inside the folder.
  private func text(_ name: String) throws -> [UInt8] {
    guard let entry = zip[root + name] else {
      throw ExportedProgramError("it has no \(name)", advice: Self.howToSave)
    }
    return try zip.content(of: entry, limit: Self.longestText)
  }

  /// The JSON value of a text.
  static func parse(_ text: [UInt8], _ name: String) throws(ExportedProgramError) -> JSONValue {
    do {
      return try JSONValue(parsing: text)
    } catch {
      throw ExportedProgramError("\(name) is not JSON: \(error)")
    }
  }

  // MARK: Other files

  private static let oldGraph = "serialized_exported_program.json"
  private static let howToSave =
    "save it with torch.export.save(torch.export.export(model.eval(), …), \"model.pt2\")"

  private static func isMark(_ name: String) -> Bool {
    name.hasSuffix(mark) && name.split(separator: "/").count <= 2
      && name.split(separator: "/").last == mark[...]
  }

  private static func otherKind(_ zip: ZipArchive) -> ExportedProgramError {
    if zip.entries.contains(where: { $0.name.hasSuffix(oldGraph) }) {
      return ExportedProgramError(
        "it was saved by a PyTorch before 2.8, in a format that held pickles",
        advice: "load it there and save it with PyTorch 2.8 or later")
    }
    return ExportedProgramError("it is another kind of zip archive", advice: howToSave)
  }
}
