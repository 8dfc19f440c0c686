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

  let file: RecipeFile
  let recipe: Recipe
  let settings: RecipeSettings
  let options: Options
  let facts: [String: DataFacts]
  var steps: [ExperimentStep] = []

  /// A builder of one recipe's plan.
  ///
  /// - Parameters:
  ///   - file: The recipe.
  ///   - facts: Facts about its data sets, by their names; see `datasets(of:)`.
  ///   - options: Seeds and rows.
  package init(_ file: RecipeFile, facts: [String: DataFacts], options: Options = Options()) {
    self.file = file
    recipe = file.recipe
    settings = RecipeSettings(file)
    self.facts = facts
    self.options = options
  }

  /// The data sets that a recipe names; its settings are checked on the way.
  package static func datasets(of file: RecipeFile) throws(RecipeError) -> [String] {
    let settings = RecipeSettings(file)
    var names: [String] = []
    for part in file.recipe.parts.names {
      for row in file.recipe.rows.names {
        let name = try settings.training(row: row, part: part).configuration.data.name
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
        about: recipe.about, preset: file.preset,
        paper: recipe.paper,
        differences: try RecipeDifferences(file, options: options).sentences(), parts: parts)
    )
  }

  /// The rows that are shown and wanted.
  var shownRows: [String] {
    recipe.rows.entries.filter { row in
      row.value.shown && (options.only.isEmpty || options.only.contains(row.name))
    }.map(\.name)
  }

  func seeds(of row: String) -> [Int] {
    options.seeds ?? recipe.rows[row]?.seeds ?? recipe.seeds
  }

  // MARK: Trainings

  /// The step that trains a row's network; made with all that it needs where it is not there yet.
  mutating func network(
    _ name: String, part: String, seed: Int
  ) throws -> (step: ExperimentStep, configuration: RunConfiguration) {
    var resolved = try settings.training(row: name, part: part)
    resolved.configuration.seed = seed
    let data = resolved.configuration.data.name
    try check(resolved.configuration, row: name, part: part)
    var words: [StepWord] = ["train", "--defense", resolved.configuration.defense.rawValue]
      .map(StepWord.text)
    // Where the tool's own defaults are not the paper's.
    if settings.isBalanced(resolved.configuration.defense) {
      words += ["--preset", "paper"].map(StepWord.text)
    }
    words += [.text("--dataset"), Self.dataset(data)]
    words += Self.withoutDataset(resolved.words).map(StepWord.text)
    // Only the last and the best epoch are measured.
    words += ["--set", "training.keep=1", "--seed", "\(seed)"].map(StepWord.text)
    if let estimators = recipe.rows[name]?.estimators {
      let needed = try self.estimators(estimators, part: part, seed: seed)
      words += [.text("--estimators"), .output(step: needed.id, path: "run")]
    }
    words += [.text("--out"), .own("run"), .text("--resume")]
    let step = try add(
      ExperimentStep(
        .train, title: "train \(name), \(part), seed \(seed)",
        label: "\(resolved.configuration.defense.rawValue) \(slugName(data)) seed\(seed)",
        words: words, data: facts[data]?.identity,
        workload: workload(training: resolved.configuration, row: name)))
    return (step, resolved.configuration)
  }

  /// The step that trains estimators.
  mutating func estimators(_ name: String, part: String, seed: Int) throws -> ExperimentStep {
    let target = recipe.estimators[name]?.target ?? ""
    let network = try self.network(target, part: part, seed: seed)
    let (own, configuration) = try settings.estimators(name, target: network.configuration)
    try check(configuration, named: name)
    let words: [StepWord] =
      [.text("train-estimators"), .text("--target"), .output(step: network.step.id, path: "run")]
      + (own + ["--seed", "\(seed)"]).map(StepWord.text)
      + [.text("--out"), .own("run"), .text("--resume")]
    let purpose =
      configuration.kind == .standard ? "standard" : configuration.objective.rawValue
    return try add(
      ExperimentStep(
        .estimators, title: "train estimators \(name), \(part), seed \(seed)",
        label: "\(purpose) \(slugName(configuration.data.name)) seed\(seed)", words: words,
        workload: workload(estimators: configuration, of: network.configuration)))
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

  /// A data set's name as a word; steps run in another folder, so that one's own files need a full path.
  private static func dataset(_ name: String) -> StepWord {
    for prefix in [Datasets.folderPrefix, Datasets.filePrefix] where name.hasPrefix(prefix) {
      let path = URL(filePath: String(name.dropFirst(prefix.count))).standardizedFileURL.path
      return .place(prefix: prefix, path: path)
    }
    return .text(name)
  }

  private static func withoutDataset(_ words: [String]) -> [String] {
    var result: [String] = []
    for pair in stride(from: 0, to: words.count, by: 2)
    where !words[pair + 1].hasPrefix("data.name=") {
      result += words[pair...(pair + 1)]
    }
    return result
  }
}
