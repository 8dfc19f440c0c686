import Namid

/// Cross-entropy on natural and on attacked images, mixed (as in Goodfellow et al., ICLR 2015, Section 6).
struct Mixed: AdversarialObjective {
  /// The group `mixed` of a configuration file.
  struct Settings: DefenseSettings {
    static let key = "mixed"
    /// The weight of natural images.
    var natural = 0.5

    init() {}

    func validate() throws {
      try require(natural >= 0 && natural <= 1, "natural", "must lie in [0, 1]")
    }
  }

  let name = "mixed"
  let attack: TrainingAttack
  let labelLoss: LabelLoss
  let settings: Settings
  let readsNatural = true

  func loss(natural: Tensor?, adversarial: Tensor, labels: Tensor) -> DefenseLoss {
    let attacked = labelLoss(adversarial, labels)
    guard let natural else { return DefenseLoss(total: attacked) }
    let clean = labelLoss(natural, labels)
    return DefenseLoss(
      total: settings.natural * clean + (1 - settings.natural) * attacked,
      terms: [("ce", clean), ("ce_adv", attacked)])
  }
}

extension DefenseEntry {
  /// The line that makes it known.
  static let mixed = DefenseEntry(
    name: "mixed", summary: "natural and attacked images at once",
    source: "Goodfellow et al., ICLR 2015", settings: [Mixed.Settings.self]
  ) { parts in
    Mixed(
      attack: parts.attack, labelLoss: parts.labelLoss, settings: parts[Mixed.Settings.self])
  }
}
