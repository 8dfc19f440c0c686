import Foundation
import NamidDefenses
import NamidInformation
import NamidNetworks
import NamidTorch

extension RunConfiguration {
  /// The defense that the configuration names, for a network.
  ///
  /// - Parameters:
  ///   - network: The network to train.
  ///   - catalog: The defenses that there are.
  /// - Returns: The defense.
  /// - Throws: An error when the defense is unknown, or estimators are missing or do not fit; before any training.
  public func makeDefense(
    for network: Network, catalog: Catalog
  ) throws -> any Defense {
    let entry = try catalog.defense(defense)
    let settings = settings.only(entry.settings)
    var trained: Estimators?
    switch (entry.estimators(settings), estimators) {
    case (.none, _), (.optional, nil): break
    case (.required(let kind), nil): throw DefenseError.noEstimators(kind)
    case (.required(let kind), let path?), (.optional(let kind), let path?):
      let saved = try TrainedEstimators(
        run: URL(filePath: path), device: network.store.device)
      try check(saved, kind, path, network)
      trained = saved.estimators
    }
    return try entry.make(
      DefenseParts(
        network: network, attack: attack.attack(in: threat),
        labelLoss: LabelLoss(smoothing: training.labelSmoothing), estimators: trained,
        stream: RandomStream(seed: seed).keyed("defense"), settings: settings))
  }

  private func check(
    _ saved: TrainedEstimators, _ kind: EstimatorKind, _ path: String, _ network: Network
  ) throws {
    let theirs = saved.configuration
    let own = network.specification
    var problems = saved.problems(reading: own, channels: own.channels, data: data.name)
    if theirs.kind != kind {
      problems.append(
        "they estimate \(theirs.kind.rawValue) MI, \(defense.rawValue) reads \(kind.rawValue) MI")
    }
    if theirs.threat.norm != threat.norm {
      problems.append("they were trained for \(theirs.threat.norm), the run is for \(threat.norm)")
    }
    guard problems.isEmpty else {
      throw RunError.estimatorsDoNotFit(path, reason: problems.joined(separator: "; "))
    }
  }
}
