import Experiments
import Foundation
import Records
import Torch

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
  func record(results: [String: StepResult], isInterrupted: Bool) -> ReproductionRecord {
    var builder = TableBuilder(
      work.plan, results: results, figures: work.figures, read: work.store.figures(of:))
    return ReproductionRecord(
      command: command, version: Namid.configuration.version, machine: machine,
      written: Date().formatted(.iso8601), isInterrupted: isInterrupted,
      tables: work.tables.map { builder.table($0) },
      steps: work.plan.steps.map { StepOutcome($0, results[$0.id]) })
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

      \(record.written); \(record.machine); namid \(record.version). Steps: \(record.progress)\(record.isInterrupted ? " (interrupted)" : ""). \
      Percentages of images, last and best checkpoint side by side; brackets are 95 % intervals over \
      images, ± the standard deviation over seeds; ! marks figures that the evaluation doubts; − and a row's \
      name stand before the difference to that row, image by image, in points with its 95 % interval; behind \
      the paper's figures, in brackets, the difference of the last checkpoint in points.

      """
    return head + "\n" + record.tables.map { TableText($0).markdown }.joined(separator: "\n")
  }
}
