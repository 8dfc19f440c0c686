import NamidAttacks
import NamidNetworks
import NamidTorch

/// Checks of a network on a few images that tell whether its robust accuracy can be trusted.
///
/// The checks follow those of AutoAttack (Croce and Hein, ICML 2020) and add batch dependence and finite differences.
public enum Diagnostics {
  /// The largest number of images that the checks need.
  public static let imageCount = 16

  /// Looks for properties of a network that make its figures doubtful; leaves the network unchanged.
  ///
  /// - Parameters:
  ///   - classifier: The network.
  ///   - images: A few unattacked images (N, C, H, W), float32 in [0, 1].
  ///   - labels: Their classes (N).
  /// - Returns: A flag for everything suspicious.
  public static func examine(
    _ classifier: any Classifier, images: Tensor, labels: Tensor
  ) -> [Diagnosis] {
    withPrecision(.float32, on: images.device) {
      var flags: [Diagnosis] = []
      let outputs = OutputChecks(classifier, images: images)
      // Whatever is random, or depends on the batch, cannot be compared with anything further.
      let instability = outputs.randomised ?? outputs.batchDependent
      if let instability { flags.append(instability) }
      if let flag = outputs.probabilities { flags.append(flag) }
      let gradients = GradientChecks(classifier, images: images, labels: labels)
      if let flag = gradients.zeroGradient { flags.append(flag) }
      if instability == nil, let flag = gradients.mismatch { flags.append(flag) }
      return flags
    }
  }

  /// Attacks that do something else than their definition because there are few classes.
  public static func fewClasses(_ attacks: [any Attack], classCount: Int) -> [Diagnosis] {
    attacks.flatMap { attack in
      let whole = attack.fallback(classCount: classCount).map { [(attack.name, $0)] }
      let parts = attack.allMembers.compactMap { member in
        member.fallback(classCount: classCount).map { ("\(attack.name): \(member.name)", $0) }
      }
      return (whole ?? parts).map { name, text in
        Diagnosis(
          name: .fewClasses, attack: name, value: Double(classCount), threshold: Double(classCount),
          meaning: "with \(classCount) classes the attack is not as defined: \(text)",
          advice: "name the change where the figure is reported")
      }
    }
  }
}

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
}
