import NamidEvaluation
import NamidInformation
import NamidSettings
import NamidTraining

/// The estimators that are compared, and those that know nothing.
package enum EstimatorRole: String, CaseIterable, Codable, Sendable {
  /// Trained by Equation 4.
  case eq4
  /// Trained by Equation 5.
  case eq5
  /// Weights as they were drawn.
  case random
  /// Trained by Equation 4 on shuffled pairs.
  case shuffledEq4 = "shuffled-eq4"
  /// Trained by Equation 5 on shuffled pairs.
  case shuffledEq5 = "shuffled-eq5"

  /// What its training is to be, from settings that all share.
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

  /// Why estimators that somebody hands over are none of this kind; nil where they are.
  package func problem(_ identity: EstimatorIdentity) -> String? {
    problem(kind: identity.kind, objective: identity.objective, control: identity.control)
  }

  /// Why estimators with these settings are none of this kind; nil where they are.
  package func problem(
    kind: EstimatorKind, objective: EstimatorObjective, control: EstimatorControl?
  ) -> String? {
    if kind != .pair { return "they estimate \(kind.rawValue) MI" }
    let wanted = configuration(EstimatorConfiguration())
    if control != wanted.control {
      return
        "their control is \(control?.rawValue ?? "none"), where \(wanted.control?.rawValue ?? "none") "
        + "is compared"
    }
    if self != .random && objective != wanted.objective {
      return
        "their objective is \(objective.rawValue), where \(wanted.objective.rawValue) is compared"
    }
    return nil
  }

  /// The pairs whose separations are held against each other.
  package static let gaps: [(first: EstimatorRole, second: EstimatorRole)] = [
    (.eq5, .eq4), (.eq4, .shuffledEq4), (.eq5, .shuffledEq5), (.eq4, .random), (.eq5, .random),
  ]
}

/// What one pair of estimators reads of one attack; all in nats.
package struct EstimatorReading: Encodable, Sendable {
  /// One kind of mutual information.
  package struct Kind: Encodable, Sendable {
    /// Means and signs over all samples.
    package var summary: PairSummary
    /// Means after the paper's offset: the lowest value of all is moved to 0.
    package var offset: Offset
    /// How well values tell unattacked from attacked outputs, over all samples.
    package var separation: Separation
    /// The same over samples that Equation 6 selects; nil with fewer than two.
    package var selected: Separation?
    /// The values, for charts.
    let values: InformationPair

    enum CodingKeys: String, CodingKey {
      case summary, offset, separation, selected
    }
  }

  /// Means after the lowest value of all samples has been moved to 0, as in the paper's Figure 4.
  package struct Offset: Encodable, Hashable, Sendable {
    /// The lowest value.
    package var lowest: Double
    /// The mean unattacked.
    package var clean: Double
    /// The mean attacked.
    package var attacked: Double
  }

  /// Which estimators.
  package var role: EstimatorRole
  /// Their run.
  package var estimators: EstimatorIdentity
  /// What is unusual about them.
  package var remarks: [String]
  /// Natural MI; smaller under attack is what is expected.
  package var natural: Kind
  /// Adversarial MI; larger under attack is what is expected.
  package var adversarial: Kind
  /// A digest of everything that decides these figures.
  package var specificationHash: String

  enum CodingKeys: String, CodingKey {
    case role, estimators, remarks, natural, adversarial
    case specificationHash = "spec_hash"
  }

  /// The readings of one kind.
  package subscript(kind: InformationKind) -> Kind { kind == .natural ? natural : adversarial }

  /// Sums up; nil with fewer than two samples.
  ///
  /// - Parameters:
  ///   - role: Which estimators.
  ///   - estimators: Their run.
  ///   - remarks: What is unusual about them.
  ///   - values: What they read.
  ///   - outcomes: What the network says of each sample.
  ///   - attack: How the attacked images came about.
  ///   - batches: Which samples stood together.
  /// - Throws: What encoding the specification throws.
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
    specificationHash = try InformationSpecification(
      attack, estimators: estimators, selection: .argmax, batches: batches
    ).hash()
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
