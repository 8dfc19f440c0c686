/// Layers and losses as functions; names and meaning are PyTorch's.
extension Tensor {
  /// 2-D convolution of (N, C, H, W) with (O, C/groups, kH, kW).
  public func conv2d(
    _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, groups: Int = 1
  ) -> Tensor {
    one(.conv2d, self, weight, bias, [stride, stride], [padding, padding], [1, 1], groups)
  }

  /// x·Wᵀ + b for a weight of shape (out, in).
  public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    one(.linear, self, weight, bias)
  }

  /// Batch normalisation over all but the channel dimension; in training the running statistics change in place.
  public func batchNorm(
    weight: Tensor?, bias: Tensor?, runningMean: Tensor, runningVar: Tensor, training: Bool,
    momentum: Double = 0.1, epsilon: Double = 1e-5
  ) -> Tensor {
    one(
      .batchNorm, self, weight, bias, runningMean, runningVar, training, momentum, epsilon, true)
  }

  /// Layer normalisation over the last dimensions, whose sizes are `shape`.
  public func layerNorm(
    _ shape: [Int], weight: Tensor?, bias: Tensor?, epsilon: Double = 1e-5
  ) -> Tensor {
    one(.layerNorm, self, shape, weight, bias, epsilon)
  }

  /// The positive part.
  public func relu() -> Tensor { one(.relu, self) }

  /// x·σ(x).
  public func silu() -> Tensor { one(.silu, self) }

  /// Largest value of each window; the stride is the window's size unless given.
  ///
  /// With `ceilMode` a last window that reaches over the edge counts, too: 7 pixels make 4, not 3.
  public func maxPool2d(
    _ kernel: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false
  ) -> Tensor {
    let stride = stride ?? kernel
    return one(
      .maxPool2d, self, [kernel, kernel], [stride, stride], [padding, padding], [1, 1], ceilMode)
  }

  /// Mean of each window; the stride is the window's size unless given.
  public func avgPool2d(_ kernel: Int, stride: Int? = nil, padding: Int = 0) -> Tensor {
    let stride = stride ?? kernel
    return one(.avgPool2d, self, [kernel, kernel], [stride, stride], [padding, padding])
  }

  /// Means over a grid of equal cells, whatever the input's size.
  public func adaptiveAvgPool2d(_ size: Int) -> Tensor {
    one(.adaptiveAvgPool2d, self, [size, size])
  }

  /// (N, C, H, W) resized to `size` by linear interpolation in both directions.
  public func upsampleBilinear2d(_ size: [Int], alignCorners: Bool = false) -> Tensor {
    one(.upsampleBilinear2d, self, size, alignCorners)
  }

  /// Logarithm of the softmax along a dimension.
  public func logSoftmax(_ dimension: Int) -> Tensor { one(.logSoftmax, self, dimension) }
  /// Softmax along a dimension.
  public func softmax(_ dimension: Int) -> Tensor { one(.softmax, self, dimension) }

  /// The reduction of a loss over samples to one value.
  public enum LossReduction: Int, Sendable {
    /// One value for each sample.
    case none = 0
    /// The mean over samples.
    case mean = 1
    /// The sum over samples.
    case sum = 2
  }

  /// Cross-entropy of logits (N, K) and class indices (N).
  public func crossEntropy(
    _ labels: Tensor, reduction: LossReduction = .mean, labelSmoothing: Double = 0
  ) -> Tensor {
    one(
      .crossEntropyLoss, self, labels, Tensor?.none, reduction.rawValue, -100, labelSmoothing)
  }
}
