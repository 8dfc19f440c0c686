import NamidSettings

/// An attack that cannot be had as it was asked for.
public enum AttackListError: Error, CustomStringConvertible, Equatable {
  /// There is no such attack.
  case unknown(String, suggestion: String?, known: [String])
  /// The attack exists, but not with this setting.
  case badSetting(attack: String, setting: String, reason: String)
  /// The attack exists, but not in this norm.
  case unsuitableNorm(attack: String, norm: Norm, has: [Norm])

  /// What is wrong and what would be right.
  public var description: String {
    switch self {
    case .unknown(let name, let suggestion, let known):
      "there is no attack \"\(name)\"" + (suggestion.map { ": did you mean \"\($0)\"?" } ?? "")
        + " (known: \(known.joined(separator: ", ")))"
    case .badSetting(let attack, let setting, let reason):
      "\(attack): the setting \"\(setting)\" \(reason)"
    case .unsuitableNorm(let attack, let norm, let has):
      "\(attack) has no \(norm.rawValue) form (it has \(has.map(\.rawValue).joined(separator: ", ")))"
    }
  }
}

/// Attacks by their names on the command line.
public enum AttackList {
  /// Parses a comma-separated list such as `clean,pgd-40:restarts=5`.
  ///
  /// - Parameters:
  ///   - text: Names, each with settings after colons.
  ///   - threat: The ball; a name that cannot be held to its norm is an error.
  ///   - entries: The attacks to choose from.
  /// - Returns: The attacks in the order in which they were written.
  /// - Throws: The first name or setting that is wrong.
  public static func parse(
    _ text: String, threat: ThreatModel, among entries: [AttackEntry] = AttackEntry.all
  ) throws(AttackListError) -> [any Attack] {
    var attacks: [any Attack] = []
    for item in text.split(separator: ",") {
      let parts = item.split(separator: ":").map {
        String($0.trimmingPrefix(while: \.isWhitespace))
      }
      attacks.append(try attack(parts.first ?? "", Array(parts.dropFirst()), threat, entries))
    }
    if attacks.isEmpty { throw unknown(text, entries) }
    return attacks
  }

  private static func attack(
    _ name: String, _ items: [String], _ threat: ThreatModel, _ entries: [AttackEntry]
  ) throws(AttackListError) -> any Attack {
    guard let (entry, number) = find(name, entries) else { throw unknown(name, entries) }
    if !entry.norms.contains(threat.norm) {
      throw .unsuitableNorm(attack: entry.name, norm: threat.norm, has: entry.norms)
    }
    let named = number.flatMap { text in entry.number.map { (key: $0, text: text) } }
    var settings = try AttackSettings(attack: name, items: items, number: named)
    let attack = try entry.make(threat, &settings)
    try settings.finish()
    return attack
  }

  /// The entry that a name means, with the number after it: `apgd-t` has none, `pgd-40` has 40.
  private static func find(_ name: String, _ entries: [AttackEntry]) -> (AttackEntry, String?)? {
    if let entry = entries.first(where: { $0.name == name }) { return (entry, nil) }
    guard let dash = name.lastIndex(of: "-") else { return nil }
    let number = name[name.index(after: dash)...]
    guard let entry = entries.first(where: { $0.name == name[..<dash] && $0.number != nil }),
      !number.isEmpty, number.allSatisfy(\.isASCIIDigit)
    else { return nil }
    return (entry, String(number))
  }

  private static func unknown(_ name: String, _ entries: [AttackEntry]) -> AttackListError {
    let stem = name.split(separator: "-").prefix { !$0.allSatisfy(\.isASCIIDigit) }
      .joined(separator: "-")
    return .unknown(
      name, suggestion: nearest(stem, among: entries.map(\.name)), known: entries.map(\.pattern))
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
