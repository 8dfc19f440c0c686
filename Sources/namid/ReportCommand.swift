import ArgumentParser
import Experiments
import Foundation
import Records

/// `namid report`.
struct ReportCommand: ParsableCommand {
  /// What a report can be written as.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case html
    case markdown
    case csv
    case latex
  }

  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make one HTML file of runs: tables, charts, attacked images, costs.",
    discussion: """
      Takes folders of `namid reproduce`, folders of training runs with what \
      `namid evaluate` has measured of them, and JSON files of `namid evaluate` and \
      `namid transfer`. The file opens without a network, follows the reader's light \
      or dark colours, and its tables sort by a click on a heading. The other forms \
      have the tables alone, on standard output unless --out is given.

      Examples:
        namid report runs/cpu
        namid report runs/at runs/trades runs/namid --out report.html
        namid report at.json namid.json --format markdown
        namid report runs/cpu --format latex --out tables.tex
      """)

  @Argument(help: ArgumentHelp("Runs, reproductions or JSON files.", valueName: "run"))
  var runs: [String]
  @Option(
    help: ArgumentHelp(
      "The file to write; report.html in the first folder by default.", valueName: "file"))
  var out: String?
  @Option(help: "What to write: html, markdown, csv or latex.")
  var format = Format.html
  @Option(
    help: ArgumentHelp("Attacked images to show per data set; 0 for none.", valueName: "n"))
  var images = 8
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if runs.isEmpty { throw ValidationError("Missing expected argument '<run>'") }
    if !(0...20).contains(images) { throw ValidationError("--images must be from 0 to 20") }
  }

  func run() throws {
    if let out { try checkWritable(out) }
    let sources = try runs.map { try ReportSource(URL(filePath: $0), say: note) }
    let file = out.map { URL(filePath: $0) } ?? place
    let report = RunReport(sources, in: file.deletingLastPathComponent())
    guard format == .html else {
      try write(report.tables.map(TableText.init))
      return
    }
    let device = try device.prepare()
    let examples =
      images == 0
      ? nil
      : ExampleImages(count: images, directory: data.directory, device: device)
        .section(report.networks, say: note)
    let subtitle = "namid \(Namid.configuration.version), \(Date().formatted(.iso8601))"
    let document = report.document(examples: examples, subtitle: subtitle)
    let library = Result { () throws(ChartLibraryError) in try ChartLibrary.load() }
    try AtomicFile.write(
      Data(HTMLReport.render(document, chartLibrary: library).utf8), to: file)
    note("wrote \(file.relativePath)")
  }

  /// In the first folder that is named; beside the first file where there is none.
  private var place: URL {
    let folders = runs.map { URL(filePath: $0) }.filter { url in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
        && isFolder.boolValue
    }
    let folder = folders.first ?? URL(filePath: runs[0]).deletingLastPathComponent()
    return folder.appending(path: "report.html")
  }

  private func write(_ tables: [TableText]) throws {
    let text =
      switch format {
      case .html, .markdown: tables.map(\.markdown).joined(separator: "\n")
      case .latex: tables.map(\.latex).joined(separator: "\n")
      case .csv: TableText.csvHeader + tables.map(\.csv).joined()
      }
    guard let out else {
      print(text, terminator: format == .csv ? "" : "\n")
      return
    }
    try AtomicFile.write(Data(text.utf8), to: URL(filePath: out))
    note("wrote \(out)")
  }
}
