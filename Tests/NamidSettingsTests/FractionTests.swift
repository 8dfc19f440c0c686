import Foundation
import NamidFiles
import NamidTestSupport
import Testing
@testable import NamidSettings

@Suite struct FractionTests {
  private static let numbers: [(String, Double)] = [
    ("8/255", 0.03137254901960784), ("0.031", 0.031), ("1e-3", 0.001),
    (" 8 / 255 ", 0.03137254901960784), ("-1/2", -0.5), ("3", 3), ("2.5/0.5", 5), (".5", 0.5),
  ]

  @Test(arguments: numbers)
  func readsNumbersAsPeopleWriteThem(text: String, value: Double) throws {
    let fraction = try #require(Fraction(text))
    #expect(fraction.value == value)
    #expect(fraction.description == text.trimmingCharacters(in: .whitespaces))
  }

  @Test(arguments: [
    "8/0", "", " ", "nan", "inf", "-inf", "infinity", "0x10", "8/", "/255", "1/2/3", "8\\255",
    "1e999", "1e308/1e-308", "eight", "8/nan", "1 2",
  ])
  func refusesEverythingElse(text: String) {
    #expect(Fraction(text) == nil)
  }

  @Test func comparesByValue() throws {
    let written = try #require(Fraction("16/510"))
    #expect(written == Fraction(8, over: 255))
    #expect(Set([written, Fraction(8, over: 255)]).count == 1)
    #expect(written != 0.031)
  }

  @Test func literalsKeepTheirShortestText() {
    let third: Fraction = 0.031
    let eight: Fraction = 8
    #expect(third.description == "0.031")
    #expect(eight.description == "8")
    #expect(Fraction(8, over: 255).description == "8/255")
  }

  @Test(arguments: [
    (#""8/255""#, #""8/255""#), ("0.031", "0.031"), ("8", "8"), (#""0.031""#, "0.031"),
    (#""1e-3""#, #""1e-3""#), ("1e-3", "0.001"), ("8.0", "8"),
  ])
  func isWrittenBackAsWritten(json: String, expected: String) throws {
    let fraction = try JSONValue(parsing: json).decode(Fraction.self)
    #expect(try JSONValue(encoding: fraction).text() == expected)
  }

  @Test func readsThroughFoundationToo() throws {
    let data = Data(#"["8/255", 0.031, 1]"#.utf8)
    let fractions = try JSONDecoder().decode([Fraction].self, from: data)
    #expect(fractions.map(\.description) == ["8/255", "0.031", "1"])
  }

  @Test func refusalsSayWhatIsExpected() {
    let reason = message {
      let value: JSONValue = ["epsilon": "8/0"]
      _ = try value.decode([String: Fraction].self)
    }
    #expect(reason == #"epsilon: expected a number such as 8/255, 0.031 or 1e-3, found "8/0""#)
  }
}
