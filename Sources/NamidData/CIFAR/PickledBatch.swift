import Foundation
import NamidFiles

/// A pickled dictionary of images, labels or names, as the Python distributions of CIFAR have it.
///
/// A file that names anything but arrays of NumPy is refused as a whole, also where the value would not be used.
struct PickledBatch {
  private let pickle: Pickle

  /// Reads a whole file.
  init(file: URL) throws {
    do {
      pickle = try Pickle([UInt8](try Files.read(file, limit: 1 << 28)), file: file.path)
    } catch let error as PickleError {
      throw DatasetError(error)
    }
    if let name = pickle.globals.first(where: { !Pickle.arrayNames.contains($0) }) {
      throw DatasetError.refused(file: file.path, what: name)
    }
  }

  /// The value of a key of the dictionary that the file holds.
  func entry(_ key: String) throws -> Pickle.Value {
    guard let members = pickle.members(pickle.root) else {
      throw foreign(expected: "a pickled dictionary", found: pickle.kind(pickle.root))
    }
    guard let value = pickle.member(key, of: pickle.root) else {
      let keys = members.prefix(8).compactMap { pickle.text($0.key) }
      throw foreign(
        expected: "a dictionary with “\(key)”", found: "the keys \(keys.joined(separator: ", "))")
    }
    return value
  }

  /// The whole numbers of a list.
  func integers(_ key: String) throws -> [Int] {
    try list(key).map { value in
      guard let number = pickle.integer(value) else {
        throw foreign(expected: "an integer", found: pickle.kind(value))
      }
      return number
    }
  }

  /// The strings of a list.
  func texts(_ key: String) throws -> [String] {
    try list(key).map { value in
      guard let text = pickle.text(value) else {
        throw foreign(expected: "a string", found: pickle.kind(value))
      }
      return text
    }
  }

  /// An array of unsigned bytes, rows first.
  func array(_ key: String) throws -> (shape: [Int], bytes: [UInt8]) {
    let value = try entry(key)
    guard let array = pickle.array(value) else {
      let call = pickle.call(value)
      if call?.name.hasSuffix("_reconstruct") == true, pickle.object(value)?.state != nil {
        throw foreign(expected: "an array whose bytes fit its shape", found: "another one")
      }
      if pickle.object(value) != nil {
        throw DatasetError.refused(
          file: pickle.file, what: "\(pickle.kind(value)) with unusual arguments")
      }
      throw foreign(expected: "an array of bytes", found: pickle.kind(value))
    }
    guard array.code == "u1", !array.isColumnMajor else {
      throw foreign(
        expected: "an array of unsigned bytes (u1), rows first",
        found: "\(array.code), columns first: \(array.isColumnMajor)")
    }
    return (array.shape, array.bytes)
  }

  private func list(_ key: String) throws -> [Pickle.Value] {
    let value = try entry(key)
    guard let elements = pickle.elements(value) else {
      throw foreign(expected: "a list", found: pickle.kind(value))
    }
    return elements
  }

  private func foreign(expected: String, found: String) -> DatasetError {
    .foreign(file: pickle.file, expected: expected, found: found)
  }
}

extension DatasetError {
  /// The fault of a pickled file.
  init(_ error: PickleError) {
    self =
      switch error {
      case .truncated(let file, let expected, let found):
        .truncated(file: file, expected: expected, found: found)
      case .tooLong(let file, let expected, let found):
        .tooLong(file: file, expected: expected, found: found)
      case .unexpected(let file, let expected, let found):
        .foreign(file: file, expected: expected, found: found)
      case .refused(let file, let what): .refused(file: file, what: what)
      }
  }
}
