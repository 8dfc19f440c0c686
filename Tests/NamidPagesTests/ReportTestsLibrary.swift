import Foundation
import NamidPages
import Testing

@Suite("Report's charting library")
struct ChartLibraryTests {
  /// Runs a body with a file of the given bytes, which is gone afterwards.
  private func withFile(_ bytes: Data, _ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("namid-chart-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("chart.js")
    try bytes.write(to: file)
    try body(file.path)
  }

  private func load(_ path: String?) throws(ChartLibraryError) -> String {
    try ChartLibrary.load(environment: path.map { [ChartLibrary.variable: $0] } ?? [:])
  }

  @Test("the text of the named file is given")
  func present() throws {
    try withFile(Data(ReportSample.charts.utf8)) { path in
      #expect(try load(path) == ReportSample.charts)
      let link = path + ".link"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
      #expect(try load(link) == ReportSample.charts)
    }
  }

  @Test("without a name or a file there is no text, and the error says which")
  func absent() throws {
    #expect(throws: ChartLibraryError.notNamed) { try load(nil) }
    #expect(throws: ChartLibraryError.notNamed) { try load("") }
    let missing = "/nonexistent/chart.min.js"
    #expect(throws: ChartLibraryError.unreadable(path: missing)) { try load(missing) }
    let folder = FileManager.default.temporaryDirectory.path
    #expect(throws: ChartLibraryError.unreadable(path: folder)) { try load(folder) }
    #expect(ChartLibraryError.unreadable(path: missing).description.contains(missing))
  }

  @Test("a module build, another script, bytes that are no text and a huge file are refused")
  func foreign() throws {
    for text in ["export { Chart };", "typeof exports", ""] {
      try withFile(Data(text.utf8)) { path in
        #expect(throws: ChartLibraryError.notChartJS(path: path)) { try load(path) }
      }
    }
    try withFile(Data("Chart typeof exports ".utf8) + Data([0xFF, 0xFE])) { path in
      #expect(throws: ChartLibraryError.notChartJS(path: path)) { try load(path) }
    }
    try withFile(Data(repeating: 0x20, count: 4 << 20 | 1)) { path in
      #expect(throws: ChartLibraryError.tooLong(path: path)) { try load(path) }
    }
  }
}
