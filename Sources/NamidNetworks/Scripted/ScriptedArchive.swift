import Foundation
import NamidFiles

/// A TorchScript archive that has been checked, and the bytes of it that libtorch gets to see.
///
/// libtorch does not read the file: it gets a new archive in memory with exactly the entries that were checked, so no
/// difference between two readers of zip files and no change of the file meanwhile can bring in others.
struct ScriptedArchive {
  /// The most bytes of all code, and of one pickle.
  static let mostCode = 16 << 20
  static let mostPickle = 64 << 20

  /// The shapes of the tensors with which a trace was made; empty where the archive does not say.
  let tracedShapes: [[Int]]
  /// The devices on which tensors lay when it was saved.
  let locations: Set<String>
  private let zip: ZipArchive
  private let entries: [(name: String, entry: ZipArchive.Entry)]

  /// True for an archive that holds TorchScript.
  static func isScripted(_ zip: ZipArchive) -> Bool {
    guard let root = root(of: zip) else { return false }
    return zip[root + "constants.pkl"] != nil && zip[root + "data.pkl"] != nil
      && zip.entries.contains { $0.name.hasPrefix(root + "code/") }
  }

  /// Checks an archive.
  ///
  /// - Parameters:
  ///   - zip: The archive, the directory of which has been checked.
  ///   - isOperator: True for the base names of libtorch's operators, in any namespace.
  /// - Throws: `ScriptedModuleError`, `ZipError` or `FileError`.
  init(_ zip: ZipArchive, isOperator: @escaping (String) -> Bool) throws {
    guard Self.isScripted(zip), let root = Self.root(of: zip) else {
      throw ScriptedModuleError(
        "it has no data.pkl, constants.pkl and code", advice: "save the model with torch.jit.save")
    }
    self.zip = zip
    let names = zip.entries.filter { $0.name.hasPrefix(root) }.map {
      (name: String($0.name.dropFirst(root.count)), entry: $0)
    }
    entries = names.filter { Self.isUsed($0.name) }
    // The checksum of a code file is compared here, and its text judged, before anything else is read.
    let code = entries.filter { $0.name.hasPrefix("code/") }
    guard code.reduce(0, { $0 + min($1.entry.count, Self.mostCode + 1) }) <= Self.mostCode else {
      throw ScriptedModuleError("its code has more than \(Self.mostCode >> 20) MB")
    }
    for (name, entry) in code {
      var source = ScriptedSource(named: name, isOperator: isOperator)
      try source.check(try zip.content(of: entry))
    }
    var locations: Set<String> = []
    func read(_ name: String, in folder: String, bounded: Bool = true) throws -> ScriptedValue? {
      guard let entry = zip[root + name] else { return nil }
      var pickle = ScriptedPickle(try zip.content(of: entry, limit: Self.mostPickle)) { key in
        bounded ? zip["\(root)\(folder)/\(key)"]?.count : Int.max
      }
      let value = try pickle.read()
      if bounded { locations.formUnion(pickle.locations) }
      return value
    }
    guard case .object = try read("data.pkl", in: "data") else {
      throw ScriptedModuleError("its data.pkl is no module", advice: ScriptedModuleError.damaged)
    }
    guard case .tuple = try read("constants.pkl", in: "constants") else {
      throw ScriptedModuleError(
        "its constants.pkl is no tuple", advice: ScriptedModuleError.damaged)
    }
    self.locations = locations
    // Only the shapes are of use; these tensors have no bytes, and libtorch does not get them.
    let traced = try? read("traced_inputs.pkl", in: "traced_inputs", bounded: false)
    tracedShapes = Self.shapes(traced)
  }

  /// The archive for libtorch: stored entries under a folder of a fixed name.
  func repacked() throws -> [UInt8] {
    let total = entries.reduce(0) { $0 + $1.entry.count + 2 * $1.name.utf8.count + 256 }
    var zip = StoredZip(capacity: total)
    for (name, entry) in entries {
      try zip.add("archive/" + name, self.zip.content(of: entry), checksum: entry.checksum)
    }
    return zip.finished()
  }

  /// The folder in which everything lies, with its slash.
  private static func root(of zip: ZipArchive) -> String? {
    guard let first = zip.entries.first?.name, let slash = first.firstIndex(of: "/") else {
      return nil
    }
    return String(first[...slash])
  }

  private static func isUsed(_ name: String) -> Bool {
    if ["data.pkl", "constants.pkl", "version", ".data/version", "byteorder"].contains(name) {
      return true
    }
    if name.hasPrefix("code/") { return name.hasSuffix(".py") }
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2 && ["data", "constants"].contains(parts[0])
  }

  private static func shapes(_ traced: ScriptedValue?) -> [[Int]] {
    guard case .dictionary(let methods) = traced,
      let place = methods.elements.firstIndex(where: {
        if case .text("forward") = $0 { true } else { false }
      }), place + 1 < methods.elements.count, case .list(let inputs) = methods.elements[place + 1]
    else { return [] }
    return inputs.elements.compactMap {
      if case .tensor(let tensor) = $0 { tensor.shape } else { nil }
    }
  }
}

/// A zip archive of stored entries in memory.
private struct StoredZip {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  init(capacity: Int) { bytes.reserveCapacity(capacity) }

  /// Adds an entry.
  mutating func add(_ name: String, _ content: [UInt8], checksum: UInt32) throws {
    let start = bytes.count
    guard start + content.count < 0xFFFF_0000, name.utf8.count < 0xFFFF, count < 0xFFFF else {
      throw ScriptedModuleError("it has more than 4 GB or 65534 entries")
    }
    let sizes = number(Int(checksum), 4) + number(content.count, 4) + number(content.count, 4)
    // From the needed version to the length of the extra field: UTF-8 names, stored, the earliest date.
    let common =
      number(20, 2) + number(1 << 11, 2) + number(0, 4) + number(0x21, 2) + sizes
      + number(name.utf8.count, 2)
    let padding = (64 - (start + 34 + name.utf8.count) % 64) % 64
    bytes += number(0x0403_4B50, 4) + common + number(4 + padding, 2) + Array(name.utf8)
    bytes += number(0x4246, 2) + number(padding, 2) + number(0, padding)
    bytes += content
    directory += number(0x0201_4B50, 4) + number(20, 2) + common + number(0, 12)
    directory += number(start, 4) + Array(name.utf8)
    count += 1
  }

  /// The whole archive, with its directory.
  consuming func finished() -> [UInt8] {
    let (start, size) = (bytes.count, directory.count)
    bytes += directory
    bytes += number(0x0605_4B50, 4) + number(0, 4) + number(count, 2) + number(count, 2)
    bytes += number(size, 4) + number(start, 4) + number(0, 2)
    return bytes
  }

  private func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }
}
