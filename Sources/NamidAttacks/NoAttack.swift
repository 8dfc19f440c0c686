/// Images as they are: the result of this attack is clean accuracy.
public struct NoAttack: Attack, Hashable {
  /// Settings without choices.
  public struct Settings: AttackSettings {
    /// Empty settings.
    public init(in threat: ThreatModel) {}
    /// Accepts everything.
    public func validate(in threat: ThreatModel) {}
  }

  /// The empty settings.
  public var settings: Settings
  /// The threat model of the attacks beside it.
  public var threat: ThreatModel
  /// `clean`.
  public var name: String { "clean" }
  /// Nil: images are not changed.
  public var ball: ThreatModel? { nil }

  /// Images as they are, whatever the threat model.
  public init(_ settings: Settings, in threat: ThreatModel) {
    (self.settings, self.threat) = (settings, threat)
  }

  /// Images as they are.
  public init() {
    self.init(in: ThreatModel(epsilon: 0))
  }

  /// False: images stay as they are.
  public var changesImages: Bool { false }

  /// False: there is nothing to stop.
  public var stopsWhenFooled: Bool { false }

  /// One forward.
  public func budget(classCount: Int) -> Cost { Cost(forwards: 1) }

  /// Changes nothing: the search has classified the images already.
  public func attack(_ search: Search) {}

  static let entry = AttackEntry(
    NoAttack.self, name: "clean", summary: "no attack: clean accuracy", source: "none",
    norms: Norm.allCases)
}
