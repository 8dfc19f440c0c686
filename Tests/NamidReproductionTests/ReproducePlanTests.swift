import Foundation
import NamidFiles
import NamidSettings
import NamidTraining
import Testing

@testable import NamidReproduction

extension ReproduceFixtures {
  /// The plan of a recipe that comes with the tool.
  static func shipped(
    _ name: String, preset: String, options: PlanBuilder.Options = PlanBuilder.Options()
  ) throws -> (plan: ExperimentPlan, table: PlannedTable) {
    let file = try RecipeFile(catalog.file(of: name), preset: preset)
    var builder = try PlanBuilder(
      file, facts: facts(of: file), options: options, catalog: .standard,
      command: command)
    let built = try builder.build()
    return (try ExperimentPlan(built.steps), built.table)
  }
}

@Suite struct ReproducePlanTests {
  /// Each comes after all that it needs, every cell has its step, and nothing is done that no cell needs.
  @Test(arguments: ReproduceFixtures.catalog.names, ["smoke", "cpu", "paper"])
  func shippedPlansAreCompleteAndInOrder(_ name: String, _ preset: String) throws {
    let (plan, table) = try ReproduceFixtures.shipped(name, preset: preset)
    for (place, step) in plan.steps.enumerated() {
      for need in step.needs {
        let before = try #require(plan.place(of: need))
        #expect(before < place)
      }
      #expect(step.workload != nil, "\(step.title)")
    }
    #expect(!table.parts.isEmpty)
    var used: Set<String> = []
    for part in table.parts {
      #expect(!part.rows.isEmpty && !part.columns.isEmpty)
      for row in part.rows {
        let checkpoints = part.unit == .share ? 2 : 1
        #expect(row.cells.count == part.columns.count * checkpoints, "\(row.name)")
        for source in row.cells.flatMap(\.sources) {
          #expect(plan[source.step] != nil)
          used.insert(source.step)
        }
        #expect(row.cells.allSatisfy { !$0.sources.isEmpty })
      }
    }
    for step in plan.steps.reversed() where used.contains(step.id) { used.formUnion(step.needs) }
    #expect(used.count == plan.steps.count)
    #expect(Set(plan.steps.map(\.id)).count == plan.steps.count)
  }

  @Test func aTableIsTrainingsEstimatorsAndEvaluationsInOrder() throws {
    let (plan, table) = try ReproduceFixtures.plan()
    let kinds = plan.steps.map(\.kind)
    #expect(kinds.count { $0 == .train } == 2 && kinds.count { $0 == .estimators } == 1)
    // Two groups of columns by their number of images, two checkpoints, two networks.
    #expect(kinds.count { $0 == .evaluate } == 8)
    let standard = try #require(plan.steps.first)
    guard case .train(let configuration) = standard.request else {
      Issue.record("\(standard.request)")
      return
    }
    var expected = RunConfiguration()
    expected.model.width = 4
    expected.training.keep = 1
    #expect(configuration == expected)
    #expect(standard.command == "train in steps/\(standard.id)")
    #expect(standard.id.hasPrefix("train-standard-cifar10-seed0-"))
    let estimators = try #require(plan.steps.first { $0.kind == .estimators })
    #expect(estimators.needs == [standard.id])
    let namid = try #require(plan.steps.last { $0.kind == .train })
    #expect(namid.needs == [estimators.id])
    guard case .train(let critics) = namid.request else {
      Issue.record("\(namid.request)")
      return
    }
    #expect(critics.namid.alpha == 1)
    #expect(critics.estimators == "steps/\(estimators.id)/run")
    let cells = try #require(table.parts.first?.rows.last).cells
    #expect(cells.map(\.column) == ["None", "PGD-40", "AA", "None", "PGD-40", "AA"])
    #expect(cells[0].sources[0].step == cells[1].sources[0].step)
    #expect(cells[0].sources[0].step != cells[2].sources[0].step)
    #expect(cells[1].sources[0].reading == .robust(attack: 1))
    let best = try #require(plan[cells[3].sources[0].step])
    #expect(best.twin == cells[0].sources[0].step && best.needs == [namid.id, best.twin])
    guard case .measure(let measurement) = best.request else {
      Issue.record("\(best.request)")
      return
    }
    #expect(measurement.checkpoint == .best && measurement.run == "steps/\(namid.id)/run")
    #expect(measurement.evaluation.attacks == "clean,pgd-40")
  }

