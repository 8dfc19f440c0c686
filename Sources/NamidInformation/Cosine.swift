import NamidTorch

/// The vectors that the cosine of Equation 8 compares.
///
/// Read literally, per sample, it is the cosine of two scalars: ±1, without a gradient. So one of these two readings
/// must be taken.
public enum CosineForm: String, CaseIterable, Codable, Sendable {
  /// The vectors of all selected samples' values: one cosine per batch (the authors' code).
  case batch
  /// Each sample's vector of values by position; the mean over samples.
  case perPosition = "per-position"

  /// Computes |1 − cos| of losses by position, both (selected samples, positions).
  public func loss(_ a: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .batch: (1 - similarity(a, b)).abs()
    case .perPosition: (1 - a.cosineSimilarity(b, dim: 1)).abs().mean()
    }
  }

  /// Computes the cosine; the mean over samples where it is per sample.
  public func similarity(_ a: Tensor, _ b: Tensor) -> Tensor {
    switch self {
    case .batch: a.mean([1]).cosineSimilarity(b.mean([1]), dim: 0)
    case .perPosition: a.cosineSimilarity(b, dim: 1).mean()
    }
  }
}
