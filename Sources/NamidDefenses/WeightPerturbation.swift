import NamidNetworks
import NamidSettings
import NamidTorch

/// Adversarial weight perturbation (Wu, Xia and Wang, NeurIPS 2020): a step is taken at weights that are worse.
///
/// One gradient step up the loss gives a direction per tensor, which is scaled to γ times the tensor's length and
/// added; the training step is computed there, and the addition taken away after it. Convolutions and matrices are
/// perturbed, not biases or normalisations.
public struct WeightPerturbation: Hashable, Sendable {
  /// The choices; null stands for what goes with the defense.
  public struct Settings: ConfigurationGroup, Hashable, Sendable {
    /// The size γ relative to each tensor; null is 0.01, with TRADES 0.005.
    public var gamma: Double?
    /// Epochs without perturbation at the start; null is 0, with TRADES 10.
    public var warmUpEpochs: Int?

    /// The authors' choices.
    public init() {}

    /// Refuses negative values.
    public func validate() throws {
      try require((gamma ?? 0) >= 0, "gamma", "must not be negative")
      try require((warmUpEpochs ?? 0) >= 0, "warmUpEpochs", "must not be negative")
    }
  }

  /// The authors' choices for a kind of defense.
  public struct Defaults: Hashable, Sendable {
    /// The size relative to each tensor.
    public var gamma: Double
    /// Epochs without perturbation at the start.
    public var warmUpEpochs: Int

    /// Defaults of a defense.
    public init(gamma: Double, warmUpEpochs: Int) {
      self.gamma = gamma
      self.warmUpEpochs = warmUpEpochs
    }

    /// The perturbation for standard adversarial training.
    public static let usual = Defaults(gamma: 0.01, warmUpEpochs: 0)
    /// The perturbation for TRADES.
    public static let trades = Defaults(gamma: 0.005, warmUpEpochs: 10)
  }

  /// The size γ relative to each tensor.
  public var gamma: Double
  /// Epochs without perturbation at the start.
  public var warmUpEpochs: Int

  /// A perturbation with settings, and defaults for what they leave open.
  public init(_ settings: Settings = Settings(), defaults: Defaults = .usual) {
    gamma = settings.gamma ?? defaults.gamma
    warmUpEpochs = settings.warmUpEpochs ?? defaults.warmUpEpochs
  }

  /// True for an epoch (counted from 0) in which weights are perturbed.
  public func isActive(in epoch: Int) -> Bool { epoch >= warmUpEpochs && gamma != 0 }

  /// Perturbs a network's weights; nil during warm-up.
  ///
  /// - Parameters:
  ///   - store: The network's weights. Their gradients stay as they are.
  ///   - others: Further stores whose running statistics must not move either.
  ///   - epoch: Counted from 0.
  ///   - loss: The training loss at the weights as they are; what it does to running statistics is undone.
  /// - Returns: The perturbation, to be taken away after the step.
  public func applied(
    to store: ParameterStore, keeping others: [ParameterStore] = [], epoch: Int, loss: () -> Tensor
  ) -> Applied? {
    guard isActive(in: epoch) else { return nil }
    let buffers = ([store] + others).flatMap { $0.entries.filter { !$0.isTrainable } }
    let kept = withoutGrad { buffers.map { $0.tensor.clone() } }
    let weights = store.entries.filter { $0.isTrainable && $0.tensor.rank >= 2 }
      .filter { $0.name.contains("weight") }.map(\.tensor)
    let gradients = grad(of: loss(), wrt: weights)
    return withoutGrad {
      for (buffer, value) in zip(buffers, kept) { buffer.tensor.copy_(value) }
      let shifts = zip(weights, gradients).map { weight, gradient in
        let step = gradient * Self.proxyRate
        // A float32 sum of 1e-20 and anything larger is the latter: it only keeps 0 / 0 away.
        return step * (weight.norm() / (step.norm() + 1e-20) * gamma)
      }
      TensorList.add_(weights, shifts)
      return Applied(weights: weights, shifts: shifts)
    }
  }

  /// The learning rate of the authors' step upwards; its size cancels but for the 1e-20.
  private static let proxyRate = 0.01

  /// A perturbation in place.
  public struct Applied {
    fileprivate let weights: [Tensor]
    fileprivate let shifts: [Tensor]

    /// Takes the perturbation away.
    public func remove() {
      withoutGrad { TensorList.add_(weights, shifts, alpha: -1) }
    }
  }
}
