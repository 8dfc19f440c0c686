import Foundation
import NamidPages
import NamidTraining

/// A table of training runs with the settings of each.
struct RunTable {
  private let runs: [URL]

  init(_ runs: [URL]) {
    self.runs = runs
  }

  /// The table; nil without runs.
  var table: ReportTable? {
    if runs.isEmpty { return nil }
    return ReportTable(
      header: ["run", "defense", "network", "data", "ball", "epochs", "seed"],
      rows: runs.map(row), numericColumns: [5, 6])
  }

  private func row(_ run: URL) -> [String] {
    let name = run.lastPathComponent
    guard let settings = try? SavedNetwork.configuration(of: run) else {
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
}
