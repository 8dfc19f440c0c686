/// The values of a pickled file as plain data.
///
/// Nothing in a file is looked up or called: names of classes and functions are text, and a call is the text with its
/// arguments, for the reader to make sense of or to leave alone. Containers live in tables and refer to each other by
/// index, so that neither deep nesting nor cycles can exhaust the stack; strings are ranges of the file.
public struct Pickle: Sendable {
  /// One value, a container by its place in a table.
  public enum Value: Equatable, Sendable {
    /// `None`.
    case none
    /// A truth value.
    case bool(Bool)
    /// A whole number of at most 64 bits.
    case integer(Int)
    /// A whole number of more bits, by its bytes.
    case large(Range<Int>)
    /// A floating-point number.
    case real(Double)
    /// A string or bytes that lie in the file as they are.
    case bytes(Range<Int>)
    /// A string that had escapes, by index in `texts`.
    case text(Int)
    /// A tuple, by index in `sequences`.
    case tuple(Int)
    /// A list, by index in `sequences`.
    case list(Int)
    /// A set, by index in `sequences`.
    case set(Int)
    /// A dictionary, by index in `dictionaries`.
    case dictionary(Int)
    /// The name of a class or function, by index in `globals`.
    case global(Int)
    /// The result that a call would have had, by index in `objects`.
    case object(Int)
    /// Something that is kept outside the pickle, by index in `references`.
    case reference(Int)
    /// The opening bracket of a row of values; never part of a finished value.
    case mark
  }

  /// A call that was not made, and what would have been done to its result.
  public struct Object: Sendable {
    /// The function or class.
    public var callable: Value
    /// Its arguments.
    public var arguments: Value
    /// The state that was to be set.
    public var state: Value?
    /// The values that were to be appended, by index in `sequences`.
    public var items: Int
    /// The keys and values that were to be set, by index in `dictionaries`.
    public var members: Int
  }

  /// The file's name, for messages.
  public let file: String
  let bytes: [UInt8]
  var texts: [[UInt8]] = []
  var sequences: [[Value]] = []
  var dictionaries: [[(key: Value, value: Value)]] = []
  /// Every class or function that the file names, as `module.name`.
  public internal(set) var globals: [String] = []
  var objects: [Object] = []
  var references: [Value] = []
  /// The outermost value.
  public internal(set) var root: Value = .none

  init(emptyOf file: String, bytes: [UInt8]) {
    self.file = file
    self.bytes = bytes
  }

  /// Reads a pickle that fills all of some bytes.
  ///
  /// - Throws: `PickleError`.
  public init(_ bytes: [UInt8], file: String) throws(PickleError) {
    let end: Int
    (self, end) = try PickleReader.read(bytes, from: 0, file: file)
    guard end == bytes.count else {
      throw .tooLong(file: file, expected: end, found: bytes.count)
    }
  }

  /// Reads a pickle that begins at a place in some bytes; `end` is the place behind it.
  public static func reading(
    _ bytes: [UInt8], from start: Int, file: String
  ) throws(PickleError) -> (pickle: Pickle, end: Int) {
    try PickleReader.read(bytes, from: start, file: file)
  }
}

// MARK: - Looking at values

extension Pickle {
  /// The elements of a tuple, list or set; nil for other values.
  public func elements(_ value: Value) -> [Value]? {
    switch value {
    case .tuple(let index), .list(let index), .set(let index): sequences[index]
    default: nil
    }
  }

  /// The members of a dictionary, or of an object that is one (`OrderedDict`, `defaultdict`, …); nil for other values.
  public func members(_ value: Value) -> [(key: Value, value: Value)]? {
    switch value {
    case .dictionary(let index): return dictionaries[index]
    case .object(let index):
      guard let name = name(objects[index].callable), Self.mappings.contains(name) else {
        return nil
      }
      return dictionaries[objects[index].members]
    default: return nil
    }
  }

  private static let mappings: Set = [
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
    "builtins.dict", "__builtin__.dict",
  ]

  /// The value of a key that is a string; the last one where it is there twice.
  public func member(_ key: String, of value: Value) -> Value? {
    members(value)?.last { text($0.key) == key }?.value
  }

  /// A string, decoded as UTF-8; nil for other values.
  public func text(_ value: Value) -> String? {
    string(value).flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// The bytes of a string; nil for other values.
  public func string(_ value: Value) -> ArraySlice<UInt8>? {
    switch value {
    case .bytes(let range): return bytes[range]
    case .text(let index): return texts[index][...]
    default: return nil
    }
  }

  /// The bytes of a `bytes` object, also where an old protocol writes it as a call of `_codecs.encode`.
  public func byteString(_ value: Value) -> [UInt8]? {
    if let string = string(value) { return Array(string) }
    guard let call = call(value), call.name == "_codecs.encode",
      let text = call.arguments.first.flatMap(text)
    else { return nil }
    // The text is Latin-1: each character is a byte.
    let bytes = text.unicodeScalars.compactMap { UInt8(exactly: $0.value) }
    return bytes.count == text.unicodeScalars.count ? bytes : nil
  }

  /// A whole number; nil for other values.
  public func integer(_ value: Value) -> Int? {
    if case .integer(let number) = value { number } else { nil }
  }

  /// The name of a class or function, as `module.name`; nil for other values.
  public func name(_ value: Value) -> String? {
    if case .global(let index) = value { globals[index] } else { nil }
  }

  /// An object; nil for other values.
  public func object(_ value: Value) -> Object? {
    if case .object(let index) = value { objects[index] } else { nil }
  }

  /// The name and the arguments of a call; nil for other values.
  public func call(_ value: Value) -> (name: String, arguments: [Value])? {
    guard let object = object(value), let name = name(object.callable),
      let arguments = elements(object.arguments)
    else { return nil }
    return (name, arguments)
  }

  /// The description of something that is kept outside the pickle; nil for other values.
  public func reference(_ value: Value) -> Value? {
    if case .reference(let index) = value { references[index] } else { nil }
  }

  /// Every description of something that is kept outside the pickle.
  public var allReferences: [Value] { references }

  /// A few words on a value, for messages.
  public func kind(_ value: Value) -> String {
    switch value {
    case .none: "None"
    case .bool: "a boolean"
    case .integer, .large: "an integer"
    case .real: "a number"
    case .bytes, .text: "a string"
    case .tuple: "a tuple"
    case .list: "a list"
    case .set: "a set"
    case .dictionary: "a dictionary"
    case .global(let index): globals[index]
    case .object(let index): "an object made by \(kind(objects[index].callable))"
    case .reference: "a reference"
    case .mark: "a mark"
    }
  }
}

/// A file that is no pickle, or one that cannot be taken as data.
public enum PickleError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The file ends before its content does.
  case truncated(file: String, expected: Int, found: Int)
  /// The file goes on behind its end.
  case tooLong(file: String, expected: Int, found: Int)
  /// Something other than expected.
  case unexpected(file: String, expected: String, found: String)
  /// Something that is never taken.
  case refused(file: String, what: String)

  /// A sentence on the fault.
  public var description: String {
    switch self {
    case .truncated(let file, let expected, let found):
      "\(file) is cut off: expected at least \(expected) bytes, found \(found)"
    case .tooLong(let file, let expected, let found):
      "\(file) goes on behind its end: expected \(expected) bytes, found \(found)"
    case .unexpected(let file, let expected, let found):
      "\(file): expected \(expected), found \(found)"
    case .refused(let file, let what): "\(file) is refused: it holds \(what)"
    }
  }
}
