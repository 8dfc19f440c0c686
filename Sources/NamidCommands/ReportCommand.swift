import ArgumentParser
import Foundation
import NamidFiles
import NamidPages
import NamidReports
import NamidReproduction

/// `namid report`.
struct ReportCommand: ParsableCommand {
  /// A format of a report.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case html, markdown, csv, latex

    /// The format of the tables alone; nil for a whole page.
    var tables: TableFormat? { TableFormat(rawValue: rawValue) }
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

  @Argument(help: .init("Runs, reproductions or JSON files.", valueName: "run"))
  var runs: [String]
  @Option(
    help: ArgumentHelp(
      "The file to write; report.html in the first folder by default.", valueName: "file"))
  var out: String?
  @Option(help: "What to write: html, markdown, csv or latex.")
  var format = Format.html
  @Option(help: .init("Attacked images to show per data set; 0 for none.", valueName: "n"))
  var images = 8
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if runs.isEmpty { throw ValidationError("Missing expected argument '<run>'") }
    if !(0...20).contains(images) { throw ValidationError("--images must be from 0 to 20") }
  }

  func run() throws {
    if let out { try checkWritable(out) }
    let sources = try runs.map {
      try ReportSource(URL(filePath: $0), catalog: Parts.catalog, say: note)
    }
    let file = out.map { URL(filePath: $0) } ?? place(of: sources)
    let report = RunReport(
      sources, in: file.deletingLastPathComponent(), catalog: Parts.catalog,
      say: note)
    if let form = format.tables {
      try write(form.render(report.tables))
      return
    }
    let device = try device.prepare()
    let examples =
      images == 0
      ? nil
      : ExampleImages(
        count: images, directory: data.directory, device: device, catalog: Parts.catalog
      )
      .section(report.networks, say: note)
    let subtitle = "namid \(NamidCommand.configuration.version), \(Date().formatted(.iso8601))"
    let document = report.document(examples: examples, subtitle: subtitle)
    try AtomicFile.write(
      Data(HTMLReport.render(document, chartLibrary: ChartLibrary.loaded).utf8), to: file)
    note("wrote \(file.relativePath)")
  }

  /// Finds the place of the report: in the first folder that is named, or beside the first file where no folder is.
  private func place(of sources: [ReportSource]) -> URL {
    let folder = sources.lazy.compactMap(\.folder).first
    return (folder ?? URL(filePath: runs[0]).deletingLastPathComponent())
      .appending(path: "report.html")
  }

  private func write(_ text: String) throws {
    guard let out else {
      print(text, terminator: "")
      return
    }
    try AtomicFile.write(Data(text.utf8), to: URL(filePath: out))
    note("wrote \(out)")
  }
}
