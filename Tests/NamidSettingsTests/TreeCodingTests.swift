import Foundation
import NamidFiles
import NamidTestSupport
import Testing
@testable import NamidSettings

private struct Everything: Codable, Equatable {
  struct Inner: Codable, Equatable {
    var zeta = 1
    var alpha = "x"
  }

  enum Payload: Codable, Equatable {
    case none
    case some(Int, label: String)
  }

  var truth = true
  var text = "text"
  var double = 0.1
  var float: Float = 0.1
  var int = -1
  var small: Int8 = -128
  var middle: Int32 = 7
  var large: UInt64 = 1 << 62
  var byte: UInt8 = 255
  var list = [1, 2]
  var sparse: [Int?] = [1, nil]
  var inner = Inner()
  var inners = [Inner(zeta: 2, alpha: "y")]
  var named = ["b": 2, "a": 1]
  var payload = Payload.some(3, label: "l")
  var free: JSONValue = ["k": [1]]
  var epsilon = Fraction(8, over: 255)
}

private struct AllOptional: Codable, Equatable {
  var bool: Bool?
  var string: String?
  var double: Double?
  var float: Float?
  var int: Int?
  var int8: Int8?
  var int16: Int16?
  var int32: Int32?
  var int64: Int64?
  var uint: UInt?
  var uint8: UInt8?
  var uint16: UInt16?
  var uint32: UInt32?
  var uint64: UInt64?
  var group: Everything.Inner?
  var fraction: Fraction?
}

@Suite struct TreeCodingTests {
  @Test func valuesBecomeTreesInOrderOfDeclaration() throws {
    let expected = """
      {"truth":true,"text":"text","double":0.1,"float":0.1,"int":-1,"small":-128,"middle":7,\
      "large":4611686018427387904,"byte":255,"list":[1,2],"sparse":[1,null],\
      "inner":{"zeta":1,"alpha":"x"},"inners":[{"zeta":2,"alpha":"y"}],"named":{"a":1,"b":2},\
      "payload":{"some":{"_0":3,"label":"l"}},"free":{"k":[1]},"epsilon":"8/255"}
      """
    #expect(try JSONValue(encoding: Everything()).text() == expected)
  }

  @Test func valuesComeBack() throws {
    var value = Everything()
    value.float = 16_777_217.3
    value.double = -0.1 + 0.3
    value.payload = .none
    value.sparse = []
    let tree = try JSONValue(parsing: JSONValue(encoding: value).text())
    #expect(try tree.decode(Everything.self, unknownKeys: .refused) == value)
  }

  @Test func optionalMembersOfEveryTypeAreWrittenAsNull() throws {
    let tree = try JSONValue(encoding: AllOptional())
    let object = try #require(tree.objectValue)
    #expect(object.count == 16)
    #expect(object.allSatisfy { $0.value == .null })
    #expect(try tree.decode(AllOptional.self) == AllOptional())
    var filled = AllOptional()
    filled.uint8 = 3
    filled.group = .init()
    let filledTree = try JSONValue(encoding: filled)
    #expect(filledTree["uint8"] == 3)
    #expect(try filledTree.decode(AllOptional.self) == filled)
  }

  @Test func integersBeyondTheRangeAreRefusedNotRounded() {
    #expect(throws: EncodingError.self) { try JSONValue(encoding: UInt64.max) }
    #expect(throws: ValueError.self) { try JSONValue.double(1e30).decode(Int.self) }
  }

  @Test func wholeNumbersAreIntegersHoweverWritten() throws {
    #expect(try JSONValue.double(3).decode(Int.self) == 3)
    #expect(try JSONValue.int(3).decode(Double.self) == 3)
  }

  @Test func unknownKeysAreIgnoredUnlessRefused() throws {
    let tree: JSONValue = ["zeta": 1, "alpha": "x", "later": 1]
    #expect(try tree.decode(Everything.Inner.self) == .init())
    #expect(throws: ValueError.self) {
      try tree.decode(Everything.Inner.self, unknownKeys: .refused)
    }
  }

  @Test(arguments: [
    (#"{"zeta":1}"#, #"missing key "[0].alpha""#),
    (#"{"zeta":1.5,"alpha":"x"}"#, "[0].zeta: expected an integer, found 1.5"),
    (#"{"zeta":1,"alpha":7}"#, "[0].alpha: expected a text, found 7 (in quotes it is a text)"),
    ("3", "[0]: expected a group of keys, found 3"),
  ])
  func errorsNameTheWholePath(json: String, expected: String) {
    let text = message { _ = try JSONValue(parsing: "[\(json)]").decode([Everything.Inner].self) }
    #expect(text == expected)
  }
}
