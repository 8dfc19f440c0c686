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

  private static func malformed(_ offset: Int, _ reason: String) -> Problem {
    .malformedHeader(offset: offset, reason: reason)
  }

  private static func unexpected(
    _ expected: String, _ found: String, tensor: String? = "a"
  ) -> Problem {
    .unexpectedValue(expected: expected, found: found, tensor: tensor)
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
    Case("open object", header: "{", malformed(9, "expected a name in quotes, found the end")),
    Case("bare key", header: "{a:1}", malformed(9, #"expected a name in quotes, found "a""#)),
    Case(
      "no colon", header: #"{"a" 1}"#,
      malformed(13, #"expected ":" after the name "a", found "1""#)),
    Case(
      "garbage behind the object", header: "{} x", malformed(11, #"expected the end, found "x""#)),
    Case(
      "zero byte as padding", header: "{}\0",
      malformed(10, "expected the end, found byte 0x00")),
    Case(
      "trailing comma", header: #"{"__metadata__":{"a":"b",}}"#,
      malformed(33, #"expected a name in quotes, found "}""#)),
    Case(
      "missing comma", header: #"{"__metadata__":{"a":"b" "c":"d"}}"#,
      malformed(33, #"expected "," or "}", found """"#)),
    Case("open string", header: #"{"abc"#, malformed(13, "a text without a closing quote")),
    Case(
      "raw newline in a string", header: "{\"a\nb\":1}",
      malformed(12, "a control character inside a text")),
    Case("unknown escape", header: #"{"a\x":1}"#, malformed(12, #"an unknown escape \"x""#)),
    Case("escape of the end", header: #"{"a\"#, malformed(12, "a text without a closing quote")),
    Case(
      "short hexadecimal", header: #"{"\u12g4":1}"#,
      malformed(12, #"expected four hexadecimal digits after \u"#)),
    Case(
      "lone high surrogate", header: #"{"\ud800":1}"#, malformed(16, "half of a surrogate pair")),
    Case(
      "lone low surrogate", header: #"{"é\udc00":1}"#, malformed(18, "half of a surrogate pair")),
    Case(
      "two low surrogates", header: #"{"\udc00\udc00":1}"#,
      malformed(16, "half of a surrogate pair")),
    Case(
      "two high surrogates", header: #"{"\ud800\ud800":1}"#,
      malformed(22, "half of a surrogate pair")),
    Case(
      "high surrogate before a plain escape", header: #"{"\udbff\n":1}"#,
      malformed(16, "half of a surrogate pair")),
    Case(
      "Latin-1", SafetensorsSample.file(header: Array(#"{"a"#.utf8) + [0xE9, 0x22, 0x7D]),
      malformed(13, "a text that is not UTF-8")),
    Case(
      "overlong UTF-8 after a whole character",
      SafetensorsSample.file(header: Array(#"{"é"#.utf8) + [0xC0, 0x80, 0x22]),
      malformed(15, "a text that is not UTF-8")),
    Case(
      "surrogate in UTF-8", SafetensorsSample.file(header: [0x7B, 0x22, 0xED, 0xA0, 0x80, 0x22]),
      malformed(14, "a text that is not UTF-8")),
    Case(
      "cut UTF-8", SafetensorsSample.file(header: [0x7B, 0x22, 0xE2, 0x82, 0x22]),
      malformed(13, "a text that is not UTF-8")),
    Case(
      "a tensor twice", header: "{\(entry("a", 0, 1)),\(entry("a", 0, 1))}", dataCount: 1,
      malformed(64, #"the name "a" occurs twice"#)),
    Case(
      "one name in two spellings", header: "{\(entry("é", 0, 1)),\(entry("e\u{301}", 1, 2))}",
      dataCount: 2, malformed(67, "the name \"e\u{301}\" occurs twice")),
    Case(
      "one name escaped", header: "{\(entry("a", 0, 1)),\(entry(#"\u0061"#, 1, 2))}",
      dataCount: 2, malformed(69, #"the name "a" occurs twice"#)),
    Case(
      "metadata twice", header: #"{"__metadata__":{},"__metadata__":{}}"#,
      malformed(41, #"the name "__metadata__" occurs twice"#)),
    Case(
      "metadata key twice", header: #"{"__metadata__":{"a":"1","a":"2"}}"#,
      malformed(36, #"the name "a" occurs twice"#)),
    Case(
      "metadata of null", header: #"{"__metadata__":null}"#,
      unexpected("an object", "null", tensor: nil)),
    Case(
      "metadata of a number", header: #"{"__metadata__":{"a":1}}"#,
      unexpected("a string as value of __metadata__", "1", tensor: nil)),
    Case(
      "deep nesting in metadata",
      header: #"{"__metadata__":{"a":"# + String(repeating: "[", count: 100_000),
      malformed(283, "more than 256 nested levels")),
    Case(
      "deep nesting of objects", header: String(repeating: #"{"a":"#, count: 100_000),
      malformed(1288, "more than 256 nested levels")),
    Case(
      "deep nesting in a shape",
      a: #"{"shape":"# + String(repeating: "[", count: 100_000),
      malformed(276, "more than 256 nested levels")),
  ]

  static let fields: [Case] = [
    Case("tensor of null", a: "null", unexpected("an object", "null")),
    Case("tensor as an array", a: #"["F32",[1],[0,4]]"#, unexpected("an object", "an array of 3")),
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
      unexpected("only dtype, shape and data_offsets", #"key "stride""#)),
    Case(
      "field twice", a: #"{"dtype":"F32","dtype":"F32"}"#,
      malformed(35, #"the name "dtype" occurs twice"#)),
    Case("dtype of a number", a: value(dtype: "32"), unexpected("a string as dtype", "32")),
    Case(
      "shape as a string", a: value(shape: "\"1\""), unexpected("an array as shape", #""1""#)),
    Case(
      "shape of strings", a: value(shape: "[\"1\"]"),
      unexpected("a number as shape[0]", #""1""#)),
    Case(
      "shape with a trailing comma", a: value(shape: "[1,]"),
      malformed(39, #"expected a value, found "]""#)),
    Case(
      "shape with a leading zero", a: value(shape: "[01]"),
      malformed(39, "a number does not start with 0 and a digit")),
    Case(
      "shape with a plus", a: value(shape: "[+1]"),
      malformed(37, #"expected a value, found "+""#)),
    Case(
      "shape of a lone minus", a: value(shape: "[-]"),
      malformed(38, #"expected a digit, found "]""#)),
    Case(
      "shape of a bare fraction", a: value(shape: "[1.]"),
      malformed(39, #"expected a digit, found "]""#)),
    Case(
      "shape of a bare exponent", a: value(shape: "[1e+]"),
      malformed(40, #"expected a digit, found "]""#)),
    Case(
      "shape of NaN", a: value(shape: "[NaN]"), malformed(37, #"expected a value, found "N""#)),
    Case("one offset", a: value(offsets: "[0]"), unexpected("2 data_offsets", "1")),
    Case("three offsets", a: value(offsets: "[0,4,4]"), unexpected("2 data_offsets", "3")),
  ]

  static let numbers: [Case] = [
    ("-1", "-1", .negative), ("-0", "-0.0", .negative), ("1.0", "1.0", .fractional),
    ("1e0", "1.0", .fractional), ("1E2", "100.0", .fractional),
    ("9223372036854775808", "9.223372036854776e+18", .tooLarge),
    ("340282366920938463463374607431768211456", "3.402823669209385e+38", .tooLarge),
  ].flatMap { (text: String, shown: String, fault: SafetensorsError.NumberFault) in
    [
      Case(
        "\(text) in a shape", a: value(shape: "[1, \(text)]"),
        .invalidNumber(shown, fault: fault, field: "shape[1]", tensor: "a")),
      Case(
        "\(text) as an offset", a: value(offsets: "[\(text),4]"),
        .invalidNumber(shown, fault: fault, field: "data_offsets[0]", tensor: "a")),
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
