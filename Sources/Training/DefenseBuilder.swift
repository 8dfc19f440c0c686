import Defenses
import Foundation
import Models
import Torch

extension RunConfiguration {
  /// The defense that the configuration names, for a network.
  ///
  /// - Throws: When estimators are missing or do not fit; before any training.
  public func makeDefense(for network: Network) throws -> any Defense {
    let attack = attack.attack(in: threat)
    switch defense {
    case .natural: return NaturalTraining()
    case .standard: return StandardAT(attack: attack)
    case .namid:
      let path = estimators ?? ""
      let saved = try SavedEstimators(
        run: URL(filePath: path), device: network.store.device)
      try check(saved, path, network)
      return NAMID(attack: attack, estimators: saved.estimators, settings: namid)
    }
  }

  private func check(_ saved: SavedEstimators, _ path: String, _ network: Network) throws {
    let theirs = saved.configuration
    let (specification, own) = (saved.specification, network.specification)
    var problems: [String] = []
    if specification.classCount != own.classCount {
      problems.append(
        "they read \(specification.classCount) logits, the network gives \(own.classCount)")
    }
    if specification.channels != own.channels {
      problems.append("they read \(specification.channels) channels, images have \(own.channels)")
    }
    if theirs.threat.norm != threat.norm {
      problems.append("they were trained for \(theirs.threat.norm), the run is for \(threat.norm)")
    }
    if theirs.data.name != data.name {
      problems.append("they were trained on \(theirs.data.name), the run is on \(data.name)")
    }
    guard problems.isEmpty else {
      throw RunError.estimatorsDoNotFit(path, reason: problems.joined(separator: "; "))
    }
  }
}
