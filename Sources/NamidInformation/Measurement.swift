import NamidTorch

/// Estimated mutual information of one batch, per sample and in nats.
public struct MutualInformationValues: Sendable {
  /// The natural MI of natural samples, I_n(x; h(x)).
  public var naturalOfNatural: [Float] = []
  /// The natural MI of adversarial samples, I_n(x; h(x̃)).
  public var naturalOfAdversarial: [Float] = []
  /// The adversarial MI of natural samples, I_a(n; h(x)), with the noise crafted for them.
  public var adversarialOfNatural: [Float] = []
  /// The adversarial MI of adversarial samples, I_a(n; h(x̃)).
  public var adversarialOfAdversarial: [Float] = []

  /// Creates a value without samples.
  public init() {}

  /// Appends another batch's values.
  public mutating func append(_ other: MutualInformationValues) {
    naturalOfNatural += other.naturalOfNatural
    naturalOfAdversarial += other.naturalOfAdversarial
    adversarialOfNatural += other.adversarialOfNatural
    adversarialOfAdversarial += other.adversarialOfAdversarial
  }
}

extension EstimatorPair {
  /// Measures the four MI estimates of each sample of a batch; values depend on the batch's size and members.
  public func measure(
    images: Tensor, attacked: Tensor, naturalLogits: Tensor, adversarialLogits: Tensor
  ) -> MutualInformationValues {
    withoutGrad {
      let ofImages = natural.features(of: images)
      let ofNoise = adversarial.features(of: attacked - images)
      func values(_ estimator: Estimator, _ features: Tensor, _ logits: Tensor) -> [Float] {
        let scores = PatternScores(local: features, leak: estimator.specification.leak)
        return (-scores.losses(of: estimator.outputs(logits)).mean([1])).floats()
      }
      var result = MutualInformationValues()
      result.naturalOfNatural = values(natural, ofImages, naturalLogits)
      result.naturalOfAdversarial = values(natural, ofImages, adversarialLogits)
      result.adversarialOfNatural = values(adversarial, ofNoise, naturalLogits)
      result.adversarialOfAdversarial = values(adversarial, ofNoise, adversarialLogits)
      return result
    }
  }
}