  @Test func theHashChangesWithWhatMattersAndNothingElse() throws {
    let text = ReproduceFixtures.recipe
    func ids(_ text: String = text, identity: String = "0123") throws -> [String] {
      try ReproduceFixtures.plan(text, identity: identity).plan.steps.map(\.id)
    }
    let before = try ids()
    // Words for people, names and order of keys do not matter.
    let harmless = [
      ("title: A table", "title: Another"), ("paper: table1\n", ""), ("NAMID:", "Ours:"),
      ("ours", "critics"), ("namid: {alpha: 1}", "namid: {alpha: 1}\n  trades: {beta: 3}"),
      ("epsilon: 8/255", "epsilon:   \"8/255\""), ("PGD-40:", "PGD:"),
    ]
    for (old, new) in harmless {
      #expect(try ids(text.replacing(old, with: new)) == before, "\(new)")
    }
    // What the first training does, changes everything after it.
    let deep = [("width: 4", "width: 5"), ("epsilon: 8/255", "epsilon: 4/255")]
    for (old, new) in deep {
      let after = try ids(text.replacing(old, with: new))
      #expect(Set(after).isDisjoint(with: before), "\(new)")
    }
    #expect(Set(try ids(identity: "4567")).isDisjoint(with: before))
    // What only NAMID reads, changes NAMID and its evaluations alone.
    let namid = try ids(text.replacing("alpha: 1", with: "alpha: 2"))
    #expect(zip(namid, before).count { $0 != $1 } == 5)
    // What only one group of columns does, changes its evaluations alone.
    let column = try ids(text.replacing("limit: 100", with: "limit: 50"))
    #expect(zip(column, before).count { $0 != $1 } == 4)
  }

  @Test func pathsAreNoPartOfTheHash() throws {
    func step(_ folder: String, data: String = "1") throws -> ExperimentStep {
      var configuration = RunConfiguration()
      configuration.data.name = "folder:\(folder)"
      return try ExperimentStep(.train(configuration), title: folder, label: "a", data: data) { $0 }
    }
    #expect(try step("/x/y").id == step("/z").id)
    #expect(try step("/x/y").id != step("/x/y", data: "2").id)
    guard case .train(let configuration) = try step("/x/y").request else { return }
    #expect(configuration.data.name == "folder:/x/y")
    // Another step is known by its hash, whatever it is called.
    func trained(on run: String) throws -> String {
      var configuration = EstimatorConfiguration()
      configuration.target = run
      let step = try ExperimentStep(.estimators(configuration), title: "", label: "a") { $0 }
      #expect(step.needs == [run.split(separator: "/").map(String.init)[1]])
      return step.id
    }
    #expect(try trained(on: "steps/train-a-0123/run") == trained(on: "steps/train-b-0123/run"))
    #expect(try trained(on: "steps/train-a-0123/run") != trained(on: "steps/train-a-0124/run"))
  }

