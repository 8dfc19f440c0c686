import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidTestSupport
import NamidTraining

@testable import NamidReproduction

/// What tests of recipes, plans and tables share.
enum ReproduceFixtures {
  /// The recipes that come with the tool.
  static let catalog = RecipeCatalog(
    folder: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Recipes"))

  /// A small data set that nobody has to have.
  static let facts = DataFacts(
    title: "CIFAR-10", identity: "0123", trainCount: 50_000, testCount: 10_000, classCount: 10,
    shape: [3, 32, 32])

  /// Facts for every data set of a recipe.
  static func facts(of file: RecipeFile) throws -> [String: DataFacts] {
    let names = try PlanBuilder.datasets(of: file, in: .standard)
    return Dictionary(uniqueKeysWithValues: names.map { ($0, facts) })
  }

  /// A recipe with one part, a network that needs estimators, and one that they need.
  static let recipe = """
    title: A table
    paper: table1
    settings:
      model: {width: 4}
      namid: {alpha: 1}
    parts:
      "CIFAR-10, L∞":
        settings: {data: {name: cifar10}, threat: {norm: linf, epsilon: 8/255}}
    rows:
      Standard: {defense: standard}
      NAMID:
        defense: namid
        estimators: ours
    estimators:
      ours:
        target: Standard
    columns:
      None: {attack: clean}
      PGD-40: {attack: pgd-40}
      AA: {attack: autoattack, limit: 100}
    presets:
      small:
        settings: {model: {width: 2}}
    """

  /// Reads a recipe from text; the tool's base lies beside it.
  static func file(_ text: String = recipe, preset: String? = nil) throws -> RecipeFile {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "mine.yaml")
      try Data(text.utf8).write(to: url)
      let base = RecipeCatalog.baseName
      try FileManager.default.copyItem(
        at: catalog.folder.appending(path: base), to: folder.appending(path: base))
      return try RecipeFile(url, preset: preset)
    }
  }

  /// The plan of a recipe from text.
  static func plan(
    _ text: String = recipe, preset: String? = nil,
    options: PlanBuilder.Options = PlanBuilder.Options(), identity: String = "0123"
  ) throws -> (plan: ExperimentPlan, table: PlannedTable) {
    let file = try file(text, preset: preset)
    var facts = try facts(of: file)
    for name in facts.keys { facts[name]?.identity = identity }
    var builder = PlanBuilder(
      file, facts: facts, options: options, catalog: .standard,
      command: command)
    let built = try builder.build()
    return (try ExperimentPlan(built.steps), built.table)
  }

  /// The command of a step in tests.
  static func command(
    _ request: StepRequest, _ folder: String, _ network: RunConfiguration?
  ) -> String {
    "\(request.kind.rawValue) in \(folder)"
  }

  /// An evaluation's result with some shares of 200 images.
  static func evaluation(_ shares: [Double], dataset: String = "CIFAR-10") -> JSONValue {
    [
      "dataset": ["name": .string(dataset)], "model": ["checkpoint": "epoch 3"],
      "spec_hash": "abcd",
      "attacks": .array(
        shares.map { share in
          [
            "robust_accuracy": .double(share), "total": 200,
            "ci95": [.double(share - 0.05), .double(share + 0.05)],
            "minimum_norm": ["unbounded": .double(share / 2)],
          ]
        }),
    ]
  }

  /// A record of a finished step.
  static func record(_ step: ExperimentStep) -> StepRecord {
    StepRecord(
      id: step.id, kind: step.kind.rawValue, title: step.title, command: step.command,
      folder: "steps/\(step.id)", finished: "now", seconds: 1)
  }
}

extension ExperimentStep {
  /// An evaluation for tests of what orders and runs steps.
  init(id: String, needs: [String] = []) {
    let evaluation = EvaluationRequest("clean", threat: ThreatModel(epsilon: 0))
    self.init(
      id: id,
      request: .measure(MeasurementRequest(run: id, checkpoint: .latest, evaluation: evaluation)),
      title: id, command: id, needs: needs, twin: nil, workload: nil)
  }
}
