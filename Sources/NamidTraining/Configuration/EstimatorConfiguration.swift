import NamidAttacks
import NamidFiles
import NamidInformation
import NamidSettings
import NamidTorch

/// Everything that decides how the two MI estimators are trained; the defaults follow the authors' Equation 5 script.
public struct EstimatorConfiguration: ConfigurationGroup, Equatable, Sendable {
  /// Seed of all random numbers.
  public var seed = 0
  /// The run folder of the fixed network h_θ0 whose logits the estimators read.
  public var target: String?
  /// The checkpoint of the target: `latest`, `best` or a number.
  public var checkpoint = "latest"
  /// The images to train on.
  public var data = DataSettings()
  /// The attacker's ball.
  public var threat = ThreatModel(norm: .linf, epsilon: Fraction(8, over: 255))
  /// The attack that crafts adversarial samples and noise.
  public var attack = TrainingAttackSettings()
  /// The mutual information to estimate.
  public var kind = EstimatorKind.pair
  /// The objective; not read with kind `standard`.
  public var objective = EstimatorObjective.eq5
  /// The rule by which logits become labels in Equation 6.
  public var selection = SelectionRule.argmax
  /// A control instead of proper training; none when null.
  public var control: EstimatorControl?
  /// Length of the feature vectors.
  public var units = 2048
  /// True to keep the masked positive in the sum of negatives (the authors' estimator).
  public var leak = true
  /// Passes over the training images; 50 in the authors' Equation 4 script.
  public var epochs = 25
  /// Images per step, on which estimates depend; 200 in the authors' Equation 4 script.
  public var batchSize = 400
  /// Adam's learning rate.
  public var learningRate = 1e-2
  /// Epochs (from 0) from which the rate is multiplied by `gamma`; [20, 30, 40] in the Equation 4 script.
  public var milestones = [10, 20]
  /// The factor for the rate at a milestone; 0.5 in the Equation 4 script.
  public var gamma = 0.1
  /// The precision in which networks compute.
  public var precision = Precision.bfloat16
  /// The precision of scores: float32, or tf32 where the last digits do not matter.
  public var scorePrecision = Precision.float32
  /// The factor of scores, in training and wherever the estimators are used.
  public var scoreScale = ScoreScale.none
  /// The number of checkpoints that stay.
  public var keep = 1

  /// The authors' Equation 5 settings, with the paper's Equation 5.
  public init() {}

  /// The settings for an estimator of standard MI, which follow the script that the authors had for one.
  public static var standard: EstimatorConfiguration {
    var configuration = EstimatorConfiguration()
    configuration.kind = .standard
    configuration.batchSize = 200
    configuration.gamma = 0.5
    return configuration
  }

  /// The settings of the authors' released script.
  public static var reference: EstimatorConfiguration {
    var configuration = EstimatorConfiguration()
    configuration.objective = .cosine
    configuration.selection = .batchSoftmax
    configuration.attack.steps = 20
    configuration.attack.stepSize = 0.007
    return configuration
  }

  /// Refuses combinations that cannot work.
  public func validate() throws {
    try require(threat.epsilon.value >= 0, "threat.epsilon", "must not be negative")
    try require(threat.norm != .l1, "threat.norm", "must be linf or l2: PGD has no L1 form")
    try require(epochs >= 1, "epochs", "must be at least 1")
    let most = TrainingSettings.mostEpochs
    try require(epochs <= most, "epochs", "must be at most \(most)")
    try require(
      milestones.allSatisfy { (0...most).contains($0) }, "milestones",
      "must be epochs from 0 to \(most)")
    try require(batchSize >= 2, "batchSize", "must be at least 2: other samples are the negatives")
    try require(learningRate > 0, "learningRate", "must be positive")
    try require(gamma > 0, "gamma", "must be positive")
    try require(
      EstimatorSpecification.possibleUnits.contains(units), "units",
      "must be from 1 to \(EstimatorSpecification.possibleUnits.upperBound)")
    try require(
      scorePrecision != .bfloat16, "scorePrecision", "must be float32 or tf32")
    try require(keep >= 1, "keep", "must be at least 1")
    try require(
      CheckpointFolder.Choice(checkpoint) != nil, "checkpoint",
      "must be latest, best or an epoch's number")
  }

  /// The precision of those products of a step's gradient that are not in bfloat16.
  var gradientPrecision: Precision {
    precision == .tf32 || scorePrecision == .tf32 ? .tf32 : .float32
  }

  /// A digest of all that must stay the same when a run is resumed.
  public func resumptionHash() throws -> String {
    var copy = self
    copy.keep = 0
    guard case .object(var settings) = try JSONValue(encoding: copy) else {
      return try specificationHash(copy)
    }
    // Earlier versions had no settings for them.
    if scorePrecision == .float32 { settings["scorePrecision"] = nil }
    if scoreScale == .none { settings["scoreScale"] = nil }
    return try specificationHash(JSONValue.object(settings))
  }
}

/// Estimators that know nothing of mutual information, to tell whether that is what helps.
public enum EstimatorControl: String, CaseIterable, Codable, Sendable {
  /// Weights stay as they were drawn; only the statistics of batch normalisation are fitted.
  case random
  /// Each output is trained against another sample's pattern, so that there is nothing to find.
  case shuffled
}
