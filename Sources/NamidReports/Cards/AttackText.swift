import NamidAttacks
import NamidEvaluation
import NamidPages
import NamidReproduction
import NamidTraining

/// An attack as text for the command line, such as `pgd-40:restarts=5`.
enum AttackText {
  /// Returns the text that gives an attack with exactly these settings; nil where none was found.
  static func commandLine(
    of attack: AttackReport, threat ball: ThreatModel, _ catalog: Catalog
  ) -> String? {
    guard let usual = parsed(attack.name, ball, catalog) else { return nil }
    let (settings, standard) = (attack.settings, usual.record)
    if standard == settings { return attack.name }
    let changed = AttackList.settingTexts(of: settings).filter { key, _ in
      standard[key] != settings[key]
    }
    let text = attack.name + changed.map { ":\($0.key)=\($0.text)" }.joined()
    return parsed(text, ball, catalog)?.record == settings ? text : nil
  }

  /// Formats the command-line text as Markdown; where there is none, the attack's name with a remark.
  static func shown(
    _ attack: AttackReport, threat: ThreatModel, _ catalog: Catalog
  ) -> String {
    commandLine(of: attack, threat: threat, catalog).map(Markdown.code)
      ?? "\(Markdown.code(attack.name)) (settings of its own)"
  }

  /// Reads the one attack that a text names; nil for any other text, and for one that a shell might read differently.
  private static func parsed(
    _ text: String, _ threat: ThreatModel, _ catalog: Catalog
  ) -> (any Attack)? {
    guard text.utf8.count <= 500, ShellText.isHarmless(text),
      let attacks = try? catalog.attacks(text, in: threat), attacks.count == 1
    else { return nil }
    return attacks[0]
  }
}

/// Words of a command line that come from files.
enum ShellText {
  /// Checks that a shell reads a text literally, as one word.
  static func isHarmless(_ text: String) -> Bool {
    !text.isEmpty && text.first != "-"
      && text.utf8.allSatisfy { byte in
        let character = Character(Unicode.Scalar(byte))
        return character.isASCII
          && (character.isLetter || character.isNumber || "._-/:=+".contains(character))
      }
  }

  /// Returns a folder's name, not quoted yet; one that cannot be shown in a card becomes `RUN`.
  static func shown(_ name: String) -> String {
    Markdown.oneLine(name) == name && !name.contains("`") && name.first != "-" && !name.isEmpty
      ? name : "RUN"
  }
}
