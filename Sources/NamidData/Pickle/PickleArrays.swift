/// The two steps in which a pickle describes an array of bytes: an empty one, then its state.
enum PickleArrays {
  typealias Value = Pickle.Value

  /// The meaning of a known name and its arguments.
  static func make(
    _ callable: Value, _ arguments: Value, _ pickle: inout Pickle
  ) throws -> Value {
    guard case .global(let name) = callable, case .tuple(let index) = arguments else {
      throw DatasetError.refused(
        file: pickle.file, what: "a call of \(pickle.kind(callable))")
    }
    let values = pickle.tuples[index]
    switch name {
    case .reconstruct where values.first == .global(.ndarray):
      pickle.arrays.append(Pickle.Array())
      return .array(pickle.arrays.count - 1)
    case .dtype where !values.isEmpty:
      pickle.dtypes.append(String(try pickle.text(values[0]).prefix(16)))
      return .dtype(pickle.dtypes.count - 1)
    default:
      throw DatasetError.refused(
        file: pickle.file, what: "a call of \(name.rawValue) with unusual arguments")
    }
  }

  /// Gives an array its shape and data; a dtype of single bytes needs no more than its code.
  static func fill(_ target: Value, _ state: Value, _ pickle: inout Pickle) throws {
    guard case .tuple(let index) = state else {
      throw pickle.foreign(expected: "the state of an array", found: pickle.kind(state))
    }
    let values = pickle.tuples[index]
    switch target {
    case .dtype:
      return
    case .array(let array):
      // (version, shape, dtype, whether columns come first, data)
      guard values.count == 5, case .tuple(let sizes) = values[1],
        case .dtype(let dtype) = values[2], pickle.string(values[4]) != nil
      else {
        throw pickle.foreign(expected: "the state of an array", found: "other values")
      }
      guard pickle.dtypes[dtype] == "u1", values[3] == .bool(false) || values[3] == .integer(0)
      else {
        throw pickle.foreign(
          expected: "an array of unsigned bytes (u1), rows first",
          found: "\(pickle.dtypes[dtype]), columns first: \(values[3] == .bool(true))")
      }
      let shape = try pickle.tuples[sizes].map { try pickle.integer($0) }
      pickle.arrays[array] = Pickle.Array(shape: shape, data: values[4])
    default:
      throw DatasetError.refused(
        file: pickle.file, what: "a change of \(pickle.kind(target))")
    }
  }
}

/// Strings of protocol 0, which are written as Python source.
enum PickleText {
  /// Takes off the quotes and resolves the escapes that Python writes.
  static func unquote(_ quoted: ArraySlice<UInt8>, of pickle: Pickle) throws -> [UInt8] {
    let backslash = UInt8(ascii: "\\")
    guard quoted.count >= 2, let quote = quoted.first, quote == quoted.last,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else {
      throw pickle.foreign(expected: "a quoted string", found: hexBytes(quoted.prefix(8)))
    }
    var text: [UInt8] = []
    var rest = quoted.dropFirst().dropLast()
    while let byte = rest.popFirst() {
      guard byte == backslash else {
        text.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): text.append(10)
      case UInt8(ascii: "r"): text.append(13)
      case UInt8(ascii: "t"): text.append(9)
      case UInt8(ascii: "x"):
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else {
          throw pickle.foreign(expected: "two hexadecimal digits", found: "“\(digits)”")
        }
        text.append(value)
        rest = rest.dropFirst(2)
      case let character?
      where [backslash, UInt8(ascii: "'"), UInt8(ascii: "\"")]
        .contains(character):
        text.append(character)
      default:
        throw pickle.foreign(expected: "an escape that Python writes", found: "another one")
      }
    }
    return text
  }
}
