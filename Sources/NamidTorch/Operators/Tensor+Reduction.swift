/// Reductions; names and meaning are PyTorch's.
extension Tensor {
  /// The sum of all elements, of rank 0.
  public func sum() -> Tensor { one(.sum, self) }
  /// Sums along dimensions.
  public func sum(_ dimensions: [Int], keepdim: Bool = false) -> Tensor {
    one(.sumDim, self, dimensions, keepdim)
  }
  /// The mean of all elements, of rank 0.
  public func mean() -> Tensor { one(.mean, self) }
  /// Means along dimensions.
  public func mean(_ dimensions: [Int], keepdim: Bool = false) -> Tensor {
    one(.meanDim, self, dimensions, keepdim)
  }
  /// Largest elements along dimensions.
  public func amax(_ dimensions: [Int] = [], keepdim: Bool = false) -> Tensor {
    one(.amax, self, dimensions, keepdim)
  }
  /// Smallest elements along dimensions.
  public func amin(_ dimensions: [Int] = [], keepdim: Bool = false) -> Tensor {
    one(.amin, self, dimensions, keepdim)
  }
  /// The largest element, of rank 0.
  public func max() -> Tensor { one(.max, self) }
  /// The smallest element, of rank 0.
  public func min() -> Tensor { one(.min, self) }
  /// The index of the largest element along a dimension; the first of equals.
  public func argmax(_ dimension: Int) -> Tensor { one(.argmax, self, dimension) }
  /// log Σ exp along dimensions, computed without overflow.
  public func logsumexp(_ dimensions: [Int], keepdim: Bool = false) -> Tensor {
    one(.logsumexp, self, dimensions, keepdim)
  }
  /// The p-norm along dimensions; all of them when empty.
  public func norm(_ p: Double = 2, _ dimensions: [Int] = [], keepdim: Bool = false) -> Tensor {
    one(.linalgVectorNorm, self, p, dimensions.isEmpty ? nil : dimensions, keepdim)
  }
  /// The variance along dimensions; `correction` 1 is the unbiased one.
  public func variance(
    _ dimensions: [Int], correction: Int = 1, keepdim: Bool = false
  ) -> Tensor {
    one(.variance, self, dimensions, correction, keepdim)
  }
  /// Elements in order along a dimension, and where they were.
  public func sort(_ dimension: Int = -1, descending: Bool = false) -> (
    values: Tensor, indices: Tensor
  ) {
    let results = invoke(.sort, self, dimension, descending)
    return (results[0], results[1])
  }
  /// The `k` largest elements along a dimension, in order, and where they were.
  public func topk(_ k: Int, dim: Int = -1) -> (values: Tensor, indices: Tensor) {
    let results = invoke(.topk, self, k, dim)
    return (results[0], results[1])
  }
  /// The `k`-th smallest element along a dimension (from 1), and where it is.
  public func kthvalue(_ k: Int, dim: Int = -1) -> (values: Tensor, indices: Tensor) {
    let results = invoke(.kthvalue, self, k, dim)
    return (results[0], results[1])
  }
  /// The cosine of the angle between two tensors along a dimension (norms floored at 1e-8).
  public func cosineSimilarity(_ other: Tensor, dim: Int) -> Tensor {
    one(.cosineSimilarity, self, other, dim)
  }
}

/// Values brought to the host; each waits for the device.
extension Tensor {
  /// The only element, as a number.
  ///
  /// - Precondition: the tensor has one element.
  public func item() -> Double {
    precondition(count == 1, "item() of a tensor of shape \(shape)")
    return to(.float64).array(of: Double.self)[0]
  }

  /// The elements as `Float`, converted.
  public func floats() -> [Float] { to(.float32).array() }
  /// The elements as `Int`, converted.
  public func ints() -> [Int] { to(.int64).array() }
  /// The elements as `Bool`.
  public func bools() -> [Bool] { to(.bool).array() }
}
