import Foundation
import NamidAttacks
import NamidData
import NamidFiles
import NamidNetworks
import NamidSettings

extension EvaluationPlan {
  /// The plan of a measurement.
  init(
    _ set: ImageSet, fingerprint: String, model: EvaluationReport.Model,
    source: EvaluationReport.Model?, threat: ThreatModel, attacks: [any Attack], seed: Int
  ) throws {
    let order = try NamidSettings.specificationHash(set.indices)
    let names = { (model: EvaluationReport.Model) in
      ["architecture": model.architecture, "fingerprint": model.fingerprint]
    }
    let members = attacks.map { source == nil ? $0.allMembers : [$0] }
    self.init(
      data: Data(
        split: set.split.rawValue, count: set.count, fingerprint: fingerprint, order: order),
      model: names(model), source: source.map(names), threat: threat,
      attacks: zip(attacks, members).map { attack, members in
        Member(name: attack.name, settings: attack.record, members: members.map { .init($0) })
      },
      seed: seed,
      specificationHash: try Specification(
        data: fingerprint, model: model.fingerprint, source: source?.fingerprint, threat: threat,
        attacks: zip(attacks, members).map { attack, members in
          Specification.Item(
            name: attack.name, settings: attack.record,
            members: members.count < 2
              ? nil : members.map { .init(name: $0.name, settings: $0.record) })
        },
        seed: seed
      ).hash())
  }
}

extension EvaluationState {
  /// Hands everything that was finished over to a session, and says how much it is.
  func restore(
    _ plan: EvaluationPlan, into session: EvaluationSession, batchSize: Int,
    _ keepsImages: Bool, say: (String) -> Void
  ) throws {
    for member in plan.members {
      session.restore(
        try chunks(of: member, withImages: keepsImages, say: say), of: member)
    }
    if restoredCount == 0 { return }
    let most = plan.members.count * ((plan.data.count + batchSize - 1) / batchSize)
    say(
      "continuing: \(restoredCount) of at most \(max(most, restoredCount)) batches were done "
        + "(\(folder.path))")
  }
}
