import Foundation
import NamidEvaluation
import NamidPages
import NamidReproduction
import NamidTraining

/// A report on training runs, evaluations and reproductions as one document.
package struct RunReport {
  /// The tables, for forms other than a page.
  package private(set) var tables: [TableRecord] = []
  /// The trained networks, for examples of attacked images.
  package private(set) var networks: [ExampleImages.Subject] = []
  private let titles: [String]
  private let folder: URL
  private let catalog: Catalog
  private let say: (String) -> Void
  private var overview: [Report.Block] = []
  private var tableSections: [Report.Section] = []
  private var histories: [TrainingHistory] = []
  private var measurements: [Measurement] = []
  private var samples: [InformationDistributions.Source] = []
  private var steps: [Report.Section] = []

  /// Gathers the contents of the report.
  ///
  /// - Parameters:
  ///   - sources: The sources of the report, in order.
  ///   - folder: The folder of the page; links are relative to it.
  ///   - catalog: The parts that runs may name.
  ///   - say: A closure called with a line about each file left out.
  package init(
    _ sources: [ReportSource], in folder: URL, catalog: Catalog = .standard,
    say: @escaping (String) -> Void = { _ in }
  ) {
    self.folder = folder
    self.catalog = catalog
    self.say = say
    titles = sources.flatMap { source -> [String] in
      guard case .reproduction(_, let record) = source else { return [] }
      return record.tables.map(\.title)
    }
    var evaluations: [StoredEvaluation] = []
    var runs: [URL] = []
    for source in sources {
      switch source {
      case .reproduction(let root, let record):
        add(record, at: root)
      case .run(let url, let stored):
        runs.append(url)
        add(run: url)
        evaluations += stored
      case .evaluation(let stored):
        evaluations.append(stored)
      }
    }
    if !runs.isEmpty { overview.append(.table(table(of: runs))) }
    if let table = EvaluationTables(evaluations).table {
      tables.append(table)
      tableSections.append(section(of: table, at: nil))
    }
    measurements += evaluations.map {
      Measurement(
        network: EvaluationTables.name(of: $0.report), link: link(to: $0.url), report: $0.report)
    }
  }

  /// Makes the document, with the section of attacked images where there is one.
  package func document(examples: Report.Section?, subtitle: String) -> Report {
    let parts =
      [Report.Section("Overview", overview)] + tableSections
      + [
        TrainingCurves(histories: histories).section,
        RobustnessCurves(measurements: measurements).section,
        InformationDistributions(sources: samples, say: say).section, examples,
        CostLedger(measurements: measurements).section,
      ].compactMap(\.self) + steps
    return Report(
      title: titles.count == 1 ? titles[0] : "Adversarial robustness", subtitle: subtitle,
      sections: parts.filter { !$0.blocks.isEmpty })
  }

  // MARK: Sources

  private mutating func add(_ record: ReproductionRecord, at root: URL) {
    let place = ReproductionContents(record: record, root: root, say: say)
    overview += place.overview
    for table in record.tables {
      tables.append(table)
      tableSections.append(section(of: table, at: root))
    }
    histories += place.histories
    networks += place.networks
    measurements += place.measurements.map { network, url, report in
      Measurement(network: network, link: link(to: url), report: report)
    }
    samples += place.samples
    steps.append(place.steps { link(to: root.appending(path: $0)) })
  }

  private mutating func add(run: URL) {
    let name = run.lastPathComponent
    if let history = TrainingHistory(run: run, named: name, catalog: catalog, say: say) {
      histories.append(history)
    }
    networks.append(ExampleImages.Subject(name: name, run: run))
  }

  /// Makes a table of training runs with the settings of each.
  private func table(of runs: [URL]) -> ReportTable {
    let rows = runs.map { run -> [String] in
      let name = run.lastPathComponent
      guard let settings = try? SavedNetwork.configuration(of: run, catalog: catalog) else {
        return [name, "its configuration cannot be read"]
      }
      let state = try? CheckpointFolder(run: run).state(.latest)
      let width = settings.model.width.map { ", width \($0)" } ?? ""
      return [
        name, settings.defense.rawValue, settings.model.architecture + width, settings.data.name,
        "\(settings.threat.norm.rawValue), ε \(settings.threat.epsilon)",
        "\(state?.epoch ?? 0) of \(settings.training.epochs)", "\(settings.seed)",
      ]
    }
    return ReportTable(
      header: ["run", "defense", "network", "data", "ball", "epochs", "seed"], rows: rows,
      numericColumns: [5, 6])
  }

  // MARK: Links

  private func section(of table: TableRecord, at root: URL?) -> Report.Section {
    TableSection(table: table) { file in
      link(to: root.map { $0.appending(path: file) } ?? URL(filePath: file))
    }.section
  }

  /// Returns the address of a file as seen from the page.
  private func link(to url: URL) -> String { RelativeAddress.of(url, from: folder) }
}

/// Addresses of files as seen from a folder.
enum RelativeAddress {
  /// Returns the relative path from a folder to a file, percent-encoded.
  static func of(_ file: URL, from folder: URL) -> String {
    let from = folder.standardizedFileURL.pathComponents
    let to = file.standardizedFileURL.pathComponents
    let common = zip(from, to).prefix { $0 == $1 }.count
    let parts = from.dropFirst(common).map { _ in ".." } + to.dropFirst(common)
    var allowed = CharacterSet.urlPathAllowed
    // A colon in the first part would be read as a scheme.
    allowed.remove(charactersIn: ":")
    return parts.map { $0.addingPercentEncoding(withAllowedCharacters: allowed) ?? $0 }
      .joined(separator: "/")
  }
}
