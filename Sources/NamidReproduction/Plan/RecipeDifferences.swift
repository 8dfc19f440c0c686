import NamidAttacks
import NamidFiles
import NamidNetworks
import NamidTraining

/// In words, how a recipe differs from its reference: for one that comes with the tool the same file without a preset,
/// whose values are the paper's, and for one of one's own that names a table of the paper the tool's recipe of it.
struct RecipeDifferences {
  private let file: RecipeFile
  private let catalog: Catalog
  private let options: PlanBuilder.Options

  init(_ settings: RecipeSettings, options: PlanBuilder.Options) {
    file = settings.file
    catalog = settings.catalog
    self.options = options
  }

  /// A value that differs, and the rows or estimators where it does.
  private struct Change {
    var text: String
    var places: [String]
  }

  /// One sentence each; none for a recipe that follows no paper.
  func sentences() throws(RecipeError) -> [String] {
    guard file.recipe.paper != nil else { return [] }
    return try left() + settings() + estimators() + columns() + seeds() + file.recipe.allRemarks
  }

  // MARK: What is there at all

  private func left() -> [String] {
    let (mine, theirs) = (file.recipe, file.reference)
    var sentences: [String] = []
    func compare(_ what: String, _ mine: [String], _ theirs: [String]) {
      let missing = theirs.filter { !mine.contains($0) }
      let added = mine.filter { !theirs.contains($0) }
      if !missing.isEmpty {
        sentences.append("\(what) left out: \(missing.joined(separator: "; "))")
      }
      if !added.isEmpty {
        sentences.append("\(what) that the paper does not have: \(added.joined(separator: "; "))")
      }
    }
    let shown = { (recipe: Recipe) in recipe.rows.entries.filter(\.value.shown).map(\.name) }
    compare("parts", mine.parts.names, theirs.parts.names)
    compare("rows", shown(mine), shown(theirs))
    compare("columns", mine.columns.names, theirs.columns.names)
    return sentences
  }

  // MARK: Settings

  private func settings() throws(RecipeError) -> [String] {
    var changes: [Change] = []
    var compared: Set<String> = []
    for part in file.recipe.parts.names {
      for row in file.recipe.rows.names where file.reference.rows[row] != nil {
        let mine = try RecipeSettings(file, catalog: catalog).training(row: row, part: part)
        guard let other = referencePart(for: part, norm: mine.threat.norm.rawValue) else {
          continue
        }
        compared.insert(row)
        let theirs = try RecipeSettings(file, recipe: file.reference, catalog: catalog)
          .training(row: row, part: other)
        Self.note(tree(theirs), tree(mine), at: row, in: &changes)
      }
    }
    return sentences(changes, all: compared.count)
  }

  private func estimators() throws(RecipeError) -> [String] {
    var changes: [Change] = []
    guard let part = file.recipe.parts.names.first else { return [] }
    var compared: Set<String> = []
    for name in file.recipe.estimators.names where file.reference.estimators[name] != nil {
      let configurations = try [file.recipe, file.reference].map { recipe throws(RecipeError) in
        let settings = RecipeSettings(file, recipe: recipe, catalog: catalog)
        let target = recipe.estimators[name]?.target ?? ""
        guard recipe.rows[target] != nil,
          let part = recipe.parts.names.first(where: { $0 == part })
            ?? recipe.parts.names.first
        else {
          throw settings.refusal("estimators.\(name).target", "there is no row \"\(target)\"")
        }
        let network = try settings.training(row: target, part: part)
        return try settings.estimators(name, target: network)
      }
      compared.insert(name)
      let trees = configurations.map { configuration in
        var tree = (try? JSONValue(encoding: configuration))?.objectValue ?? [:]
        for key in ["seed", "target", "threat", "attack"] { tree[key] = nil }
        // Data that are the target's were compared with its row.
        tree["data"] = ["limit": .init(configuration.data.limit)]
        return JSONValue.object(tree)
      }
      Self.note(trees[1], trees[0], at: name, in: &changes)
    }
    return sentences(changes, all: compared.count).map { "estimators, \($0)" }
  }

  /// The part of the reference with the same name, or else with the same norm, or else the first.
  private func referencePart(for name: String, norm: String) -> String? {
    let parts = file.reference.parts
    if parts[name] != nil { return name }
    return parts.entries.first {
      $0.value.settings["threat"]?["norm"]?.stringValue == norm
    }?.name ?? parts.names.first
  }

