import Foundation
import NamidFiles
import NamidSettings

/// A recipe read from its file, with one of its presets laid over it.
package struct RecipeFile: Sendable {
  /// The file's name without extension.
  package var name: String
  /// The preset that was laid over it; nil for none.
  package var preset: String?
  /// The recipe.
  package var recipe: Recipe
  /// The recipe to compare with: the same file without a preset, or the tool's recipe of the table that it names.
  package var reference: Recipe
  private let origins: ConfigurationOrigins

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - url: A YAML or JSON file.
  ///   - preset: The preset; nil for the file without one.
  /// - Throws: `ConfigurationError` naming file and line.
  package init(_ url: URL, preset: String?) throws {
    let read = try ConfigurationWithPresets(defaults: Recipe(), file: url, preset: preset)
    name = url.deletingPathExtension().lastPathComponent
    self.preset = preset
    recipe = read.configuration
    origins = read.origins
    reference =
      preset == nil
      ? read.configuration
      : try ConfigurationWithPresets(defaults: Recipe(), file: url).configuration
  }

  /// The paper's figures by part: the recipe's own, or those of the table that it names.
  var figures: Named<PaperFigures> {
    recipe.figures.isEmpty ? reference.figures : recipe.figures
  }

  /// Compares a user's recipe with the paper's: its reference becomes the tool's recipe of the table that it names.
  ///
  /// - Parameter catalog: The recipes that come with the tool.
  /// - Throws: `RecipeError` for a table, part or column that the paper does not have.
  package mutating func follow(_ catalog: RecipeCatalog) throws {
    guard let name = recipe.paper, recipe.figures.isEmpty else { return }
    guard catalog.names.contains(name) else {
      throw unknown("table or figure of the paper", name, among: catalog.names, at: "paper")
    }
    let paper = try RecipeFile(catalog.file(of: name), preset: nil).recipe
    for part in recipe.parts.entries {
      guard let name = part.value.paper, paper.figures[name] == nil else { continue }
      throw unknown(
        "part of the paper's table", name, among: paper.figures.names,
        at: "parts.\(part.name).paper")
    }
    var columns: [String] = []
    for column in paper.figures.entries.flatMap(\.value.columns) where !columns.contains(column) {
      columns.append(column)
    }
    for column in recipe.columns.entries {
      guard let name = column.value.paper, !columns.contains(name) else { continue }
      throw unknown(
        "column of the paper's table", name, among: columns, at: "columns.\(column.name).paper")
    }
    reference = paper
  }

  /// The error for a name that is none of those that there are.
  func unknown(
    _ what: String, _ name: String, among known: [String], at key: String
  ) -> RecipeError {
    let guess = nearest(name, among: known).map { ": did you mean \"\($0)\"?" } ?? ""
    return .refused(
      key: key,
      reason:
        "there is no \(what) \"\(name)\"\(guess) (there are: \(known.joined(separator: ", ")))",
      origin: origin(of: key))
  }

  /// Finds the place where a key was written, such as `Recipes/table1.yaml:12`.
  package func origin(of key: String) -> String? { origins.origin(of: key) }

  /// Finds the place where a data set was named.
  package func origin(ofDataset name: String) -> String? {
    let places =
      recipe.rows.entries.map { ("rows.\($0.name).settings", $0.value.settings) }
      + recipe.parts.entries.map { ("parts.\($0.name).settings", $0.value.settings) }
      + [("settings", recipe.settings)]
    let place = places.first { $0.1["data"]?["name"]?.stringValue == name }
    return origin(of: place.map { "\($0.0).data.name" } ?? "settings.data.name")
  }
}

/// The recipes that come with the tool.
package struct RecipeCatalog: Sendable {
  /// The environment variable that names their folder.
  package static let variable = "NAMID_RECIPES"
  /// The file with what all recipes share, which is no recipe.
  package static let baseName = "base.yaml"

  /// The folder of the recipes.
  package let folder: URL

  /// A folder of recipes.
  package init(folder: URL) {
    self.folder = folder
  }

  /// Finds the folder: where the environment says, in the repository that the launcher names, or above the tool.
  ///
  /// - Parameters:
  ///   - environment: Variables by name.
  ///   - executable: The running tool.
  /// - Throws: `RecipeError.noneFound` with all places.
  package init(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    executable: URL? = Bundle.main.executableURL
  ) throws(RecipeError) {
    var places: [URL] = []
    if let named = environment[Self.variable], !named.isEmpty {
      places = [URL(filePath: named)]
    } else {
      if let root = environment["NAMID_ROOT"], !root.isEmpty {
        places.append(URL(filePath: root).appending(path: "Recipes"))
      }
      var above = executable?.resolvingSymlinksInPath()
      // A build folder lies a few levels below the repository.
      for _ in 0..<5 {
        above = above?.deletingLastPathComponent()
        if let above { places.append(above.appending(path: "Recipes")) }
      }
    }
    let found = places.first {
      FileManager.default.fileExists(atPath: $0.appending(path: Self.baseName).path)
    }
    guard let found else { throw .noneFound(lookedIn: places.map(\.path)) }
    folder = found
  }

  /// The names of all recipes, sorted.
  package var names: [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".yaml") && $0 != Self.baseName }
      .map { String($0.dropLast(".yaml".count)) }.sorted()
  }

  /// The file of a recipe.
  ///
  /// - Parameter name: A name in `names`.
  /// - Returns: The file.
  /// - Throws: `RecipeError.unknown` with the nearest name.
  package func file(of name: String) throws(RecipeError) -> URL {
    guard names.contains(name) else {
      throw .unknown(name, suggestion: nearest(name, among: names + ["all"]), known: names)
    }
    return folder.appending(path: "\(name).yaml")
  }

  /// Checks that an argument is a path and not the name of a recipe.
  package static func isPath(_ argument: String) -> Bool {
    argument.contains("/") || [".yaml", ".yml", ".json"].contains { argument.hasSuffix($0) }
  }
}
