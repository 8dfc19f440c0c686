import Records

/// Attacks by their names on the command line.
public enum AttackList {
  /// A name that is not an attack.
  public enum ParseError: Error, CustomStringConvertible, Equatable {
    /// There is no such attack.
    case unknown(String, suggestion: String?)
    /// The attack exists, but not with this setting.
    case badSetting(attack: String, setting: String, reason: String)

    /// What is wrong and what would be right.
    public var description: String {
      switch self {
      case .unknown(let name, let suggestion):
        "there is no attack \"\(name)\""
          + (suggestion.map { ": did you mean \"\($0)\"?" } ?? "")
          + " (known: clean, pgd-STEPS)"
      case .badSetting(let attack, let setting, let reason):
        "\(attack): the setting \"\(setting)\" \(reason)"
      }
    }
  }

  /// Parses a comma-separated list such as `clean,pgd-40:restarts=5`.
  public static func parse(_ text: String, threat: ThreatModel) throws(ParseError) -> [any Attack] {
    var attacks: [any Attack] = []
    for item in text.split(separator: ",") {
      let parts = item.split(separator: ":").map(String.init)
      guard let name = parts.first else { throw .unknown(String(item), suggestion: nil) }
      attacks.append(try attack(name, Array(parts.dropFirst()), threat))
    }
    if attacks.isEmpty { throw .unknown(text, suggestion: "clean") }
    return attacks
  }

  private static func attack(
    _ name: String, _ settings: [String], _ threat: ThreatModel
  ) throws(ParseError) -> any Attack {
    if name == "clean" {
      if let first = settings.first {
        throw .badSetting(attack: name, setting: first, reason: "is not one it has (it has none)")
      }
      return NoAttack()
    }
    guard name.hasPrefix("pgd-"), let steps = Int(name.dropFirst(4)), steps >= 1 else {
      throw .unknown(name, suggestion: nearest(name, among: ["clean", "pgd-20", "pgd-40"]))
    }
    var pgd = PGD(threat: threat, steps: steps)
    for setting in settings { try apply(setting, to: &pgd) }
    return pgd
  }

  private static func apply(_ setting: String, to pgd: inout PGD) throws(ParseError) {
    let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
    let name = pgd.name
    let bad = { (reason: String) in
      ParseError.badSetting(attack: name, setting: setting, reason: reason)
    }
    guard parts.count == 2 else { throw bad("must be written key=value") }
    switch parts[0] {
    case "restarts":
      guard let value = Int(parts[1]), value >= 1 else { throw bad("must be a number from 1") }
      pgd.restarts = value
    case "step_size":
      guard let value = Fraction(parts[1]), value.value > 0 else {
        throw bad("must be a positive number such as 2/255")
      }
      pgd.stepSize = value.value
    case "start":
      guard let value = Start(rawValue: parts[1]) else {
        throw bad("must be one of \(Start.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      pgd.start = value
    default:
      throw bad("is not one it has (it has restarts, step_size, start)")
    }
  }
}
