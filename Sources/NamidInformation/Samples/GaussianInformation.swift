import Foundation
import NamidTorch

/// Mutual information of Gaussians, in closed form.
public enum GaussianInformation {
  /// Computes the mutual information of a pair with correlation ρ: −½ log(1 − ρ²).
  public static func ofCorrelation(_ correlation: Double) -> Double {
    -0.5 * log1p(-correlation * correlation)
  }

  /// Computes the mutual information that samples would have if they were Gaussian: ½ (log det C_x + log det C_z −
  /// log det C).
  ///
  /// It equals −½ Σ log(1 − ρ_k²) over canonical correlations and misses every dependence that is not linear.
  ///
  /// - Parameters:
  ///   - x: (N, dx).
  ///   - z: (N, dz).
  /// - Returns: Nats; infinite where the joint covariance is singular, so that a column is a combination of others.
  public static func ofSamples(_ x: Tensor, _ z: Tensor) -> Double {
    let (x, z) = (x.to(.float64), z.to(.float64))
    let joint = logDeterminant(Tensor.cat([x, z], dim: 1))
    return 0.5 * (logDeterminant(x) + logDeterminant(z) - joint)
  }

  /// Computes the log determinant of the covariance of standardised columns; the scale cancels in the difference above.
  private static func logDeterminant(_ samples: Tensor) -> Double {
    let centred = samples - samples.mean([0], keepdim: true)
    let scaled = centred / centred.square().mean([0], keepdim: true).sqrt()
    let covariance = scaled.transpose(0, 1).matmul(scaled) / Double(samples.size(0))
    let (sign, logAbsDet) = covariance.slogdet()
    return sign.item() > 0 ? logAbsDet.item() : -.infinity
  }
}
