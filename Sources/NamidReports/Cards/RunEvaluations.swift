import Foundation
import NamidEvaluation
import NamidFiles
import NamidPages
import NamidReproduction
import NamidSettings
import NamidTraining

/// The evaluations of a run that are in its own folder, one file per checkpoint and specification.
struct RunEvaluations: Sendable {
  static let folderName = "evaluations"
  /// The size in bytes of the longest file that is read, far above that of any report without samples.
  private static let maximumBytes = 1 << 24
  private static let maximumFiles = 1000
  /// The name extension of the folder of an unfinished evaluation.
  private static let stateExtension = "state"

  /// The reports on checkpoints that the run has, by epoch, with their files.
  private(set) var stored: [StoredEvaluation] = []
  /// The files that were passed over and the reasons, one line each.
  private(set) var problems: [String] = []

  /// The reports on checkpoints that the run has, by epoch.
  var reports: [EvaluationReport] { stored.map(\.report) }

  // MARK: Writing

  /// Leaves a copy of a report in a run's folder; one of the same specification is replaced.
  ///
  /// The copy has no records per sample: they would make it a hundred times as large, and the same specification gives
  /// them again.
  static func keep(_ report: EvaluationReport, in run: URL) throws {
    let data = try JSONValue(encoding: withoutSamples(report)).data(indent: 2) + Data("\n".utf8)
    let folder = run.appending(path: folderName)
    let file = folder.appending(path: fileName(of: report))
    var attempts = 3
    while true {
      do throws(FileError) {
        try createFolder(at: folder)
        try AtomicFile.write(data, to: file)
        return
      } catch {
        attempts -= 1
        // Another evaluation that ends removes the folder while it is empty.
        guard case .missing = error, attempts > 0 else { throw error }
      }
    }
  }

  /// Returns the name of a report's file, such as `epoch-6-1a2b3c4d5e6f7081.json`.
  static func fileName(of report: EvaluationReport) -> String {
    let plain = report.model.checkpoint.map {
      $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-"
    }
    return String(plain) + "-\(report.specificationHash).json"
  }

  // MARK: Reading

  /// Reads all reports; a file that is not a sound report on one of the run's checkpoints is passed over.
  ///
  /// - Parameters:
  ///   - run: The run's folder.
  ///   - known: Known digests of checkpoints' weights by epoch; others are computed where a report is about them.
  ///   - catalog: The catalog in which the run's names are looked up.
  init(of run: URL, known: [Int: String] = [:], catalog: Catalog = .standard) {
    var known = known
    let fingerprint = { (epoch: Int) throws -> String in
      if let fingerprint = known[epoch] { return fingerprint }
      let found = try SavedNetwork(run: run, .epoch(epoch), catalog: catalog).network.fingerprint
      known[epoch] = found
      return found
    }
    let folder = run.appending(path: Self.folderName)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let visible = names.filter { name in
      !name.hasPrefix(".") && !name.hasSuffix(".\(Self.stateExtension)")
    }.sorted()
    for name in visible.prefix(Self.maximumFiles) {
      do {
        let file = folder.appending(path: name)
        let report = try Self.read(file)
        guard let epoch = Self.epoch(of: report) else {
          throw EvaluationFileProblem("it names no epoch of this run")
        }
        guard try fingerprint(epoch) == report.model.fingerprint else {
          throw EvaluationFileProblem(
            "it is about other weights than this run has at epoch \(epoch)")
        }
        if let twin = reports.first(where: { $0.specificationHash == report.specificationHash }) {
          throw EvaluationFileProblem("it repeats the measurement \(twin.specificationHash)")
        }
        stored.append(StoredEvaluation(file, report))
      } catch {
        problems.append("\(Self.folderName)/\(Markdown.oneLine(name)): \(error)")
      }
    }
    if visible.count > Self.maximumFiles {
      problems.append(
        "\(Self.folderName): only the first \(Self.maximumFiles) of \(visible.count) files are read"
      )
    }
    stored.sort { Self.order($0.report).lexicographicallyPrecedes(Self.order($1.report)) }
  }

  /// Returns the epoch of the checkpoint that a report is about; nil where it names none.
  static func epoch(of report: EvaluationReport) -> Int? {
    let name = report.model.checkpoint
    guard name.hasPrefix("epoch "), let epoch = Int(name.dropFirst("epoch ".count)), epoch >= 1
    else { return nil }
    return epoch
  }

  private static func read(_ file: URL) throws -> EvaluationReport {
    guard FileKind(of: file, followingLinks: false) == .file else {
      throw EvaluationFileProblem("it is no plain file")
    }
    let tree = try JSONValue(parsing: readFile(at: file, limit: maximumBytes))
    return withoutSamples(try StoredEvaluation(file, tree).report)
  }

  private static func withoutSamples(_ report: EvaluationReport) -> EvaluationReport {
    var report = report
    report.samples = nil
    for place in report.attacks.indices { report.attacks[place].samples = nil }
    return report
  }

  /// Makes the sort key of a report: its epoch, then own images before those of other networks, then the data set's
  /// name, then larger counts of images first.
  private static func order(_ report: EvaluationReport) -> [String] {
    let padded = { (number: Int) in String(format: "%012d", number) }
    return [
      padded(epoch(of: report) ?? 0), report.source == nil ? "0" : "1", report.dataset.name,
      padded(1_000_000_000 - min(report.dataset.count, 1_000_000_000)), report.specificationHash,
    ]
  }
}
