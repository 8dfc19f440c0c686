import NamidFiles
import NamidSettings

/// An attack that can be asked for by name, such as `pgd-40:restarts=5`.
public struct AttackEntry: Sendable {
  /// The name before any number, such as `pgd`.
  public let name: String
  /// The key of the setting that a number after the name stands for, as in `pgd-40`; nil when there is none.
  public let number: String?
  /// One line on the attack.
  public let summary: String
  /// The paper that defines it.
  public let source: String
  /// The norms that it has.
  public let norms: [Norm]
  private let make: @Sendable (ThreatModel, AttackOverrides) throws(AttackListError) -> any Attack

  /// An attack by name.
  ///
  /// - Parameters:
  ///   - type: The attack.
  ///   - name: Its name before any number.
  ///   - number: The key that a number after the name stands for.
  ///   - summary: One line on the attack.
  ///   - source: The paper that defines it.
  ///   - norms: The norms that it has.
  ///   - oldKeys: Keys that settings had in earlier versions, beside those with underscores, and their present ones.
  ///   - choices: Choices that the name stands for, where they are not the usual ones.
  public init<A: Attack>(
    _ type: A.Type, name: String, number: String? = nil, summary: String, source: String,
    norms: [Norm] = [.linf, .l2], oldKeys: [String: String] = [:],
    choices: @escaping @Sendable (inout A.Settings) -> Void = { _ in }
  ) {
    self.name = name
    self.number = number
    self.summary = summary
    self.source = source
    self.norms = norms
    make = { (threat, overrides) throws(AttackListError) in
      var settings = A.Settings(in: threat)
      choices(&settings)
      settings = try overrides.laid(
        over: settings, in: threat, oldKeys: oldKeys, positive: number)
      return A(settings, in: threat)
    }
  }

  /// The name with the number's setting in capitals, as help lists it.
  public var pattern: String { number.map { "\(name)-\($0.uppercased())" } ?? name }

  /// The attack in a threat model, with settings as they were written.
  func attack(
    _ text: String, _ items: [String], number: String?, in threat: ThreatModel,
    say: (String) -> Void
  ) throws(AttackListError) -> any Attack {
    if !norms.contains(threat.norm) {
      throw .unsuitableNorm(attack: name, norm: threat.norm, has: norms)
    }
    let first = number.flatMap { digits in self.number.map { [(key: $0, text: digits)] } } ?? []
    let overrides = try AttackOverrides(attack: text, first: first, items: items)
    let attack = try make(threat, overrides)
    for (old, new) in overrides.renamed(for: attack.record) {
      say("\(text): \(old) is now written \(new)")
    }
    return attack
  }

  /// All attacks that come with this library.
  public static let all: [AttackEntry] = [
    NoAttack.entry, PGD.entry, APGD.crossEntropyEntry, APGD.dlrEntry, APGD.targetedEntry,
    FAB.entry, FAB.targetedEntry, Square.entry, AutoAttack.entry, CarliniWagner.entry, DDN.entry,
    FMN.entry, TIDIM.entry, FWA.entry,
  ]
}

/// An attack that cannot be had as it was asked for.
public enum AttackListError: Error, CustomStringConvertible, Equatable {
  /// The name belongs to no attack.
  case unknown(String, suggestion: String?, known: [String])
  /// The attack exists, but not with this setting.
  case badSetting(attack: String, setting: String, reason: String)
  /// The attack exists, but not in this norm.
  case unsuitableNorm(attack: String, norm: Norm, has: [Norm])

  /// A sentence on what is wrong and what would be right.
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

/// Attacks by their names.
public enum AttackList {
  /// Reads a comma-separated list such as `clean,pgd-40:restarts=5`.
  ///
  /// - Parameters:
  ///   - text: Names, each with settings after colons.
  ///   - threat: The ball; a name that cannot be held to its norm is an error.
  ///   - entries: The attacks to choose from.
  ///   - say: Called with a line on each setting that is written as in earlier versions.
  /// - Returns: The attacks in the order in which they were written.
  /// - Throws: The first name or setting that is wrong.
  public static func parse(
    _ text: String, threat: ThreatModel, among entries: [AttackEntry] = AttackEntry.all,
    say: (String) -> Void = { _ in }
  ) throws(AttackListError) -> [any Attack] {
    var attacks: [any Attack] = []
    for item in text.split(separator: ",") {
      let parts = item.split(separator: ":").map {
        String($0.trimmingPrefix(while: \.isWhitespace))
      }
      let name = parts.first ?? ""
      guard let (entry, number) = find(name, entries) else { throw unknown(name, entries) }
      attacks.append(
        try entry.attack(name, Array(parts.dropFirst()), number: number, in: threat, say: say))
    }
    if attacks.isEmpty { throw unknown(text, entries) }
    return attacks
  }

  /// The keys and values of an attack's record as they are written after colons, in order of their keys.
  ///
  /// Choices that are nil, and what is no number, word or truth value, are left out.
  public static func settingTexts(of record: JSONValue) -> [(key: String, text: String)] {
    (record.objectValue.map(Array.init) ?? []).sorted { $0.key < $1.key }.compactMap { key, value in
      switch value {
      case .null, .array, .object: nil
      case .string(let text): (key, text)
      case .bool, .int, .double: (key, value.text())
      }
    }
  }

