import NamidTorch

@testable import NamidAttacks

/// The constraints on a transport of mass, as numbers to be checked.
struct TransportCertificate: Hashable, Sendable {
  /// The smallest mass that any pixel sends anywhere; negative mass is not allowed.
  var smallestMass: Double
  /// The largest difference between what a pixel sends and what it has.
  var rowError: Double
  /// The difference between the sums of the images after and before, in shares of the sum before.
  var totalError: Double
  /// The mean distance that mass travels, in pixels: ⟨C, π⟩ / Σx.
  var cost: Double

  /// Checks that the transport keeps within a radius, up to rounding.
  ///
  /// - Parameters:
  ///   - radius: The largest mean distance in pixels.
  ///   - tolerance: The excess that the cost may have, in shares of the radius.
  /// - Returns: True if all constraints hold.
  func holds(radius: Double, tolerance: Double = 1e-3) -> Bool {
    smallestMass >= 0 && rowError <= 1e-5 && totalError <= 1e-5 && cost <= radius * (1 + tolerance)
  }
}

extension TransportPlan {
  /// One certificate per image, computed in float64 from the masses alone.
  var certificates: [TransportCertificate] {
    let (wide, before) = (masses.to(.float64), images.to(.float64))
    let count = images.size(0)
    if count == 0 { return [] }
    let all = Array(1..<wide.rank)
    let distances = Tensor(window.distances, shape: [window.side * window.side])
      .to(wide.device)
    let totals = before.sum([1, 2, 3])
    let scale = totals.clamp(min: 1e-30)
    let smallest = wide.amin(all).array(of: Double.self)
    let rows = (wide.sum([2]) - before.flatten(2)).abs().amax([1, 2]).array(of: Double.self)
    let sums = arrivals.to(.float64).sum([1, 2, 3])
    let errors = ((sums - totals).abs() / scale).array(of: Double.self)
    let costs = (wide.sum([1, 3]).matmul(distances) / scale).array(of: Double.self)
    return (0..<count).map {
      TransportCertificate(
        smallestMass: smallest[$0], rowError: rows[$0], totalError: errors[$0], cost: costs[$0])
    }
  }
}
