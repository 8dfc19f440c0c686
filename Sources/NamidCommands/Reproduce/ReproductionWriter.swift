import Foundation
import NamidFiles
import NamidReports
import NamidReproduction
import NamidTorch

/// Writes what a reproduction came to: all records as JSON, and the tables as Markdown.
struct ReproductionWriter {
  private let work: ReproductionWork
  private let command: String

  init(_ work: ReproductionWork, command: String) {
    self.work = work
    self.command = command
  }

  /// The file with all records.
  var results: URL { work.store.root.appending(path: "results.json") }

  /// The file with the tables.
  var tables: URL { work.store.root.appending(path: "tables.md") }

  /// All records and tables.
  ///
  /// - Parameters:
  ///   - known: The outcomes of the steps of this call; others may be finished by earlier ones.
  ///   - hasEnded: True when no more steps will be tried; false while steps are at work and after an interruption.
  /// - Returns: The record.
  func record(_ known: [String: StepResult], hasEnded: Bool) -> ReproductionRecord {
    let results = work.results(known)
    var builder = TableBuilder(
      work.whole, results: results, read: work.store.figures(of:))
    let steps = work.whole.steps.filter { work.plan[$0.id] != nil || results[$0.id] != nil }
    return ReproductionRecord(
      command: command, version: NamidCommand.configuration.version, machine: machine,
      written: Date().formatted(.iso8601), isInterrupted: !hasEnded,
      tables: work.tables(results).map { builder.table($0) },
      steps: steps.map { StepOutcome($0, results[$0.id]) })
  }

  /// The titles of tables in the folder that this call's tables take the place of.
  var replaced: [String] {
    guard case .reproduction(_, let earlier)? = try? ReportSource(work.store.root, say: { _ in })
    else { return [] }
    let own = work.tables([:]).map(\.name)
    return earlier.tables.map(\.name).filter { !own.contains($0) }
  }

  /// Writes both files.
  func write(_ record: ReproductionRecord) throws {
    try AtomicFile.write(
      JSONValue(encoding: record).data(indent: 2) + Data("\n".utf8), to: self.results)
    try AtomicFile.write(Data(markdown(record).utf8), to: tables)
  }

  private var machine: String {
    let torch = TorchEnvironment.read()
    return "\(ProcessInfo.processInfo.processorCount) cores (\(torch.cpuCapability)), "
      + "torch \(torch.compiledVersion), \(torch.threads) threads"
  }

  private func markdown(_ record: ReproductionRecord) -> String {
    let head = """
      # \(record.tables.count == 1 ? record.tables[0].title : "Tables")

      `\(record.command)`

      \(record.written); \(record.machine); namid \(record.version). Steps: \(record.progress)\(record.isInterrupted ? " (not at their end: interrupted, or still at work)" : ""). \
      Percentages of images, last and best checkpoint side by side; brackets are 95 % intervals over \
      images, ± the standard deviation over seeds; ! marks figures that the evaluation doubts; − and a row's \
      name stand before the difference to that row, image by image, in points with its 95 % interval; behind \
      the paper's figures, in brackets, the difference of the last checkpoint in points.

      """
    return head + "\n" + record.tables.map { TableText($0).markdown }.joined(separator: "\n")
  }
}
