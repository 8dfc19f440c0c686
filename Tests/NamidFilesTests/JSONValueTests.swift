import Foundation
import NamidFiles
import NamidTestSupport
import Testing

@Suite struct JSONValueTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-12", "0.1", "1e-05", "1e+300", "9223372036854775807",
    #""""#, #""a\"b\\c\nd\te\u0001f""#, #""ü 漢 😀""#, "[]", "{}", "[1,[2,[]],{}]",
    #"{"z":1,"a":{"y":null,"b":[true]}}"#,
  ])
  func textSurvivesReadingAndWriting(json: String) throws {
    #expect(try JSONValue(parsing: json).text() == json)
  }

  @Test func readsWhatOthersWrite() throws {
    let json =
      "\u{FEFF} { \"a\" :\t[ 1 , 2.50 , -0 , 1E2 ],\r\n \"b\":\"\\u00fc\\ud83d\\ude00\\/\" } "
    let value = try JSONValue(parsing: json)
    #expect(value == ["a": [1, 2.5, -0.0, 100.0], "b": "ü😀/"])
    // A negative zero is no integer.
    #expect(value["a"]?.arrayValue?[2] == .double(-0.0))
    #expect(try JSONValue(parsing: "18446744073709551616") == .double(18446744073709551616))
  }

  @Test(arguments: [
    ("", "line 1, column 1: expected a value, found the end"),
    ("{\"a\":1,\n \"b\":}", "line 2, column 6: expected a value, found \"}\""),
    ("{\"a\":1 \"b\":2}", "line 1, column 8: expected \",\" or \"}\", found \"\"\""),
    ("{\"a\" 1}", "line 1, column 6: expected \":\" after the name \"a\", found \"1\""),
    ("{a:1}", "line 1, column 2: expected a name in quotes, found \"a\""),
    ("[1,]", "line 1, column 4: expected a value, found \"]\""),
    ("[1 2]", "line 1, column 4: expected \",\" or \"]\", found \"2\""),
    ("{\"a\":1,\"a\":2}", "line 1, column 11: the name \"a\" occurs twice"),
    ("1 x", "line 1, column 3: expected the end, found \"x\""),
    ("01", "line 1, column 3: a number does not start with 0 and a digit"),
    ("1.", "line 1, column 3: expected a digit, found the end"),
    ("-", "line 1, column 2: expected a digit, found the end"),
    ("1e999", "line 1, column 6: the number 1e999 is too large"),
    ("\"a", "line 1, column 3: a text without a closing quote"),
    ("\"a\nb\"", "line 2, column 1: a control character inside a text"),
    ("\"\\x\"", "line 1, column 3: an unknown escape \\\"x\""),
    ("\"\\u12G4\"", "line 1, column 4: expected four hexadecimal digits after \\u"),
    ("\"\\ud800\"", "line 1, column 8: half of a surrogate pair"),
    ("\"\\ud800\\u0041\"", "line 1, column 14: half of a surrogate pair"),
    ("\"\\udc00\"", "line 1, column 8: half of a surrogate pair"),
    ("NaN", "line 1, column 1: expected a value, found \"N\""),
    ("tru", "line 1, column 1: expected a value, found \"t\""),
  ])
  func faultsAreNamedWithTheirPlace(json: String, expected: String) {
    #expect(message { _ = try JSONValue(parsing: json) } == expected)
  }

  @Test func refusesWhatIsNotUTF8() {
    let bytes: [UInt8] = [0x22, 0xC3, 0x28, 0x22]
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: bytes) }
  }

  @Test func nestingIsBounded() throws {
    let nested = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
    _ = try JSONValue(parsing: nested(256))
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(257)) }
    #expect(throws: JSONSyntaxError.self) {
      try JSONValue(parsing: String(repeating: "[", count: 1_000_000))
    }
  }

  @Test func indentedTextKeepsListsOfPlainValuesOnOneLine() {
    let value: JSONValue = ["ci95": [0.1, 0.2], "runs": [["n": 1], [:]], "none": []]
    let expected = """
      {
        "ci95": [0.1, 0.2],
        "runs": [
          {
            "n": 1
          },
          {}
        ],
        "none": []
      }
      """
    #expect(value.text(indent: 2) == expected)
  }

  @Test func numbersOutsideOfJSONAreTexts() throws {
    let value: JSONValue = .array([.double(.nan), .double(.infinity), .double(-.infinity)])
    #expect(value.text() == #"["nan","inf","-inf"]"#)
    let numbers = try JSONValue(parsing: value.text()).decode([Double].self)
    #expect(numbers[0].isNaN)
    #expect(numbers[1...] == [.infinity, -.infinity])
  }

  @Test func objectsKeepOrderButCompareWithoutIt() {
    var object: JSONObject = ["b": 1, "a": 2]
    object["c"] = 3
    object["b"] = 4
    #expect(object.keys == ["b", "a", "c"])
    #expect(object == ["a": 2, "b": 4, "c": 3])
    #expect(object.hashValue == (["c": 3, "b": 4, "a": 2] as JSONObject).hashValue)
    object["b"] = nil
    #expect(object.map(\.key) == ["a", "c"])
    #expect(object != ["a": 2])
  }

  @Test func passesThroughFoundation() throws {
    let value: JSONValue = ["a": [1, 2.5, nil, true, "x"], "b": [:]]
    let data = try JSONEncoder().encode(value)
    #expect(try JSONValue(parsing: data) == value)
    #expect(try JSONDecoder().decode(JSONValue.self, from: data) == value)
  }
}
