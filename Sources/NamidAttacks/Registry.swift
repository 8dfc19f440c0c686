/// An attack that can be asked for by name.
public struct AttackEntry: Sendable {
  /// Builds an attack; takes what it needs out of the settings.
  public typealias Make =
    @Sendable (ThreatModel, inout AttackSettings) throws(AttackListError) -> any Attack

  /// The name before any number, such as `pgd`.
  public let name: String
  /// The setting that a number after the name stands for, as in `pgd-40`; nil when there is none.
  public let number: String?
  /// One line that says what it is.
  public let summary: String
  /// The paper that defines it.
  public let source: String
  /// The norms that it has.
  public let norms: [Norm]
  /// Builds the attack.
  public let make: Make

  /// An attack by name.
  public init(
    name: String, number: String? = nil, summary: String, source: String,
    norms: [Norm] = [.linf, .l2], make: @escaping Make
  ) {
    self.name = name
    self.number = number
    self.summary = summary
    self.source = source
    self.norms = norms
    self.make = make
  }

  /// The name with the number's setting in capitals, as help lists it.
  public var pattern: String { number.map { "\(name)-\($0.uppercased())" } ?? name }

  /// All attacks that come with this library.
  public static let all: [AttackEntry] =
    [NoAttack.entry, PGD.entry] + APGD.entries
    + [
      FAB.entry, FAB.targetedEntry, Square.entry, AutoAttack.entry, CarliniWagner.entry, DDN.entry,
      FMN.entry, TIDIM.entry, FWA.entry,
    ]
}
