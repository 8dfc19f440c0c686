import Foundation
import Testing
@testable import NamidTorch

@Suite("Malformed safetensors")
struct SafetensorsMalformedTests {
  typealias Problem = SafetensorsError.Problem

  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let data: Data
    let problem: Problem

    init(_ label: String, _ data: Data, _ problem: Problem) {
      (testDescription, self.data, self.problem) = (label, data, problem)
    }

    init(_ label: String, header: String, dataCount: Int = 0, _ problem: Problem) {
      self.init(label, SafetensorsSample.file(header: header, dataCount: dataCount), problem)
    }

    /// A header that holds one tensor "a", with the given text as its value.
    init(_ label: String, a value: String, dataCount: Int = 4, _ problem: Problem) {
      self.init(label, header: "{\"a\":\(value)}", dataCount: dataCount, problem)
    }
  }

  private static func entry(
    _ name: String, _ begin: Int, _ end: Int, dtype: String = "U8", shape: String? = nil
  ) -> String {
    "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape ?? "[\(end - begin)]"),"
      + "\"data_offsets\":[\(begin),\(end)]}"
  }

  private static func value(
    dtype: String = "\"F32\"", shape: String = "[1]", offsets: String = "[0,4]"
  ) -> String {
    "{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  private static func malformed(
    _ offset: Int, _ expected: String, _ found: String, tensor: String? = nil
  ) -> Problem {
    .malformedHeader(offset: offset, expected: expected, found: found, tensor: tensor)
  }

  private static let anyEight = Data(repeating: 0x20, count: 8)

  static let frames: [Case] = [
    Case("no bytes", Data(), .shorterThanLengthField(byteCount: 0)),
    Case("seven bytes", Data(count: 7), .shorterThanLengthField(byteCount: 7)),
    Case("header of no bytes", Data(count: 8), .emptyHeader),
    Case("header of no bytes before data", Data(count: 16), .emptyHeader),
    Case(
      "header one byte too long", SafetensorsSample.length(100_000_001) + anyEight,
      .headerTooLong(declared: 100_000_001, limit: 100_000_000)),
    Case(
      "longest length", SafetensorsSample.length(.max) + anyEight,
      .headerTooLong(declared: .max, limit: 100_000_000)),
    Case(
      "longest legal header, but not there", SafetensorsSample.length(100_000_000) + anyEight,
      .headerBeyondFile(declared: 100_000_000, available: 8)),
    Case(
      "header one byte beyond the file", SafetensorsSample.length(9) + anyEight,
      .headerBeyondFile(declared: 9, available: 8)),
    Case("space before the header", header: " {}", .headerWithoutBrace(found: 0x20)),
    Case("array as header", header: "[]", .headerWithoutBrace(found: 0x5B)),
    Case("data that no tensor owns", header: "{}", dataCount: 2, .uncoveredTail(0..<2)),
  ]

  static let json: [Case] = [
    Case("open object", header: "{", malformed(9, "a key in quotes", "the end of the header")),
    Case("bare key", header: "{a:1}", malformed(9, "a key in quotes", "'a'")),
    Case("no colon", header: #"{"a" 1}"#, malformed(13, "':' after the key", "'1'")),
    Case(
      "garbage behind the object", header: "{} x",
      malformed(11, "only spaces after the header's object", "'x'")),
    Case(
      "zero byte as padding", header: "{}\0",
      malformed(10, "only spaces after the header's object", "byte 0x00")),
    Case(
      "trailing comma", header: #"{"__metadata__":{"a":"b",}}"#,
      malformed(33, "a key in quotes", "'}'")),
    Case(
      "missing comma", header: #"{"__metadata__":{"a":"b" "c":"d"}}"#,
      malformed(33, "',' or '}' after the value", "'\"'")),
    Case(
      "open string", header: #"{"abc"#,
      malformed(
        13, "'\"' at the end of the string",
        "the end of the header")),
    Case(
      "raw newline in a string", header: "{\"a\nb\":1}",
      malformed(11, "no unescaped control character in a string", "byte 0x0A")),
    Case(
      "unknown escape", header: #"{"a\x":1}"#,
      malformed(12, #"one of "\/bfnrtu after '\'"#, "'x'")),
    Case(
      "escape of the end", header: #"{"a\"#,
      malformed(12, #"a character after '\'"#, "the end of the header")),
    Case(
      "short hexadecimal", header: #"{"\u12g4":1}"#,
      malformed(14, #"4 hexadecimal digits after '\u'"#, "'g'")),
    Case(
      "lone high surrogate", header: #"{"\ud800":1}"#,
      malformed(10, "a pair of surrogates", #"half of one, \ud800"#)),
    Case(
      "lone low surrogate", header: #"{"é\udc00":1}"#,
      malformed(12, "a pair of surrogates", #"half of one, \udc00"#)),
    Case(
      "two low surrogates", header: #"{"\udc00\udc00":1}"#,
      malformed(10, "a pair of surrogates", #"half of one, \udc00"#)),
    Case(
      "two high surrogates", header: #"{"\ud800\ud800":1}"#,
      malformed(10, "a pair of surrogates", #"half of one, \ud800"#)),
    Case(
      "high surrogate before a plain escape", header: #"{"\udbff\n":1}"#,
      malformed(10, "a pair of surrogates", #"half of one, \udbff"#)),
    Case(
      "Latin-1", SafetensorsSample.file(header: Array(#"{"a"#.utf8) + [0xE9, 0x22, 0x7D]),
      .invalidUTF8(offset: 11)),
    Case(
      "overlong UTF-8 after a whole character",
      SafetensorsSample.file(header: Array(#"{"é"#.utf8) + [0xC0, 0x80]), .invalidUTF8(offset: 12)),
    Case(
      "surrogate in UTF-8", SafetensorsSample.file(header: [0x7B, 0x22, 0xED, 0xA0, 0x80]),
      .invalidUTF8(offset: 10)),
    Case(
      "cut UTF-8", SafetensorsSample.file(header: [0x7B, 0x22, 0xE2, 0x82]),
      .invalidUTF8(offset: 10)),
    Case(
      "a tensor twice", header: "{\(entry("a", 0, 1)),\(entry("a", 0, 1))}", dataCount: 1,
      .duplicateKey("a", offset: 61, tensor: nil)),
    Case(
      "one name in two spellings", header: "{\(entry("é", 0, 1)),\(entry("e\u{301}", 1, 2))}",
      dataCount: 2, .duplicateKey("e\u{301}", offset: 62, tensor: nil)),
    Case(
      "one name escaped", header: "{\(entry("a", 0, 1)),\(entry(#"\u0061"#, 1, 2))}",
      dataCount: 2, .duplicateKey("a", offset: 61, tensor: nil)),
    Case(
      "metadata twice", header: #"{"__metadata__":{},"__metadata__":{}}"#,
      .duplicateKey("__metadata__", offset: 27, tensor: nil)),
    Case(
      "metadata key twice", header: #"{"__metadata__":{"a":"1","a":"2"}}"#,
      .duplicateKey("a", offset: 33, tensor: nil)),
    Case("metadata of null", header: #"{"__metadata__":null}"#, malformed(24, "an object", "'n'")),
    Case(
      "metadata of a number", header: #"{"__metadata__":{"a":1}}"#,
      malformed(29, "a string as value of __metadata__", "'1'")),
    Case(
      "deep nesting in metadata",
      header: #"{"__metadata__":{"a":"# + String(repeating: "[", count: 100_000),
      malformed(29, "a string as value of __metadata__", "'['")),
    Case(
      "deep nesting of objects", header: String(repeating: #"{"a":"#, count: 100_000),
      malformed(14, "only dtype, shape and data_offsets", "key \"a\"", tensor: "a")),
    Case(
      "deep nesting in a shape",
      a: #"{"shape":"# + String(repeating: "[", count: 100_000),
      malformed(23, "a number", "'['", tensor: "a")),
  ]

  static let fields: [Case] = [
    Case("tensor of null", a: "null", malformed(13, "an object", "'n'", tensor: "a")),
    Case(
      "tensor as an array", a: #"["F32",[1],[0,4]]"#,
      malformed(13, "an object", "'['", tensor: "a")),
    Case(
      "no dtype", a: #"{"shape":[1],"data_offsets":[0,4]}"#, .missingField("dtype", tensor: "a")),
    Case(
      "no shape", a: #"{"dtype":"F32","data_offsets":[0,4]}"#,
      .missingField("shape", tensor: "a")),
    Case(
      "no offsets", a: #"{"dtype":"F32","shape":[1]}"#,
      .missingField("data_offsets", tensor: "a")),
    Case(
      "unknown field", a: #"{"stride":[1]}"#,
      malformed(14, "only dtype, shape and data_offsets", "key \"stride\"", tensor: "a")),
    Case(
      "field twice", a: #"{"dtype":"F32","dtype":"F32"}"#,
      .duplicateKey("dtype", offset: 28, tensor: "a")),
    Case(
      "dtype of a number", a: value(dtype: "32"),
      malformed(22, "a string as dtype", "'3'", tensor: "a")),
    Case(
      "shape as a string", a: value(shape: "\"1\""),
      malformed(36, "an array", "'\"'", tensor: "a")),
    Case(
      "shape of strings", a: value(shape: "[\"1\"]"),
      malformed(37, "a number", "'\"'", tensor: "a")),
    Case(
      "shape with a trailing comma", a: value(shape: "[1,]"),
      malformed(39, "a number", "']'", tensor: "a")),
    Case(
      "shape with a leading zero", a: value(shape: "[01]"),
      malformed(38, "',' or ']' after the entry", "'1'", tensor: "a")),
    Case(
      "shape with a plus", a: value(shape: "[+1]"),
      malformed(37, "a number", "'+'", tensor: "a")),
    Case(
      "shape of a lone minus", a: value(shape: "[-]"),
      malformed(38, "a digit after '-'", "']'", tensor: "a")),
    Case(
      "shape of a bare fraction", a: value(shape: "[1.]"),
      malformed(39, "a digit after '.'", "']'", tensor: "a")),
    Case(
      "shape of a bare exponent", a: value(shape: "[1e+]"),
      malformed(40, "a digit in the exponent", "']'", tensor: "a")),
    Case("shape of NaN", a: value(shape: "[NaN]"), malformed(37, "a number", "'N'", tensor: "a")),
    Case(
      "one offset", a: value(offsets: "[0]"),
      malformed(55, "2 data_offsets", "1", tensor: "a")),
    Case(
      "three offsets", a: value(offsets: "[0,4,4]"),
      malformed(55, "2 data_offsets", "3", tensor: "a")),
  ]

  static let numbers: [Case] = [
    ("-1", .negative), ("-0", .negative), ("1.0", .fractional), ("1e0", .fractional),
    ("1E2", .fractional), ("9223372036854775808", .tooLarge),
    ("340282366920938463463374607431768211456", .tooLarge),
  ].flatMap { (text: String, fault: SafetensorsError.NumberFault) in
    [
      Case(
        "\(text) in a shape", a: value(shape: "[1, \(text)]"),
        .invalidNumber(text, fault: fault, field: "shape[1]", offset: 40, tensor: "a")),
      Case(
        "\(text) as an offset", a: value(offsets: "[\(text),4]"),
        .invalidNumber(text, fault: fault, field: "data_offsets[0]", offset: 56, tensor: "a")),
    ]
  }

  static let dtypes: [Case] = [
    "F8_E4M3", "F8_E5M2", "U16", "U32", "U64", "C64", "F4", "f32", "F32 ", "",
  ].map {
    Case("dtype \($0)", a: value(dtype: "\"\($0)\""), .unsupportedDType($0, tensor: "a"))
  }

  static let layouts: [Case] = [
    Case("reversed", a: value(offsets: "[4,0]"), .offsetsReversed(begin: 4, end: 0, tensor: "a")),
    Case(
      "one byte beyond the buffer", a: value(), dataCount: 3,
      .offsetsBeyondBuffer(begin: 0, end: 4, bufferLength: 3, tensor: "a")),
    Case(
      "far beyond the buffer", a: value(offsets: "[0,\(Int.max)]"),
      .offsetsBeyondBuffer(begin: 0, end: .max, bufferLength: 4, tensor: "a")),
    Case(
      "empty tensor beyond the buffer", a: value(shape: "[0]", offsets: "[5,5]"),
      .offsetsBeyondBuffer(begin: 5, end: 5, bufferLength: 4, tensor: "a")),
    Case(
      "too few bytes for the shape", a: value(shape: "[2]"),
      .byteCountMismatch(expected: 8, found: 4, shape: [2], dtype: .float32, tensor: "a")),
    Case(
      "too many bytes for the shape", a: value(shape: "[0]"),
      .byteCountMismatch(expected: 0, found: 4, shape: [0], dtype: .float32, tensor: "a")),
    Case(
      "0-rank tensor without bytes", a: value(shape: "[]", offsets: "[0,0]"), dataCount: 0,
      .byteCountMismatch(expected: 4, found: 0, shape: [], dtype: .float32, tensor: "a")),
    Case(
      "product beyond 63 bits", a: value(shape: "[4294967296,4294967296]"),
      .shapeOverflow([1 << 32, 1 << 32], dtype: .float32, tensor: "a")),
    Case(
      "product that wraps to the right size", a: value(shape: "[4611686018427387905]"),
      .shapeOverflow([1 << 62 + 1], dtype: .float32, tensor: "a")),
    Case(
      "overflow hidden by a zero",
      a: value(shape: "[0,4294967296,4294967296]", offsets: "[0,0]"), dataCount: 0,
      .shapeOverflow([0, 1 << 32, 1 << 32], dtype: .float32, tensor: "a")),
    Case(
      "overlap", header: "{\(entry("a", 0, 3)),\(entry("b", 2, 4))}", dataCount: 4,
      .overlap(begin: 2, tensor: "b", previousEnd: 3, previous: "a")),
    Case(
      "the same bytes twice", header: "{\(entry("b", 0, 2)),\(entry("a", 0, 2))}", dataCount: 2,
      .overlap(begin: 0, tensor: "a", previousEnd: 2, previous: "b")),
    Case(
      "empty tensor within another", header: "{\(entry("a", 0, 3)),\(entry("e", 1, 1))}",
      dataCount: 3, .overlap(begin: 1, tensor: "e", previousEnd: 3, previous: "a")),
    Case(
      "hole at the start", header: "{\(entry("a", 1, 3))}", dataCount: 3,
      .hole(0..<1, before: "a")),
    Case(
      "hole in between", header: "{\(entry("b", 3, 4)),\(entry("a", 0, 2))}", dataCount: 4,
      .hole(2..<3, before: "b")),
    Case(
      "bytes behind the last tensor", header: "{\(entry("a", 0, 3))}", dataCount: 4,
      .uncoveredTail(3..<4)),
    Case(
      "truth value of 2", header: "{\(entry("a", 0, 1)),\(entry("m", 1, 3, dtype: "BOOL"))}",
      dataCount: 3, .notBoolean(2, index: 1, tensor: "m")),
  ]

  @Test(
    "is refused with the place and the reason",
    arguments: frames + json + fields + numbers + dtypes + layouts)
  func refusal(of malformed: Case) {
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsFile(malformed.data, named: "x.safetensors")
    }
    #expect(error?.problem == malformed.problem)
    #expect(error?.file == "x.safetensors")
    #expect(error?.operation == .reading)
  }

  @Test("no two cases of the tables are the same")
  func distinctCases() {
    let all = Self.frames + Self.json + Self.fields + Self.numbers + Self.dtypes + Self.layouts
    #expect(Set(all.map(\.testDescription)).count == all.count)
    #expect(Set(all.map(\.data)).count == all.count)
  }
}
