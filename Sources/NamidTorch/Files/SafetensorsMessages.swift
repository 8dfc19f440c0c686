import NamidFiles

extension SafetensorsError.Problem {
  var explanation: String {
    switch self {
    case .unreadable(let reason):
      reason
    case .shorterThanLengthField(let byteCount):
      "expected at least 8 bytes for the length of the header, found \(byteCount)"
    case .emptyHeader:
      "expected a header of at least 2 bytes, found a header length of 0"
    case .headerTooLong(let declared, let limit):
      "expected a header of at most \(limit) bytes, found a header length of \(declared)"
    case .headerBeyondFile(let declared, let available):
      "expected \(declared) bytes of header, found the end of the file after \(available)"
    case .headerWithoutBrace(let found):
      "expected the header to begin with '{' at byte 8, found \(Self.shown(byte: found))"
    case .malformedHeader(let offset, let reason):
      "the header is not JSON at byte \(offset): \(reason)"
    case .unexpectedValue(let expected, let found, let tensor):
      "\(Self.prefix(tensor))expected \(expected), found \(found)"
    case .missingField(let field, let tensor):
      "\(Self.prefix(tensor))expected dtype, shape and data_offsets, found no \(field)"
    case .unsupportedDType(let found, let tensor):
      "\(Self.prefix(tensor))expected a dtype of \(Self.supported), found \(Self.shown(found))"
    case .invalidNumber(let text, let fault, let field, let tensor):
      "\(Self.prefix(tensor))expected a whole number from 0 to \(Int.max) for \(field), "
        + "found \(text), which \(fault.rawValue)"
    case .shapeOverflow(let shape, let dtype, let tensor):
      "\(Self.prefix(tensor))expected a shape of at most \(Int.max) bytes, "
        + "found \(Self.shown(shape)) of \(dtype.safetensorsName)"
    case .offsetsReversed(let begin, let end, let tensor):
      "\(Self.prefix(tensor))expected data_offsets that end where they begin or later, "
        + "found [\(begin), \(end)]"
    case .offsetsBeyondBuffer(let begin, let end, let bufferLength, let tensor):
      "\(Self.prefix(tensor))expected data_offsets within the \(bufferLength) bytes of tensor data, "
        + "found [\(begin), \(end)]"
    case .byteCountMismatch(let expected, let found, let shape, let dtype, let tensor):
      "\(Self.prefix(tensor))expected \(expected) bytes for shape \(Self.shown(shape)) of "
        + "\(dtype.safetensorsName), found \(found)"
    case .overlap(let begin, let tensor, let previousEnd, let previous):
      "\(Self.prefix(tensor))expected data from byte \(previousEnd), where tensor \(Self.shown(previous)) "
        + "ends, found it from byte \(begin)"
    case .hole(let range, let tensor):
      "\(Self.prefix(tensor))expected data from byte \(range.lowerBound), where the previous tensor "
        + "ends, found it from byte \(range.upperBound)"
    case .uncoveredTail(let range):
      "expected tensor data to end after \(range.lowerBound) bytes, where the last tensor ends, "
        + "found \(range.upperBound) bytes"
    case .notBoolean(let value, let index, let tensor):
      "\(Self.prefix(tensor))expected only 0 and 1 as values of BOOL, "
        + "found \(value) at element \(index)"
    case .negativeLength(let shape, let tensor):
      "\(Self.prefix(tensor))expected no negative length, found shape \(Self.shown(shape))"
    case .duplicateName(let name):
      "expected every tensor name once, found \(Self.shown(name)) twice"
    case .reservedName(let name):
      "expected names of tensors, found \(Self.shown(name)), which the format keeps for metadata"
    }
  }

  var advice: String {
    switch self {
    case .unreadable:
      "Check the path and its permissions."
    case .unsupportedDType:
      "Convert the tensor to a supported dtype where the file was made."
    default:
      "The file is damaged or no safetensors file; fetch or export it again."
    }
  }

  private static var supported: String {
    DType.safetensorsOrder.reversed().map(\.safetensorsName).joined(separator: ", ")
  }
}

extension SafetensorsError.Problem {
  static func shown(_ text: String) -> String { quotedForPeople(text) }

  static func shown(_ shape: [Int]) -> String {
    let isWhole = shape.count <= 16
    let lengths = shape.prefix(16).map(String.init) + (isWhole ? [] : ["…"])
    return "[\(lengths.joined(separator: ", "))]"
  }

  static func shown(byte: UInt8) -> String {
    guard (0x20..<0x7F).contains(byte) else {
      let digits = String(byte, radix: 16, uppercase: true)
      return "byte 0x" + (digits.count == 1 ? "0" : "") + digits
    }
    return "'\(Character(UnicodeScalar(byte)))'"
  }

  fileprivate static func prefix(_ tensor: String?) -> String {
    tensor.map { "tensor \(shown($0)): " } ?? ""
  }
}
