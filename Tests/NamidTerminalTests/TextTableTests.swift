import Testing
@testable import NamidTerminal

@Suite struct TextTableTests {
  private var table: TextTable {
    var table = TextTable(["defense", "clean", "PGD-40", "time"])
    table.append(["natural", "89.1 %", "0.0 %", "03:41"])
    table.append(["namid", "85.3 %", "71.2 ± 0.4 %", "1h02m"])
    table.append(["漢|x", "–", "", "-"])
    return table
  }

  @Test func numbersStandToTheRightOnTerminals() {
    #expect(
      table.text == """
        defense   clean        PGD-40  time
        ------------------------------------
        natural  89.1 %         0.0 %  03:41
        namid    85.3 %  71.2 ± 0.4 %  1h02m
        漢|x          –                -

        """)
  }

  @Test func markdownIsAlignedAndEscaped() {
    #expect(
      table.markdown == """
        | defense |  clean |       PGD-40 | time  |
        | ------- | -----: | -----------: | ----- |
        | natural | 89.1 % |        0.0 % | 03:41 |
        | namid   | 85.3 % | 71.2 ± 0.4 % | 1h02m |
        | 漢\\|x   |      – |              | -     |

        """)
  }

  @Test func alignmentCanBeGiven() {
    var table = TextTable(["a", "b"], alignments: [.right, .left])
    table.append(["x", "1"])
    table.append(["long", "200"])
    #expect(table.text == "   a  b\n---------\n   x  1\nlong  200\n")
  }

  @Test func emptyTablesAndLineBreaksAreHarmless() {
    #expect(TextTable(["a", "bc"]).text == "a  bc\n-----\n")
    #expect(TextTable([]).text == "\n\n")
    var table = TextTable(["a"])
    table.append(["two\nlines"])
    #expect(table.markdown == "| a         |\n| --------- |\n| two lines |\n")
  }

  @Test(arguments: [
    ("abc", 3), ("ü", 1), ("u\u{308}", 1), ("漢字", 4), ("한", 2), ("😀", 2), ("█▊", 2), ("", 0),
    ("\u{200B}", 0), ("±–…", 3),
  ])
  func widths(text: String, columns: Int) {
    #expect(displayWidth(text) == columns)
  }

  @Test func cuttingCountsColumns() {
    #expect(truncated("abcdef", toColumns: 6) == "abcdef")
    #expect(truncated("abcdef", toColumns: 5) == "abcd…")
    #expect(truncated("漢字漢字", toColumns: 4) == "漢…")
    #expect(truncated("abc", toColumns: 0) == "")
  }
}