  /// The entry that a name means, with the number after it: `apgd-t` has none, `pgd-40` has 40.
  private static func find(_ name: String, _ entries: [AttackEntry]) -> (AttackEntry, String?)? {
    if let entry = entries.first(where: { $0.name == name }) { return (entry, nil) }
    guard let dash = name.lastIndex(of: "-") else { return nil }
    let number = name[name.index(after: dash)...]
    guard let entry = entries.first(where: { $0.name == name[..<dash] && $0.number != nil }),
      !number.isEmpty, number.allSatisfy({ $0.isASCII && $0.isNumber })
    else { return nil }
    return (entry, String(number))
  }

  private static func unknown(_ name: String, _ entries: [AttackEntry]) -> AttackListError {
    let stem = name.split(separator: "-").prefix { !$0.allSatisfy { $0.isASCII && $0.isNumber } }
      .joined(separator: "-")
    return .unknown(
      name, suggestion: nearest(stem, among: entries.map(\.name)), known: entries.map(\.pattern))
  }
}

/// Settings of an attack as they were written after colons, `key=value`.
struct AttackOverrides {
  private let attack: String
  private let items: [(key: String, text: String)]

  init(
    attack: String, first: [(key: String, text: String)], items: [String]
  ) throws(AttackListError) {
    var all = first
    for item in items {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw .badSetting(attack: attack, setting: item, reason: "must be written key=value")
      }
      if all.contains(where: { camelCase($0.key) == camelCase(parts[0]) }) {
        throw .badSetting(attack: attack, setting: item, reason: "is given twice")
      }
      all.append((parts[0], parts[1]))
    }
    (self.attack, self.items) = (attack, all)
  }

  /// The settings with what was written laid over them.
  ///
  /// An attack without a step measures nothing that `clean` does not: the key `positive` must be at least 1.
  func laid<Settings: AttackSettings>(
    over usual: Settings, in threat: ThreatModel, oldKeys: [String: String], positive: String?
  ) throws(AttackListError) -> Settings {
    for item in items
    where camelCase(item.key) == positive && Int(item.text).map({ $0 < 1 }) == true {
      throw .badSetting(
        attack: attack, setting: "\(item.key)=\(item.text)",
        reason: "must be a whole number from 1 to 1000000")
    }
    var settings = usual
    var rest = items.map { (key: oldKeys[$0.key] ?? camelCase($0.key), item: $0) }
    if let preset = Settings.presetKey, let place = rest.firstIndex(where: { $0.key == preset }) {
      settings = try laid([rest.remove(at: place)], over: settings).usual(in: threat)
    }
    settings = try laid(rest, over: settings)
    do {
      try settings.validate(in: threat)
    } catch {
      let written = items.first { oldKeys[$0.key] ?? camelCase($0.key) == error.key }
      throw .badSetting(
        attack: attack, setting: written.map { "\($0.key)=\($0.text)" } ?? error.key,
        reason: error.reason)
    }
    return settings
  }

  private func laid<Settings: AttackSettings>(
    _ overrides: [(key: String, item: (key: String, text: String))], over settings: Settings
  ) throws(AttackListError) -> Settings {
    var settings = settings
    for (key, item) in overrides {
      let written = "\(item.key)=\(item.text)"
      func problem(_ reason: String) -> AttackListError {
        .badSetting(attack: attack, setting: written, reason: reason)
      }
      do {
        let tree = try JSONValue(encoding: settings)
        let keys = tree.objectValue.map { $0.map(\.key) } ?? []
        guard keys.contains(key) else {
          let guess = nearest(key, among: keys).map { "did you mean \"\($0)\"? " } ?? ""
          let list = keys.isEmpty ? "none" : keys.joined(separator: ", ")
          throw AttackListError.badSetting(
            attack: attack, setting: item.key,
            reason: "is not one it has: \(guess)it has \(list)")
        }
        settings = try tree.overlaid(with: [key: value(item.text)]).decode(Settings.self)
      } catch let error as AttackListError {
        throw error
      } catch ValueError.badChoice(_, _, let choices) {
        throw problem("must be one of \(choices.joined(separator: ", "))")
      } catch ValueError.wrongType(_, let expected, _) {
        switch expected {
        case "an integer": throw problem("must be a whole number")
        case "a number": throw problem("must be a number such as 2/255")
        default: throw problem("must be \(expected)")
        }
      } catch ValueError.badValue(_, _, let reason) {
        throw problem("cannot be used: \(reason)")
      } catch {
        throw problem("cannot be read: \(error)")
      }
    }
    return settings
  }

  /// A number, also as a fraction, a truth value, or a word.
  private func value(_ text: String) -> JSONValue {
    if let whole = Int(text) { return .int(whole) }
    if let number = Fraction(text)?.value, number.isFinite { return .double(number) }
    return Bool(text).map(JSONValue.bool) ?? .string(text)
  }

  /// Keys that were written in another way than `record` has them.
  func renamed(for record: JSONValue) -> [(old: String, new: String)] {
    items.compactMap { item in
      record[item.key] == nil && record[camelCase(item.key)] != nil
        ? (item.key, camelCase(item.key)) : nil
    }
  }
}

/// A key with underscores as this version writes it: `step_size` is `stepSize`.
private func camelCase(_ key: String) -> String {
  let parts = key.split(separator: "_")
  return parts.dropFirst().reduce(parts.first.map(String.init) ?? key) {
    $0 + $1.prefix(1).uppercased() + $1.dropFirst()
  }
}

extension Double {
  /// The number without a fraction that says nothing.
  var settingText: String { self == rounded() && abs(self) < 1e15 ? "\(Int(self))" : "\(self)" }
}
