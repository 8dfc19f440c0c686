import Foundation

/// A pickled value as plain data.
///
/// Containers live in tables and refer to each other by index, so that neither deep nesting nor
/// cycles in a hostile file can exhaust the stack; strings are ranges of the file.
struct Pickle {
  enum Value: Equatable {
    case none
    case bool(Bool)
    case integer(Int)
    /// A string that lies in the file as it is.
    case bytes(Range<Int>)
    /// A string that had escapes, by index in `texts`.
    case text(Int)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(Global)
    case array(Int)
    case dtype(Int)
    /// The opening bracket of a row of values; never part of a finished value.
    case mark
  }

  /// The names that a pickled array of bytes needs: everything else is refused.
  enum Global: String {
    case reconstruct = "numpy.core.multiarray _reconstruct"
    case ndarray = "numpy ndarray"
    case dtype = "numpy dtype"
  }

  struct Array {
    var shape: [Int] = []
    var data: Value = .none
  }

  let file: String
  let bytes: [UInt8]
  var texts: [[UInt8]] = []
  var tuples: [[Value]] = []
  var lists: [[Value]] = []
  var dictionaries: [[(key: Value, value: Value)]] = []
  var arrays: [Array] = []
  /// The code of each dtype, such as `u1`.
  var dtypes: [String] = []
  var root: Value = .none

  /// Reads a whole file.
  init(file: URL) throws {
    self = try PickleReader.read([UInt8](try Files.read(file, limit: 1 << 28)), file: file.path)
  }

  init(emptyOf file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
  }

  /// The value of a key of the dictionary that the file holds.
  func entry(_ key: String) throws -> Value {
    guard case .dictionary(let index) = root else {
      throw foreign(expected: "a pickled dictionary", found: kind(root))
    }
    let wanted = Swift.Array(key.utf8)
    guard
      let entry = dictionaries[index].last(where: {
        string($0.key).map { $0.elementsEqual(wanted) } ?? false
      })
    else {
      let keys = dictionaries[index].prefix(8).compactMap { try? text($0.key) }
      throw foreign(
        expected: "a dictionary with “\(key)”", found: "the keys \(keys.joined(separator: ", "))")
    }
    return entry.value
  }

  func list(_ value: Value) throws -> [Value] {
    guard case .list(let index) = value else {
      throw foreign(expected: "a list", found: kind(value))
    }
    return lists[index]
  }

  func integer(_ value: Value) throws -> Int {
    guard case .integer(let number) = value else {
      throw foreign(expected: "an integer", found: kind(value))
    }
    return number
  }

  func text(_ value: Value) throws -> String {
    guard let bytes = string(value) else {
      throw foreign(expected: "a string", found: kind(value))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The bytes of a string; nil for other values.
  func string(_ value: Value) -> ArraySlice<UInt8>? {
    switch value {
    case .bytes(let range): return bytes[range]
    case .text(let index): return texts[index][...]
    default: return nil
    }
  }

  /// An array whose data is as long as its shape says.
  func array(_ value: Value) throws -> (shape: [Int], bytes: ArraySlice<UInt8>) {
    guard case .array(let index) = value, let data = string(arrays[index].data) else {
      throw foreign(expected: "an array of bytes", found: kind(value))
    }
    var total = 1
    for size in arrays[index].shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else {
        throw foreign(expected: "an array's shape", found: "\(arrays[index].shape)")
      }
      total = product
    }
    guard total == data.count else {
      throw foreign(
        expected: "\(total) values for an array of \(arrays[index].shape)",
        found: "\(data.count) bytes")
    }
    return (arrays[index].shape, data)
  }

  func foreign(expected: String, found: String) -> DatasetError {
    .foreign(file: file, expected: expected, found: found)
  }

  func kind(_ value: Value) -> String {
    switch value {
    case .none: "None"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .bytes, .text: "a string"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .global(let name): name.rawValue
    case .array: "an array without data"
    case .dtype: "a dtype"
    case .mark: "a mark"
    }
  }
}
