import NamidAttacks
import NamidData
import NamidFiles
import NamidSettings

/// An attack without members, as plans and results name it: equal plans give equal images.
struct MemberPlan: Codable, Hashable, Sendable {
  /// The attack's name.
  var name: String
  /// All its settings.
  var settings: JSONValue
  /// The ball that its images must lie in; nil for none.
  var ball: ThreatModel?

  init(_ attack: any Attack) {
    name = attack.name
    settings = attack.record
    ball = attack.ball
  }

  /// The pass over the unattacked images.
  static let clean = MemberPlan(NoAttack())

  /// The beginning of the names of its files.
  func fileStem() throws -> String {
    let plain = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    return "\(plain)-\(try specificationHash(self).prefix(8))"
  }
}

/// Everything that decides the verdicts of an evaluation.
struct EvaluationPlan: Codable, Hashable, Sendable {
  /// Raised when verdicts of an earlier version of this program must not be mixed with this one's.
  static let currentVersion = 2

  struct Data: Codable, Hashable, Sendable {
    var split: String
    var count: Int
    /// A digest of pixels and labels.
    var fingerprint: String
    /// A digest of the indices on disk, which random numbers are keyed by.
    var order: String
  }

  struct Member: Codable, Hashable, Sendable {
    var name: String
    var settings: JSONValue
    var members: [MemberPlan]
  }

  var version = currentVersion
  var data: Data
  /// A digest of the weights, and what network it is.
  var model: [String: String]
  /// The network that images are made on, for transfer attacks.
  var source: [String: String]?
  var threat: ThreatModel
  var attacks: [Member]
  var seed: Int
  /// The digest that the report will have.
  var specificationHash: String

  /// The plan of a measurement whose report has no figures yet.
  init(_ report: EvaluationReport, on set: ImageSet, _ attacks: [any Attack]) throws {
    let names = { (model: EvaluationReport.Model) in
      ["architecture": model.architecture, "fingerprint": model.fingerprint]
    }
    data = Data(
      split: set.split.rawValue, count: set.count, fingerprint: report.dataset.fingerprint,
      order: try NamidSettings.specificationHash(set.indices))
    model = names(report.model)
    source = report.source.map(names)
    threat = report.threat
    self.attacks = attacks.map { attack in
      Member(
        name: attack.name, settings: attack.record,
        members: attack.members(isTransfer: report.source != nil).map { .init($0) })
    }
    seed = report.seed
    specificationHash = report.specificationHash
  }

  /// All different attacks without members, the pass over the unattacked images first.
  var members: [MemberPlan] {
    var seen: Set<MemberPlan> = []
    return ([.clean] + attacks.flatMap(\.members)).filter { seen.insert($0).inserted }
  }

  /// The plan as JSON that equal plans share.
  func tree() throws -> JSONValue { try JSONValue(parsing: canonicalJSON(self)) }

  /// Lists the differences between the plan that was found and the one that is wanted, in words.
  static func differences(found: JSONValue, wanted: JSONValue) -> [String] {
    let (there, here) = (leaves(of: found), leaves(of: wanted))
    // What is said in few words first: a seed before the settings of an ensemble's members.
    let depth = { (key: String) in key.count { $0 == "." || $0 == "[" } }
    let keys = Set(there.keys).union(here.keys).sorted { (depth($0), $0) < (depth($1), $1) }
    return keys.compactMap { key in
      // It differs with everything else and says nothing by itself.
      if there[key] == here[key] || key == "specificationHash" { return nil }
      return "\(key) is \(there[key] ?? "missing") there and \(here[key] ?? "missing") here"
    }
  }

  private static func leaves(of value: JSONValue, at path: String = "") -> [String: String] {
    var found: [String: String] = [:]
    if let object = value.objectValue {
      for (key, item) in object {
        found.merge(leaves(of: item, at: path.isEmpty ? key : "\(path).\(key)")) { $1 }
      }
    } else if let items = value.arrayValue {
      for (place, item) in items.enumerated() {
        found.merge(leaves(of: item, at: "\(path)[\(place)]")) { $1 }
      }
    } else {
      found[path] = value.stringValue ?? value.description
    }
    return found
  }
}
