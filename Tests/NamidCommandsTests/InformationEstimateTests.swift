import Foundation
import NamidTestSupport
import Testing

/// What `namid mi estimate` says of files that it cannot use, and of one that it can.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct InformationEstimateTests {
  private static func column(_ count: Int, _ value: (Int) -> String = { "\(($0 * 37) % 101)" })
    -> String
  {
    (0..<count).map { value($0) + "\n" }.joined()
  }

  private static let good = column(40)
  /// What the two files hold, and parts of what must be said.
  private static let mistakes: [(x: String, y: String, said: [String])] = [
    (good, column(39), ["x.csv has 40 rows", "y.csv 39", "rows must belong together"]),
    (good, column(40) { _ in "2.5" }, ["y.csv, column 1", "same value in every row"]),
    (
      good, column(40) { $0 == 6 ? "nan" : "\($0)" },
      ["y.csv, row 7, column 1", "not a finite number"]
    ),
    (
      good, column(40) { $0 == 6 ? "-inf" : "\($0)" },
      ["y.csv, row 7, column 1", "not a finite number"]
    ),
    (
      good, column(40) { $0 == 6 ? "1,two" : "\($0),\($0 * $0)" },
      ["y.csv, line 7, column 2: \"two\" is not a number"]
    ),
    (
      "height,width\n" + column(40) { "\($0 % 7),\($0 == 2 ? "?" : "\($0)")" }, good,
      ["x.csv, line 4, column 2 (width): \"?\" is not a number"]
    ),
    (good, column(40) { $0 == 3 ? "1" : "1,2" }, ["y.csv, line 4: 1 cells", "have 2"]),
    ("", good, ["x.csv has no rows"]), ("a,b\n", good, ["x.csv has no rows"]),
    (good, good, ["40 rows are too few", "a smaller --batch-size needs fewer"]),
  ]

  @Test(arguments: mistakes)
  func filesThatCannotBeUsedAreExplained(x: String, y: String, said: [String]) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try Data(x.utf8).write(to: folder.appending(path: "x.csv"))
    try Data(y.utf8).write(to: folder.appending(path: "y.csv"))
    let outcome = try Tool.run(
      ["mi", "estimate", "x.csv", "y.csv", "--json", "out.json"], in: folder)
    #expect(outcome.status != 0)
    #expect(outcome.output == "")
    for text in said { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
    #expect(try sortedNames(in: folder) == ["x.csv", "y.csv"])
  }

  @Test func filesThatAreNotThereAreNamed() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try Data(Self.good.utf8).write(to: folder.appending(path: "x.csv"))
    try Data(Self.good.utf8).write(to: folder.appending(path: "x.parquet"))
    for (arguments, said) in [
      (["x.csv", "no.csv"], "no.csv"), (["x.csv", "x.parquet"], "the ending .parquet"),
      (["x.csv"], "no columns named X… and Y…"),
    ] {
      let outcome = try Tool.run(["mi", "estimate"] + arguments, in: folder)
      #expect(outcome.status != 0 && outcome.output == "", "\(arguments)")
      #expect(outcome.errors.contains(said), "\(outcome.errors)")
    }
  }

  /// Two columns that differ by a little noise, without training: both estimators must see a lot.
  @Test(arguments: ["ksg", "gaussian"])
  func dependentColumnsGiveANumber(estimator: String) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let x = (0..<400).map { Double(($0 * 7919) % 401) / 401 }
    let rows = x.enumerated().map { "\($1),\($1 + 0.05 * Double(($0 * 104_729) % 97) / 97)\n" }
    try Data(("X0,Y0\n" + rows.joined()).utf8).write(to: folder.appending(path: "both.csv"))
    let outcome = try Tool.run(
      ["mi", "estimate", "both.csv", "--estimator", estimator, "--quiet"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let value = try #require(
      Double(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(value > 1.5 && value < 6, "\(value)")
  }
}
