import NamidAttacks
import NamidSettings
import NamidStatistics

/// Robust accuracy of a network, read from the sizes of the smallest perturbations.
///
/// One run of a minimum-norm attack gives robust accuracy at every radius: the share of samples whose smallest
/// perturbation is larger.
public struct MinimumNormReading: Codable, Hashable, Sendable {
  /// The share for which no perturbation within ε was found; nil without a ball.
  public var withinEpsilon: Double?
  /// The share for which none was found at all.
  public var unbounded: Double
  /// The median size among samples that are right unattacked; infinite where most of them withstood.
  public var medianAmongRight: Double?
  /// The median size over all samples, with 0 for those wrong unattacked.
  public var median: Double?
  /// Radii from 0 to 2ε, or to the largest size found where ε is 0.
  public var radii: [Double]
  /// The robust accuracy at each of them.
  public var accuracies: [Double]

  enum CodingKeys: String, CodingKey {
    case unbounded, median, radii, accuracies
    case withinEpsilon = "within_epsilon"
    case medianAmongRight = "median_among_right"
  }

  static let radiusCount = 21

  /// A reading of one size per sample: 0 where wrong unattacked (not `isRight`), infinite where none was found.
  init(distances: [Float], isRight: [Bool], ball: ThreatModel?, valuesPerImage: Int) {
    let share = { (standing: Int) in
      distances.isEmpty ? 0 : Double(standing) / Double(distances.count)
    }
    // A size that is the radius but for rounding is within it, as it is for the verdict.
    let accuracy = { (radius: Double) in
      var largest = radius
      if radius > 0, var ball {
        ball.epsilon = Fraction(radius)
        largest = Certificate.radius(of: ball, valuesPerImage: valuesPerImage)
      }
      return share(distances.count { Double($0) > largest })
    }
    unbounded = share(distances.count { $0 == .infinity })
    withinEpsilon = ball.map { accuracy($0.epsilon.value) }
    medianAmongRight = Statistics.median(
      zip(distances, isRight).filter(\.1).map { Double($0.0) })
    median = Statistics.median(distances.map { Double($0) })
    let epsilon = ball?.epsilon.value ?? 0
    let largest = epsilon > 0 ? 2 * epsilon : Double(distances.filter(\.isFinite).max() ?? 0)
    let steps = Double(Self.radiusCount - 1)
    radii = (0..<Self.radiusCount).map { largest * Double($0) / steps }
    accuracies = radii.map(accuracy)
  }
}
