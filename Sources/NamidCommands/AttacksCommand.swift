import ArgumentParser
import NamidAttacks
import NamidFiles
import NamidSettings
import NamidTerminal

/// `namid attacks`.
struct AttacksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attacks",
    abstract: "List all attacks with their settings and sources.",
    discussion: """
      A number stands for the setting that the attack's name shows. Settings are \
      written after colons, as in pgd-40:restarts=5:loss=margin.

      Example:
        namid attacks --json
      """)

  @Flag(help: "Print JSON instead of tables.")
  var json = false

  /// An attack with the settings that it has unless told otherwise, at the paper's radius.
  private struct Row: Encodable {
    var name: String
    var number: String?
    var norms: [Norm]
    var summary: String
    var source: String
    var defaults: JSONValue
  }

  func run() throws {
    let rows = try Parts.catalog.attacks.map { entry in
      let threat = ThreatModel(
        norm: entry.norms.first ?? .linf, epsilon: Fraction(8, over: 255))
      let attack = try Parts.catalog.attacks(entry.name, in: threat)[0]
      return Row(
        name: entry.pattern, number: entry.number, norms: entry.norms, summary: entry.summary,
        source: entry.source, defaults: attack.record)
    }
    if json {
      print(try JSONValue(encoding: rows).text(indent: 2))
      return
    }
    var table = TextTable(["attack", "norms", "what it is", "source"])
    var defaults = TextTable(["attack", "settings at ε = 8/255 unless given"])
    for row in rows {
      table.append([
        row.name, row.norms.map(\.rawValue).joined(separator: " "), row.summary, row.source,
      ])
      let settings = AttackList.settingTexts(of: row.defaults).map { "\($0.key)=\($0.text)" }
      if !settings.isEmpty { defaults.append([row.name, settings.joined(separator: ":")]) }
    }
    print(table.text)
    print(defaults.text, terminator: "")
  }
}
