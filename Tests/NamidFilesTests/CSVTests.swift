import NamidFiles
import Testing

@Suite struct CSVTests {
  @Test(arguments: [
    ["a", "b", ""], ["one, two", "\"quoted\"", "a\"b"], [""], ["", ""], ["\"", "\"\"", ",", "x"],
  ])
  func whatIsWrittenIsReadAgain(fields: [String]) {
    #expect(CSV.fields(CSV.line(fields)[...]) == fields)
  }

  @Test func onlyWhatNeedsQuotesHasThem() {
    #expect(
      CSV.line(["pgd-20", "a,b", "say \"x\"", "l\n"]) == "pgd-20,\"a,b\",\"say \"\"x\"\"\",\"l\n\"")
    #expect(CSV.fields("a,\"b,c\",d\r") == ["a", "b,c", "d"])
  }
}
