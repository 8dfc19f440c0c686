import Foundation
import NamidAttacks
import NamidData
import NamidFiles
import NamidTraining

/// Turns recipes into steps and tables without figures.
///
/// It is pure: files are read before (`RecipeFile`, `DataFacts`) and written after it.
package struct PlanBuilder {
  /// Options that apply to all recipes.
  package struct Options: Sendable {
    /// Seeds in place of the recipes' own; nil for those.
    package var seeds: [Int]?
    /// The rows that are wanted; all when empty.
    package var only: [String] = []

    /// Everything as the recipes say.
    package init(seeds: [Int]? = nil, only: [String] = []) {
      self.seeds = seeds
      self.only = only
    }
  }

  /// Writes the command line that does the same as a step, for people.
  ///
  /// It gets the step, the folder that its product goes into, and for estimators the settings of the network that they
  /// read.
  package typealias CommandText = (
    _ request: StepRequest, _ folder: String, _ network: RunConfiguration?
  ) throws -> String

  let file: RecipeFile
  let recipe: Recipe
  let settings: RecipeSettings
  let options: Options
  let facts: [String: DataFacts]
  let command: CommandText
  var steps: [ExperimentStep] = []

  /// A builder of one recipe's plan.
  ///
  /// - Parameters:
  ///   - file: The recipe.
  ///   - facts: Facts about its data sets, by their names; see `datasets(of:)`.
  ///   - options: Seeds and rows.
  ///   - catalog: The parts that it may name.
  ///   - command: Writes the command lines of steps.
  package init(
    _ file: RecipeFile, facts: [String: DataFacts], options: Options = Options(),
    catalog: Catalog, command: @escaping CommandText
  ) {
    self.file = file
    recipe = file.recipe
    settings = RecipeSettings(file, catalog: catalog)
    self.facts = facts
    self.options = options
    self.command = command
  }

  /// The data sets that a recipe names; its settings are checked on the way.
  package static func datasets(
    of file: RecipeFile, in catalog: Catalog
  ) throws(RecipeError) -> [String] {
    let settings = RecipeSettings(file, catalog: catalog)
    var names: [String] = []
    for part in file.recipe.parts.names {
      for row in file.recipe.rows.names {
        let name = try settings.training(row: row, part: part).data.name
        if !names.contains(name) { names.append(name) }
      }
    }
    return names
  }

  /// The steps of a recipe and the table that they fill.
  ///
  /// - Returns: Steps, each after those that it needs, and the table.
  /// - Throws: `RecipeError` naming what is wrong and where.
  package mutating func build() throws -> (steps: [ExperimentStep], table: PlannedTable) {
    try check()
    var parts: [PlannedPart] = []
    for part in recipe.parts.names {
      if !recipe.columns.isEmpty, let planned = try measured(part: part) { parts.append(planned) }
      parts += try probes(part: part)
    }
    return (
      steps,
      PlannedTable(
        name: file.name, title: recipe.title.isEmpty ? file.name : recipe.title,
        about: recipe.about, preset: file.preset, paper: recipe.paper, figures: file.figures,
        differences: try RecipeDifferences(settings, options: options).sentences(), parts: parts)
    )
  }

  /// The rows that are shown and wanted.
  var shownRows: [String] {
    recipe.rows.entries.filter { row in
      row.value.shown && (options.only.isEmpty || options.only.contains(row.name))
    }.map(\.name)
  }

  func seeds(of row: String, part: String) -> [Int] {
    options.seeds ?? recipe.parts[part]?.seeds ?? recipe.rows[row]?.seeds ?? recipe.seeds
  }

  // MARK: Trainings

  /// The step that trains a row's network; made with all that it needs where it is not there yet.
  mutating func network(
    _ name: String, part: String, seed: Int
  ) throws -> (step: ExperimentStep, configuration: RunConfiguration) {
    var configuration = try settings.training(row: name, part: part)
    configuration.seed = seed
    // Only the last and the best epoch are measured.
    configuration.training.keep = 1
    let data = configuration.data.name
    try check(configuration, row: name, part: part)
    configuration.estimators = try recipe.rows[name]?.estimators.map {
      try estimators($0, part: part, seed: seed).run
    }
    var request = configuration
    // Steps run in another folder.
    request.data.name = Datasets.withAbsolutePaths(data)
    let step = try add(
      ExperimentStep(
        .train(request), title: "train \(name), \(part), seed \(seed)",
        label: "\(configuration.defense.rawValue) \(slugName(data)) seed\(seed)",
        data: facts[data]?.identity, workload: workload(training: configuration, row: name)
      ) { try command(.train(request), $0, nil) })
    return (step, configuration)
  }

  /// The step that trains estimators.
  mutating func estimators(_ name: String, part: String, seed: Int) throws -> ExperimentStep {
    let target = recipe.estimators[name]?.target ?? ""
    let network = try self.network(target, part: part, seed: seed)
    var configuration = try settings.estimators(name, target: network.configuration)
    try check(configuration, named: name)
    let purpose =
      configuration.kind == .standard ? "standard" : configuration.objective.rawValue
    let label = "\(purpose) \(slugName(configuration.data.name)) seed\(seed)"
    let workload = workload(estimators: configuration, of: network.configuration)
    configuration.seed = seed
    configuration.target = network.step.run
    configuration.data.name = Datasets.withAbsolutePaths(configuration.data.name)
    let request = StepRequest.estimators(configuration)
    return try add(
      ExperimentStep(
        request, title: "train estimators \(name), \(part), seed \(seed)", label: label,
        workload: workload
      ) { try command(request, $0, network.configuration) })
  }

  @discardableResult
  mutating func add(_ step: ExperimentStep) -> ExperimentStep {
    if let same = steps.first(where: { $0.id == step.id }) { return same }
    steps.append(step)
    return step
  }

  // MARK: Names

  private func slugName(_ data: String) -> String {
    data.split(separator: ":").first.map(String.init) ?? data
  }
}
