import Foundation
import NamidFiles
import NamidTestSupport
import Testing

/// `namid report` on a small reproduction, opened in a real browser where there is one.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct ReportCommandTests {
  private let recipe = BarsRecipe.text(
    seeds: "[0]", threat: "{norm: l2, epsilon: 1/2}",
    rest: """
      rows:
        Standard: {defense: standard}
        Natural: {defense: natural}
      estimators:
        all:
          target: Natural
          kind: standard
          settings:
            {units: 4, epochs: 1, batchSize: 32, threat: {epsilon: 0}, attack: {steps: 1}}
      columns:
        clean: {attack: clean}
        DDN: {attack: ddn-5}
      probes:
        Pairings: {kind: poc, network: Natural, estimators: all, attack: pgd-2, limit: 24}
      """)

  private func withReproduction(_ body: (URL) throws -> Void) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try SyntheticImages.write(to: folder.appending(path: "images"))
    try Data(recipe.utf8).write(to: folder.appending(path: "bars.yaml"))
    let outcome = try Tool.run(
      ["reproduce", "bars.yaml", "--out", "out", "--threads", "1"], in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    try body(folder)
  }

  @Test func aReproductionBecomesAPageThatABrowserDrawsWithoutComplaint() throws {
    try withReproduction { folder in
      let outcome = try Tool.run(["report", "out", "--images", "2"], in: folder)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let page = folder.appending(path: "out/report.html")
      let html = try String(contentsOf: page, encoding: .utf8)
      for part in [
        "<h2>Bars</h2>", "<h2>Training</h2>", "<h2>Robustness over ε</h2>",
        "<h2>Distributions of mutual information</h2>", "<h2>Attacked images</h2>",
        "<h2>What measuring has cost</h2>", "<h2>Steps</h2>", "data:image/png;base64,",
        "Standard MI: Pairings", "ddn-5", "namid train",
      ] {
        let isThere = html.contains(part)
        #expect(isThere, "\(part)")
      }
      // Every figure leads to a file that is there.
      let links = html.matches(of: /<td[^>]*><a href="([^"]+)"/).map { String($0.1) }
      #expect(links.count > 8)
      for link in Set(links) {
        let path = link.removingPercentEncoding ?? link
        #expect(
          FileManager.default.fileExists(atPath: folder.appending(path: "out/\(path)").path),
          "\(link)")
      }
      for address in html.matches(of: /(?:src|href)="([a-z]+:)/) {
        #expect(address.1 == "data:", "\(address.0)")
      }

      guard let browser = HeadlessBrowser.found else { return }
      // Counts what was drawn and sorts the first table, with figures that all differ, then tells in the title.
      let probe = """
        <script>
        const drawn = document.querySelectorAll("canvas[data-chart]");
        const sized = Array.from(drawn).filter((c) => c.width > 0 && Chart.getChart(c)).length;
        const table = document.querySelector(".table table");
        const heading = table.tHead.rows[0].cells[2];
        const rows = () => Array.from(table.tBodies[0].rows);
        ["2", "10", null, "-1"].forEach((value, place) => {
          if (value === null) { rows()[place].cells[2].textContent = ""; }
          delete rows()[place].cells[2].dataset.sort;
          if (value !== null) rows()[place].cells[2].dataset.sort = value;
        });
        const keys = () => rows().map((row) => row.cells[2].dataset.sort ?? "none");
        heading.querySelector("button").click();
        const descending = [heading.getAttribute("aria-sort"), ...keys()];
        heading.querySelector("button").click();
        const ascending = [heading.getAttribute("aria-sort"), ...keys()];
        document.title = JSON.stringify({
          charts: drawn.length, sized, failed: document.querySelectorAll(".failed").length,
          descending, ascending,
        });
        </script></body>
        """
      let probed = folder.appending(path: "probe.html")
      try Data(html.replacing("</body>", with: probe).utf8).write(to: probed)
      let seen = try browser.open(probed)
      #expect(!seen.log.contains("CONSOLE"), "\(seen.log)")
      let title = try #require(seen.document.firstMatch(of: /<title>(.*?)<\/title>/)?.1)
      let told = try JSONValue(parsing: Data(title.utf8))
      #expect(told["descending"] == ["descending", "10", "2", "-1", "none"], "\(title)")
      #expect(told["ascending"] == ["ascending", "-1", "2", "10", "none"], "\(title)")
      #expect(told["failed"] == 0, "\(title)")
      if ProcessInfo.processInfo.environment["NAMID_CHART_JS"] != nil {
        #expect((told["charts"]?.intValue ?? 0) > 6 && told["charts"] == told["sized"], "\(title)")
      }
    }
  }

  @Test func otherFormsHaveTheTablesAndRunsAndFilesMakeReportsToo() throws {
    try withReproduction { folder in
      let markdown = try Tool.run(["report", "out", "--format", "markdown"], in: folder)
      let tables = try String(
        contentsOf: folder.appending(path: "out/tables.md"), encoding: .utf8)
      #expect(markdown.status == 0 && markdown.output.contains("| Standard |"))
      let table = markdown.output.trimmingCharacters(in: .newlines)
      #expect(tables.contains(table), "\(table)")
      let latex = try Tool.run(
        ["report", "out", "--format", "latex", "--out", "t.tex"], in: folder)
      #expect(latex.status == 0 && latex.output.isEmpty)
      let text = try String(contentsOf: folder.appending(path: "t.tex"), encoding: .utf8)
      #expect(text.contains("\\begin{tabular}"))

      let steps = try sortedNames(in: folder.appending(path: "out/steps"))
      let run = try #require(steps.first { $0.hasPrefix("train-natural") })
      let figures = try #require(steps.first { $0.hasPrefix("evaluate-natural-latest") })
      let page = try Tool.run(
        [
          "report", "out/steps/\(run)/run", "out/steps/\(figures)/result.json", "--images", "0",
          "--out", "both.html",
        ], in: folder)
      #expect(page.status == 0, "\(page.errors)")
      let html = try String(contentsOf: folder.appending(path: "both.html"), encoding: .utf8)
      for part in [
        "Measurements", "<td>natural</td>", "href=\"out/steps/\(figures)/result.json\"", "ddn-5",
        "<h2>Training</h2>",
      ] {
        let isThere = html.contains(part)
        #expect(isThere, "\(part)")
      }
      // What was measured of a run lies in its folder.
      let alone = try Tool.run(
        ["report", "out/steps/\(run)/run", "--format", "markdown"], in: folder)
      #expect(alone.output.contains("ddn-5") && alone.errors.isEmpty, "\(alone.errors)")
      let csv = try Tool.run(
        ["report", "out/steps/\(figures)/result.json", "--format", "csv"], in: folder)
      #expect(csv.output.split(separator: "\n").count == 3, "\(csv.output)")
    }
  }

  @Test func whatNoReportCanBeMadeOfIsSaidInOneLine() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    try Data("{".utf8).write(to: folder.appending(path: "broken.json"))
    try Data("{\"format\": \"namid-reproduction/9\"}".utf8)
      .write(to: folder.appending(path: "later.json"))
    try FileManager.default.createDirectory(
      at: folder.appending(path: "empty"), withIntermediateDirectories: true)
    for (name, words) in [
      ("nothing", "does not exist"), ("broken.json", "no report can be made of"),
      ("later.json", "namid-reproduction/9"), ("empty", "neither results.json nor config.yaml"),
    ] {
      let outcome = try Tool.run(["report", name], in: folder)
      #expect(outcome.status != 0 && outcome.errors.contains(words), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
    #expect(try sortedNames(in: folder) == ["broken.json", "empty", "later.json"])
  }
}

/// A browser without a window.
private struct HeadlessBrowser {
  /// The first that is found in the usual places; nil, with a printed reason, where there is none.
  static var found: HeadlessBrowser? {
    let places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    if let path = places.first(where: FileManager.default.isExecutableFile) {
      return HeadlessBrowser(path: path)
    }
    print("skipped: no browser among \(places.joined(separator: ", "))")
    return nil
  }

  let path: String

  /// The document after all scripts have run, and what the browser has logged.
  func open(_ page: URL) throws -> (document: String, log: String) {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
      "--user-data-dir=\(folder.path)", "--virtual-time-budget=5000", "--dump-dom",
      page.absoluteString,
    ]
    let (output, log) = (folder.appending(path: "output"), folder.appending(path: "log"))
    for file in [output, log] { try Data().write(to: file) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
    process.waitUntilExit()
    return (
      String(decoding: try Data(contentsOf: output), as: UTF8.self),
      String(decoding: try Data(contentsOf: log), as: UTF8.self)
    )
  }
}
