import Foundation
import Training

/// What a training run is, in a few facts.
struct RunFacts {
  private let run: URL

  init(run: URL) {
    self.run = run
  }

  var facts: [Report.Fact] {
    let name = Report.Fact("Run", run.lastPathComponent)
    guard let settings = try? SavedNetwork.configuration(of: run) else {
      return [name, Report.Fact("Configuration", "cannot be read")]
    }
    let state = try? CheckpointFolder(run: run).state(.latest)
    let threat = settings.threat
    return [
      name,
      Report.Fact("Defense", settings.defense.rawValue),
      Report.Fact(
        "Network",
        settings.model.architecture + (settings.model.width.map { ", width \($0)" } ?? "")),
      Report.Fact("Data", settings.data.name),
      Report.Fact("Ball", "\(threat.norm.rawValue), ε \(threat.epsilon)"),
      Report.Fact("Epochs", "\(state?.epoch ?? 0) of \(settings.training.epochs)"),
      Report.Fact("Seed", "\(settings.seed)"),
    ]
  }
}
