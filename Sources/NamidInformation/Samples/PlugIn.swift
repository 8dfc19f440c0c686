import Foundation

/// Mutual information of two discrete variables from a table of counts.
public struct PlugInInformation: Codable, Hashable, Sendable {
  /// The sum Σ p log(p / p_row p_column) over the observed shares, in nats; biased upwards.
  public var plugIn: Double
  /// The plug-in value after Miller and Madow's correction of each entropy, in nats; for a table without empty cells it
  /// subtracts (rows − 1)(columns − 1) / 2N.
  public var corrected: Double
  /// The number of pairs counted.
  public var count: Int

  enum CodingKeys: String, CodingKey {
    case corrected, count
    case plugIn = "plug_in"
  }

  /// Counts pairs, such as labels and predicted classes.
  ///
  /// - Parameters:
  ///   - a: One value per sample.
  ///   - b: One value per sample, in the same order.
  /// - Precondition: Both have the same length.
  public init(_ a: [Int], _ b: [Int]) {
    precondition(a.count == b.count, "\(a.count) and \(b.count) values")
    count = a.count
    guard count > 0 else {
      (plugIn, corrected) = (0, 0)
      return
    }
    let joint = DiscreteJoint(
      ["a", "b"], outcomes: zip(a, b).map { (values: [$0, $1], weight: 1) })
    plugIn = joint.mutualInformation(["a"], ["b"])
    // H is biased by −(occupied − 1) / 2N each; I = H(A) + H(B) − H(A, B).
    let occupied = Set(zip(a, b).map { [$0, $1] }).count
    let bias = Double(occupied - Set(a).count - Set(b).count + 1) / Double(2 * count)
    corrected = plugIn - bias
  }
}