  private func tree(_ configuration: RunConfiguration) -> JSONValue {
    var configuration = configuration
    // Said as a number, and the same whether it was written or not.
    configuration.model.width =
      configuration.model.width
      ?? catalog.architecture(configuration.model.architecture)?.defaultWidth
    var tree = (try? JSONValue(encoding: configuration))?.objectValue ?? [:]
    for key in ["seed", "estimators"] { tree[key] = nil }
    return .object(tree)
  }

  private static func note(
    _ theirs: JSONValue, _ mine: JSONValue, at place: String, in changes: inout [Change]
  ) {
    let old = Dictionary(
      SettingText.all(of: theirs).map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    for setting in SettingText.all(of: mine) where old[setting.key] != setting.value {
      let values = [setting.value, old[setting.key] ?? "null"].map {
        SettingNames.value($0, of: setting.key)
      }
      let text = "\(SettingNames.name(of: setting.key)): \(values[0]) instead of \(values[1])"
      note(text, at: place, in: &changes)
    }
  }

  private static func note(_ text: String, at place: String, in changes: inout [Change]) {
    if let known = changes.firstIndex(where: { $0.text == text }) {
      if !changes[known].places.contains(place) { changes[known].places.append(place) }
    } else {
      changes.append(Change(text: text, places: [place]))
    }
  }

  private func sentences(_ changes: [Change], all count: Int) -> [String] {
    changes.map { change in
      change.places.count == count
        ? change.text : "\(change.text) (\(Self.list(change.places)))"
    }
  }

  /// Names in a row; those with commas in quotes.
  private static func list(_ names: [String]) -> String {
    names.map { $0.contains(",") ? "“\($0)”" : $0 }.joined(separator: ", ")
  }

  // MARK: Columns and seeds

  /// The columns that some part of the table has.
  private func measuredColumns() throws(RecipeError) -> [Named<RecipeColumn>.Entry] {
    guard let row = file.recipe.rows.names.first else { return [] }
    var norms: [Norm] = []
    for part in file.recipe.parts.names {
      norms.append(
        try RecipeSettings(file, catalog: catalog).training(row: row, part: part).threat.norm)
    }
    return file.recipe.columns.entries.filter { column in
      column.value.norms.map { $0.contains(where: norms.contains) } ?? true
    }
  }

  private func columns() throws(RecipeError) -> [String] {
    var attacks: [String] = []
    var changes: [Change] = []
    let common = try measuredColumns().filter { file.reference.columns[$0.name] != nil }
    for column in common {
      guard let other = file.reference.columns[column.name] else { continue }
      if column.value.attack != other.attack {
        attacks.append("\(column.name): \(column.value.attack) instead of \(other.attack)")
      }
      let mine = column.value.limit ?? file.recipe.limit
      let theirs = other.limit ?? file.reference.limit
      if mine == theirs { continue }
      let texts = [mine, theirs].map { $0.map(String.init) ?? "all" }
      Self.note("test images: \(texts[0]) instead of \(texts[1])", at: column.name, in: &changes)
    }
    return attacks + sentences(changes, all: common.count) + probes()
  }

  private func probes() -> [String] {
    file.recipe.probes.entries.flatMap { probe -> [String] in
      guard let other = file.reference.probes[probe.name] else { return [] }
      var sentences: [String] = []
      if probe.value.attack != other.attack {
        sentences.append("attacks: \(probe.value.attack) instead of \(other.attack)")
      }
      if probe.value.limit != other.limit {
        sentences.append("test images: \(probe.value.limit) instead of \(other.limit)")
      }
      return sentences
    }
  }

  private func seeds() -> [String] {
    var changes: [Change] = []
    let rows = file.recipe.rows.entries.filter(\.value.shown)
    for row in rows {
      guard let other = file.reference.rows[row.name] else { continue }
      let mine = options.seeds ?? row.value.seeds ?? file.recipe.seeds
      let theirs = other.seeds ?? file.reference.seeds
      if mine == theirs { continue }
      let texts = [mine, theirs].map { $0.map(String.init).joined(separator: ", ") }
      Self.note("seeds: \(texts[0]) instead of \(texts[1])", at: row.name, in: &changes)
    }
    var sentences = sentences(changes, all: rows.count)
    if options.seeds == nil {
      sentences += file.recipe.parts.entries.compactMap { part in
        part.value.seeds.map {
          "seeds of \(part.name): \($0.map(String.init).joined(separator: ", "))"
        }
      }
    }
    return sentences
  }
}

extension JSONValue {
  fileprivate init(_ number: Int?) { self = number.map(JSONValue.int) ?? .null }
}
