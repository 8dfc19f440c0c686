import NamidEvaluation
import NamidInformation
import NamidSettings
import NamidTraining

/// The estimators that are compared, with their placebos.
package enum EstimatorRole: String, CaseIterable, Codable, Sendable {
  /// Estimators trained by Equation 4.
  case eq4
  /// Estimators trained by Equation 5.
  case eq5
  /// Estimators with untrained random weights.
  case random
  /// Estimators trained by Equation 4 on shuffled pairs.
  case shuffledEq4 = "shuffled-eq4"
  /// Estimators trained by Equation 5 on shuffled pairs.
  case shuffledEq5 = "shuffled-eq5"

  /// Returns the training configuration of this role, from settings that all roles share.
  package func configuration(_ common: EstimatorConfiguration) -> EstimatorConfiguration {
    var configuration = common
    configuration.objective = self == .eq5 || self == .shuffledEq5 ? .eq5 : .eq4
    switch self {
    case .eq4, .eq5: configuration.control = nil
    case .shuffledEq4, .shuffledEq5: configuration.control = .shuffled
    case .random:
      configuration.control = .random
      // Nothing is learned but the statistics of batch normalisation, for which one pass is enough.
      configuration.epochs = 1
    }
    return configuration
  }

  /// Returns the reason that given estimators do not fit this role; nil where they fit.
  package func problem(_ identity: EstimatorIdentity) -> String? {
    problem(kind: identity.kind, objective: identity.objective, control: identity.control)
  }

  /// Returns the reason that estimators with these settings do not fit this role; nil where they fit.
  package func problem(
    kind: EstimatorKind, objective: EstimatorObjective, control: EstimatorControl?
  ) -> String? {
    if kind != .pair { return "they estimate \(kind.rawValue) MI" }
    let wanted = configuration(EstimatorConfiguration())
    func problem(_ setting: String, _ own: String?, _ wanted: String?) -> String? {
      own == wanted
        ? nil : "their \(setting) is \(own ?? "none"), where \(wanted ?? "none") is compared"
    }
    return problem("control", control?.rawValue, wanted.control?.rawValue)
      ?? (self == .random
        ? nil : problem("objective", objective.rawValue, wanted.objective.rawValue))
  }

  /// The pairs of roles whose separations are compared.
  package static let gaps: [(first: EstimatorRole, second: EstimatorRole)] = [
    (.eq5, .eq4), (.eq4, .shuffledEq4), (.eq5, .shuffledEq5), (.eq4, .random), (.eq5, .random),
  ]
}

/// The readings of one pair of estimators under one attack, in nats.
package struct EstimatorReading: Encodable, Sendable {
  /// The readings of one kind of mutual information.
  package struct Kind: Encodable, Sendable {
    /// The means and signs over all samples.
    package var summary: PairSummary
    /// The means after the paper's offset, which moves the lowest value of all to 0.
    package var offset: Offset
    /// The separation of unattacked from attacked outputs by the values, over all samples.
    package var separation: Separation
    /// The separation over the samples that Equation 6 selects; nil with fewer than two.
    package var selected: Separation?
    /// The values, for charts.
    let values: InformationPair

    enum CodingKeys: String, CodingKey {
      case summary, offset, separation, selected
    }
  }

  /// Means after the lowest value of all samples has been moved to 0, as in the paper's Figure 4.
  package struct Offset: Encodable, Hashable, Sendable {
    package var lowest: Double
    package var clean: Double
    package var attacked: Double
  }

  package var role: EstimatorRole
  package var estimators: EstimatorIdentity
  /// Remarks about unusual properties of the estimators.
  package var remarks: [String]
  /// The readings of natural MI, which is expected to fall under attack.
  package var natural: Kind
  /// The readings of adversarial MI, which is expected to rise under attack.
  package var adversarial: Kind
  /// A digest of everything that decides these figures.
  package var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case role, estimators, remarks, natural, adversarial
    case specificationHash = "spec_hash"
  }

  /// The readings of one kind.
  package subscript(kind: InformationKind) -> Kind { kind == .natural ? natural : adversarial }

  /// Sums up readings; nil with fewer than two samples.
  package init?(
    _ role: EstimatorRole, _ estimators: EstimatorIdentity, remarks: [String],
    values: InformationValues, outcomes: SampleOutcomes, attack: AttackRecord,
    batches: InformationBatches.Record
  ) throws {
    let selected = outcomes.members(of: .selected)
    guard let natural = Kind(.natural, values, selected),
      let adversarial = Kind(.adversarial, values, selected)
    else { return nil }
    self.role = role
    self.estimators = estimators
    self.remarks = remarks
    self.natural = natural
    self.adversarial = adversarial
    specificationHash = try InformationSpecification.hash(
      attack, estimators: estimators, batches: batches)
  }
}

extension EstimatorReading.Kind {
  init?(_ kind: InformationKind, _ values: InformationValues, _ members: [Int]) {
    let pair = values[kind]
    func separation(_ pair: InformationPair) -> Separation? {
      let (higher, lower) = kind.expected(pair)
      return Separation(higher: higher, lower: lower)
    }
    guard let summary = PairSummary(pair), let all = separation(pair) else { return nil }
    let lowest = min(pair.clean.min() ?? 0, pair.attacked.min() ?? 0)
    self.summary = summary
    offset = EstimatorReading.Offset(
      lowest: lowest, clean: summary.clean.mean - lowest, attacked: summary.attacked.mean - lowest)
    self.separation = all
    selected = separation(pair.at(members))
    self.values = pair
  }
}
