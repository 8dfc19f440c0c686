import NamidNetworks
import NamidTorch

/// No change to the images: an attack's result then is clean accuracy.
public struct NoAttack: Attack {
  /// `clean`.
  public let name = "clean"
  /// None.
  public let settings: [String: String] = [:]
  /// None.
  public let ball: ThreatModel? = nil

  /// Nothing.
  public init() {}

  /// The images as they are.
  public func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult {
    classifier.evaluating {
      let wrong = withoutGrad { misclassified(classifier.logits(images), labels).bools() }
      return AttackResult(
        images: images, fooled: wrong, costs: wrong.map { _ in Cost(forwards: 1) })
    }
  }
}

extension NoAttack {
  static let entry = AttackEntry(
    name: "clean", summary: "no attack: clean accuracy", source: "none", norms: Norm.allCases
  ) { _, _ in NoAttack() }
}
