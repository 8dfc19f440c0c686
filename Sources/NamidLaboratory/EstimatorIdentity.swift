import Foundation
import NamidAttacks
import NamidData
import NamidFiles
import NamidInformation
import NamidTorch
import NamidTraining

/// The identity of the estimators that have read a figure.
package struct EstimatorIdentity: Encodable, Hashable, Sendable {
  /// The estimators' run folder.
  package var name: String
  /// The mutual information that they measure.
  package var kind: EstimatorKind
  /// The objective that they were trained for.
  package var objective: EstimatorObjective
  /// The control that replaces proper training; nil for none.
  package var control: EstimatorControl?
  /// The length of the feature vectors.
  package var units: Int
  /// True where the masked positive stays in the sum of negatives.
  package var leak: Bool
  /// The rule by which logits become labels in Equation 6.
  package var selection: SelectionRule
  /// The network on whose logits they were trained, as it was named there.
  package var target: String?
  /// The data set that they were trained on.
  package var data: String
  package var threat: ThreatModel
  package var epochs: Int
  package var batchSize: Int
  /// A digest of all weights.
  package var fingerprint: String

  enum CodingKeys: String, CodingKey {
    case name, kind, objective, control, units, leak, selection, target, data, threat, epochs
    case fingerprint
    case batchSize = "batch_size"
  }
}

extension EstimatorIdentity {
  /// Creates the identity of trained estimators, named after their run folder.
  package init(_ trained: TrainedEstimators, named name: String) {
    let configuration = trained.configuration
    self.init(
      name: name, kind: configuration.kind, objective: configuration.objective,
      control: configuration.control, units: trained.specification.units,
      leak: trained.specification.leak, selection: configuration.selection,
      target: configuration.target, data: configuration.data.name, threat: configuration.threat,
      epochs: configuration.epochs, batchSize: configuration.batchSize,
      fingerprint: Self.fingerprint(of: trained.estimators))
  }

  private static func fingerprint(of estimators: Estimators) -> String {
    var hash = SHA256()
    for (part, estimator) in estimators.named {
      for (name, tensor) in estimator.store.state {
        Array("\(part).\(name)".utf8).withUnsafeBytes { hash.update($0) }
        tensor.record.bytes.withUnsafeBytes { hash.update($0) }
      }
    }
    return String(hash.hexDigest().prefix(16))
  }

  /// The estimators in a few words.
  package var summary: String {
    let images = threat.epsilon.value == 0 ? "natural" : "attacked"
    let purpose = kind == .pair ? objective.rawValue : "standard MI of \(images) images"
    return
      "\(name) (\(purpose)\(control.map { ", control \($0.rawValue)" } ?? ""), \(units) units, "
      + "weights \(fingerprint))"
  }
}

extension TrainedEstimators {
  /// Reads a run folder that a user has named; `LaboratoryError.wrongEstimators` where it is the run of a network.
  package static func read(_ folder: URL, device: Device = .cpu) throws -> TrainedEstimators {
    do {
      return try TrainedEstimators(run: folder, device: device)
    } catch {
      guard (try? SavedNetwork.configuration(of: folder)) != nil else { throw error }
      throw LaboratoryError.wrongEstimators(
        folder.relativePath, reason: "it is the run of a network")
    }
  }

  /// Checks that the estimators can read a network's outputs and were trained on the same data set;
  /// `RunError.estimatorsDoNotFit` has all reasons.
  package func check(_ path: String, against saved: SavedNetwork, on set: ImageSet) throws {
    let problems = problems(
      reading: saved.network.specification, channels: set.channels,
      data: saved.configuration.data.name)
    if problems.isEmpty { return }
    throw RunError.estimatorsDoNotFit(path, reason: problems.joined(separator: "; "))
  }

  /// Lists properties of a measurement with these estimators that are allowed but unusual.
  package func remarks(run: String, threat: ThreatModel, batchSize: Int) -> [String] {
    var remarks: [String] = []
    let path = { (name: String) in URL(filePath: name).standardizedFileURL.path }
    if let target = configuration.target, path(target) != path(run) {
      remarks.append("trained on the outputs of \(target), not of the network that is measured")
    }
    if configuration.threat != threat && configuration.threat.epsilon.value > 0 {
      remarks.append(
        "trained for \(configuration.threat.norm.rawValue) ε \(configuration.threat.epsilon), "
          + "measured under \(threat.norm.rawValue) ε \(threat.epsilon)")
    }
    if batchSize != configuration.batchSize {
      remarks.append(
        "trained with \(configuration.batchSize) samples per score matrix, read with \(batchSize)")
    }
    return remarks
  }
}
