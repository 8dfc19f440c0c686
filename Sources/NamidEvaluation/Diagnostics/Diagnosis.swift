/// A sign that a network's robust accuracy is not what it seems, with what to do about it.
public struct Diagnosis: Codable, Hashable, Sendable {
  /// A sign of trouble that the checks look for.
  public enum Name: String, Codable, CaseIterable, Sendable {
    /// The output for an image depends on the images beside it.
    case batchDependent = "batch-dependent"
    /// The output for an image is not the same twice.
    case randomised
    /// The outputs are probabilities instead of logits.
    case probabilities
    /// The gradient of the loss is exactly zero.
    case zeroGradient = "zero-gradient"
    /// The gradient is not the slope of the network.
    case gradientMismatch = "gradient-mismatch"
    /// An attack without gradients finds what those with gradients miss.
    case queriesStronger = "queries-stronger"
    /// The data set has too few classes for an attack as it is defined.
    case fewClasses = "few-classes"
  }

  /// The sign that was found.
  public var name: Name
  /// The attack that it is about; nil where it is about the network.
  public var attack: String?
  /// The value measured.
  public var value: Double
  /// The largest value that raises no flag.
  public var threshold: Double
  /// A sentence on the meaning of the value, with the figure.
  public var meaning: String
  /// Advice on the next step.
  public var advice: String

  init(
    _ name: Name, attack: String? = nil, value: Double, threshold: Double, meaning: String,
    advice: String
  ) {
    self.name = name
    self.attack = attack
    self.value = value
    self.threshold = threshold
    self.meaning = meaning
    self.advice = advice
  }
}