  /// Settings with their defaults are left out, so that a setting of a later version changes no hash.
  @Test func theHashIsThatOfWhatDiffersFromDefaults() throws {
    struct Minimal: Encodable {
      var format = 2
      var request: JSONValue
      var data: String? = "1"
    }
    var training = RunConfiguration()
    training.model.width = 4
    training.defense = .trades
    training = try Catalog.standard.configuration(training)
    let minimal: JSONValue = ["train": ["model": ["width": 4], "defense": "trades"]]
    #expect(
      try StepRequest.train(training).hash(data: "1")
        == String(specificationHash(Minimal(request: minimal)).prefix(12)))
    var critics = EstimatorConfiguration()
    critics.units = 8
    critics.target = "steps/train-a-0123/run"
    let own: JSONValue = ["estimators": ["target": "step 0123", "units": 8]]
    #expect(
      try StepRequest.estimators(critics).hash(data: "1")
        == String(specificationHash(Minimal(request: own)).prefix(12)))
  }

  /// A step's file says all that decides its result.
  @Test(arguments: ReproduceFixtures.catalog.names, ["smoke", "cpu", "paper"])
  func stepsAreWrittenAndReadBack(_ name: String, _ preset: String) throws {
    for step in try ReproduceFixtures.shipped(name, preset: preset).plan.steps {
      let text = try JSONValue(encoding: step.request).data(indent: 2)
      let read = try JSONValue(parsing: text).decode(StepRequest.self, unknownKeys: .refused)
      #expect(read == step.request, "\(step.title)")
    }
  }

  /// A table that shares networks with another one shares their steps.
  @Test(arguments: ["smoke", "cpu", "paper"])
  func tablesShareSteps(_ preset: String) throws {
    func ids(_ name: String) throws -> Set<String> {
      Set(try ReproduceFixtures.shipped(name, preset: preset).plan.steps.map(\.id))
    }
    let options = PlanBuilder.Options(seeds: [0])
    let whole = Set(
      try ReproduceFixtures.shipped("table1", preset: preset, options: options).plan.steps.map(\.id)
    )
    let half = Set(
      try ReproduceFixtures.shipped("table3", preset: preset, options: options).plan.steps.map(\.id)
    )
    #expect(half.isSubset(of: whole))
    let trainings = { (ids: Set<String>) in
      ids.filter { $0.hasPrefix("train") || $0.hasPrefix("estimators") }
    }
    let first = trainings(try ids("table1"))
    // A surrogate, three ablations, and one other pair of estimators with its NAMID.
    #expect(trainings(try ids("table2")).subtracting(first).count == (preset == "paper" ? 1 : 1))
    let seeds = preset == "paper" ? 3 : 1
    #expect(trainings(try ids("figure5")).subtracting(first).count == 3 * seeds)
    #expect(trainings(try ids("figure7")).subtracting(first).count == 2 * seeds)
  }

  /// The images that all are judged on are the same, whichever seeds are asked for.
  @Test func theSurrogateHasTheRecipesFirstSeed() throws {
    let text = ReproduceFixtures.recipe + "\nsurrogate: Standard\n"
    for seeds in [[0, 1], [1], [2]] {
      let plan = try ReproduceFixtures.plan(text, options: .init(seeds: seeds)).plan
      let transfers = plan.steps.filter { $0.kind == .transfer }
      let source = plan.steps.first { $0.title == "train Standard, CIFAR-10, L∞, seed 0" }
      #expect(!transfers.isEmpty)
      #expect(transfers.allSatisfy { $0.needs.contains(source?.id ?? "") }, "\(seeds)")
    }
  }

  /// More images than there are is all of them.
  @Test func aLimitBeyondTheTestSetIsNone() throws {
    let text = ReproduceFixtures.recipe.replacing("limit: 100", with: "limit: 4000000000")
    let part = try #require(try ReproduceFixtures.plan(text).table.parts.first)
    #expect(part.columns.allSatisfy { $0.limit == nil })
  }

  @Test func onlySomeRowsAndOtherSeeds() throws {
    let (plan, table) = try ReproduceFixtures.plan(
      options: PlanBuilder.Options(seeds: [3, 4], only: ["NAMID"]))
    #expect(table.parts[0].rows.map(\.name) == ["NAMID"])
    #expect(table.parts[0].rows[0].cells[0].sources.map(\.seed) == [3, 4])
    // Standard is trained for the estimators, and not measured.
    let trained = plan.steps.filter { $0.kind == .train }.map(\.title)
    #expect(trained.count { $0.contains("Standard") } == 2 && trained.count == 4)
    #expect(!plan.steps.contains { $0.kind == .evaluate && $0.title.contains("Standard") })
    #expect(try ReproduceFixtures.plan(options: .init(only: ["Natural"])).plan.steps.isEmpty)
  }

  @Test func brokenPlansAreNamed() throws {
    let circle = [
      ExperimentStep(id: "a", needs: ["b"]), ExperimentStep(id: "b", needs: ["c"]),
      ExperimentStep(id: "c", needs: ["b"]),
    ]
    #expect(throws: RecipeError.circular(["b", "c", "b"], origin: nil)) {
      try ExperimentPlan(circle)
    }
    #expect(throws: RecipeError.brokenPlan("a needs the step z, which is not there")) {
      try ExperimentPlan([ExperimentStep(id: "a", needs: ["z"])])
    }
    let steps = [
      ExperimentStep(id: "c", needs: ["b", "a"]), ExperimentStep(id: "b", needs: ["a"]),
      ExperimentStep(id: "a"), ExperimentStep(id: "b", needs: ["a"]),
    ]
    #expect(try ExperimentPlan(steps).steps.map(\.id) == ["a", "b", "c"])
  }
}
