import NamidAttacks
import NamidData
import NamidDefenses
import NamidFiles
import NamidSettings
import NamidTraining

/// The settings of a recipe's trainings, checked.
struct RecipeSettings {
  let file: RecipeFile
  let recipe: Recipe
  let catalog: Catalog

  init(_ file: RecipeFile, recipe: Recipe? = nil, catalog: Catalog) {
    self.file = file
    self.catalog = catalog
    self.recipe = recipe ?? file.recipe
  }

  /// Keys that rows, seeds and estimators of a recipe say; its settings may not contain them.
  private static let reserved = ["seed", "defense", "estimators"]

  /// The settings of a row in a part.
  func training(
    row name: String, part partName: String
  ) throws(RecipeError) -> RunConfiguration {
    guard let row = recipe.rows[name], let part = recipe.parts[partName] else {
      preconditionFailure("\(name) is no row or \(partName) no part")
    }
    let entry: DefenseEntry
    do {
      entry = try catalog.defense(DefenseName(rawValue: row.defense))
    } catch {
      throw refusal("rows.\(name).defense", Self.reason(error))
    }
    try check(row, name, reads: entry.settings.map { $0.key })
    let shared = try common(recipe.settings, key: "settings", for: entry)
    let ofPart = try common(part.settings, key: "parts.\(partName).settings", for: entry)
    let own = try group(row.settings, at: "rows.\(name).settings")
    // Its figures stand under the part's heading.
    for key in ["data.name", "threat"] where row.settings.says(key) {
      throw refusal(
        "rows.\(name).settings.\(key)",
        "all rows of a part have one data set and one ball: say it in a part")
    }
    var settings = [ofPart, own].reduce(JSONValue.object(shared)) { $0.overlaid(with: .object($1)) }
    settings = settings.overlaid(with: ["defense": .string(row.defense)])
    if let estimators = row.estimators {
      settings = settings.overlaid(with: ["estimators": .string(estimators)])
    }
    do {
      let configuration = try catalog.configuration(settings: settings)
      try checkNames(configuration)
      return configuration
    } catch {
      let key = Self.key(of: error) ?? ""
      let place = self.place(of: key, row: name, part: partName)
      throw refusal(place ?? "rows.\(name)", key: place.map { "\($0).\(key)" }, Self.reason(error))
    }
  }

  /// The settings of estimators; data, ball and attack are those of the target's row unless said otherwise.
  func estimators(
    _ name: String, target: RunConfiguration
  ) throws(RecipeError) -> EstimatorConfiguration {
    guard let item = recipe.estimators[name] else {
      preconditionFailure("\(name) are no estimators")
    }
    let key = "estimators.\(name).settings"
    if item.settings.says("data.name") {
      throw refusal("\(key).data.name", "estimators are trained on their target's data set")
    }
    let settings = JSONValue.object(try group(item.settings, at: key))
    var defaults = item.kind == .standard ? .standard : EstimatorConfiguration()
    defaults.data = target.data
    defaults.threat = target.threat
    defaults.attack = target.attack
    do {
      return try ConfigurationLoader.load(
        defaults: defaults,
        settings: settings.overlaid(with: ["kind": .string(item.kind.rawValue)]))
    } catch {
      throw refusal(key, key: Self.key(of: error).map { "\(key).\($0)" }, Self.reason(error))
    }
  }

  /// An error with the line where something was written: a place, or a key below it that the reason names.
  func refusal(_ place: String, key: String? = nil, _ reason: String) -> RecipeError {
    .refused(key: place, reason: reason, origin: file.origin(of: key ?? place))
  }

  /// The group of settings that says a key of a row in a part; nil where none does.
  func place(of key: String, row: String, part: String) -> String? {
    let places: [(String, JSONValue?)] = [
      ("rows.\(row).settings", recipe.rows[row]?.settings),
      ("parts.\(part).settings", recipe.parts[part]?.settings), ("settings", recipe.settings),
    ]
    return places.first { $0.1?.says(key) == true }?.0
  }

  // MARK: Parts of it

  /// A row's own group of settings that its defense does not read is a mistake.
  private func check(
    _ row: RecipeRow, _ name: String, reads read: [String]
  ) throws(RecipeError) {
    let key = "rows.\(name).settings"
    let known = Set(catalog.defenses.flatMap(\.settings).map { $0.key })
    for (group, _) in try group(row.settings, at: key)
    where known.contains(group) && !read.contains(group) {
      let groups = read.isEmpty ? "none" : read.joined(separator: ", ")
      throw refusal(
        "\(key).\(group)",
        "the defense \(row.defense) does not read it (groups that it reads: \(groups))")
    }
  }

  private func checkNames(_ configuration: RunConfiguration) throws {
    do {
      _ = try catalog.dataset(configuration.data.name)
    } catch DatasetError.unknownName(let name, _, let known) {
      throw ValueError.badChoice(key: "data.name", found: name, choices: known)
    } catch {
      let name = JSONValue.string(configuration.data.name)
      throw ValueError.badValue(key: "data.name", found: name, reason: "\(error)")
    }
    let name = configuration.model.architecture
    let known = catalog.architectures.map(\.name)
    if !known.contains(name) {
      throw ValueError.badChoice(key: "model.architecture", found: name, choices: known)
    }
  }

  /// Takes the settings that a row with this defense shares with others, without the groups of other defenses.
  private func common(
    _ settings: JSONValue, key: String, for entry: DefenseEntry
  ) throws(RecipeError) -> JSONObject {
    let read = entry.settings.map { $0.key }
    let others = Set(catalog.defenses.flatMap(\.settings).map { $0.key }).subtracting(read)
    return JSONObject(try group(settings, at: key).filter { !others.contains($0.key) })
  }

  private func group(_ settings: JSONValue, at key: String) throws(RecipeError) -> JSONObject {
    guard let object = settings.objectValue else {
      throw refusal(key, "expected keys of config.yaml, found \(settings.text())")
    }
    if let name = object.keys.first(where: Self.reserved.contains) {
      throw refusal("\(key).\(name)", "a recipe says this with rows and seeds")
    }
    return object
  }

  private static func key(of error: any Error) -> String? {
    if case ConfigurationError.refused(let error, _) = error { return error.key }
    return (error as? ValueError)?.key
  }

  /// The reason without a place: the recipe's own line is named instead.
  private static func reason(_ error: any Error) -> String {
    if case ConfigurationError.refused(let error, _) = error { return "\(error)" }
    return "\(error)"
  }
}
