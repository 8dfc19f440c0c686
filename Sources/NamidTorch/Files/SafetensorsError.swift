/// An error that says why a safetensors file could not be read or written.
public struct SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// The use of the file that failed.
  public enum Operation: Sendable {
    /// The file was being read.
    case reading
    /// The file was being written; whatever lay at its path before is untouched.
    case writing
  }

  /// Path of the file, or a name for data that came from elsewhere.
  public let file: String
  /// The use of the file that failed.
  public let operation: Operation
  /// The fault.
  public let problem: Problem

  /// One sentence on what was expected and found, and one on what to do next.
  public var description: String {
    switch operation {
    case .reading: "cannot read \(file): \(problem.explanation). \(problem.advice)"
    case .writing: "cannot write \(file): \(problem.explanation). Nothing was written."
    }
  }
}

extension SafetensorsError {
  /// The reason for which a number cannot be a length or an offset.
  public enum NumberFault: String, Sendable {
    /// A minus sign.
    case negative = "is negative"
    /// A fraction or an exponent.
    case fractional = "has a fraction or an exponent"
    /// A value that does not fit into 63 bits.
    case tooLarge = "is too large"
  }

  /// Everything that can be wrong; offsets named `offset` count from the start of the file, and
  /// ranges from the start of the tensor data, as in the file's own header.
  public enum Problem: Error, Equatable, Sendable {
    /// The system could not read the file.
    case unreadable(reason: String)
    /// The file has no room for the header's length.
    case shorterThanLengthField(byteCount: Int)
    /// The header's length is zero.
    case emptyHeader
    /// The header is longer than the format allows.
    case headerTooLong(declared: UInt64, limit: Int)
    /// The header's length runs past the end of the file.
    case headerBeyondFile(declared: UInt64, available: Int)
    /// The header does not begin with a brace.
    case headerWithoutBrace(found: UInt8)
    /// The header is not JSON, or a name occurs twice in one of its objects.
    case malformedHeader(offset: Int, reason: String)
    /// The header is JSON, but not the JSON that the format prescribes.
    case unexpectedValue(expected: String, found: String, tensor: String?)
    /// A tensor lacks its `dtype`, `shape` or `data_offsets`.
    case missingField(String, tensor: String)
    /// The element type is none that is supported.
    case unsupportedDType(String, tensor: String)
    /// A length or an offset is not a whole number from 0 to 2⁶³ − 1.
    case invalidNumber(String, fault: NumberFault, field: String, tensor: String)
    /// The lengths of a shape multiply to more bytes than 63 bits can count.
    case shapeOverflow([Int], dtype: DType, tensor: String)
    /// A range ends before it begins.
    case offsetsReversed(begin: Int, end: Int, tensor: String)
    /// A range ends after the last byte of the file.
    case offsetsBeyondBuffer(begin: Int, end: Int, bufferLength: Int, tensor: String)
    /// Shape and type ask for another number of bytes than there are.
    case byteCountMismatch(
      expected: Int, found: Int, shape: [Int], dtype: DType, tensor: String)
    /// Two tensors share bytes.
    case overlap(begin: Int, tensor: String, previousEnd: Int, previous: String)
    /// Bytes before a tensor belong to none.
    case hole(Range<Int>, before: String)
    /// Bytes at the end belong to no tensor.
    case uncoveredTail(Range<Int>)
    /// A truth value is neither 0 nor 1.
    case notBoolean(UInt8, index: Int, tensor: String)
    /// A tensor to be written has a negative length.
    case negativeLength([Int], tensor: String)
    /// Two tensors to be written have one name.
    case duplicateName(String)
    /// A tensor to be written has the name that the format keeps for metadata.
    case reservedName(String)
  }
}
