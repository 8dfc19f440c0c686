import NamidTorch

/// Estimated mutual information of one batch, per sample and in nats.
public struct MutualInformationValues: Sendable {
  /// I_n(x; h(x)): natural MI of natural samples.
  public var naturalOfNatural: [Float]
  /// I_n(x; h(x̃)): natural MI of adversarial samples.
  public var naturalOfAdversarial: [Float]
  /// I_a(n; h(x)): adversarial MI of natural samples, with the noise crafted for them.
  public var adversarialOfNatural: [Float]
  /// I_a(n; h(x̃)): adversarial MI of adversarial samples.
  public var adversarialOfAdversarial: [Float]

  /// No samples.
  public init() {
    (naturalOfNatural, naturalOfAdversarial) = ([], [])
    (adversarialOfNatural, adversarialOfAdversarial) = ([], [])
  }

  /// Adds another batch's values.
  public mutating func append(_ other: MutualInformationValues) {
    naturalOfNatural += other.naturalOfNatural
    naturalOfAdversarial += other.naturalOfAdversarial
    adversarialOfNatural += other.adversarialOfNatural
    adversarialOfAdversarial += other.adversarialOfAdversarial
  }
}

extension EstimatorPair {
  /// The four MI estimates of each sample of a batch; values depend on the batch's size and members.
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
