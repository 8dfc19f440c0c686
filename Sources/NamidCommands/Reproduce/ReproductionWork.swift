import Foundation
import NamidFiles
import NamidReproduction
import NamidSettings
import NamidTorch

/// A reproduction that cannot begin.
enum ReproductionError: Error, CustomStringConvertible {
  /// A data set is not here.
  case missingData(name: String, reason: String, origin: String?)
  /// The disk has too little room.
  case notEnoughDisk(folder: String, needed: Double, free: Double)
  /// Another process works in the folder.
  case busy(String)
  /// Something else stands where the folder should be.
  case notAFolder(String)
  /// An earlier version has begun steps in the folder.
  case earlierFormat(String)

  var description: String {
    switch self {
    case .missingData(let name, let reason, let origin):
      (origin.map { "\($0): " } ?? "") + "the data set \(name) cannot be used: \(reason)"
    case .notEnoughDisk(let folder, let needed, let free):
      "\(folder) needs about \(byteText(needed)) for runs, and \(byteText(free)) are free: make "
        + "room, or name another folder (--out)"
    case .busy(let folder):
      "another reproduction is at work in \(folder): wait for it, or name another folder (--out)"
    case .notAFolder(let path):
      "\(path) is not a folder: name another one (--out)"
    case .earlierFormat(let folder):
      "\(folder) has steps of an earlier version of namid, whose names are other ones: go on with that "
        + "version, or name another folder (--out); reports of it can be made as before"
    }
  }
}

extension ReproductionError {
  /// The room that records and logs need besides runs, in bytes.
  static let roomForRecords = 50e6

  /// Too little room for the steps that are still to do.
  ///
  /// - Parameters:
  ///   - sizes: The sizes of the steps' products, in bytes.
  ///   - free: The free room in bytes; nil where it is not known.
  ///   - folder: The folder that holds the results.
  /// - Returns: The error; nil where there is enough, where nobody knows, and where nothing is to do.
  static func lackOfRoom(
    for sizes: [Double], free: Double?, in folder: String
  ) -> ReproductionError? {
    guard let free, !sizes.isEmpty else { return nil }
    let needed = sizes.reduce(roomForRecords, +)
    return needed > free ? .notEnoughDisk(folder: folder, needed: needed, free: free) : nil
  }
}

/// A number of bytes for people.
func byteText(_ bytes: Double) -> String {
  bytes < 1e9 ? String(format: "%.0f MB", bytes / 1e6) : String(format: "%.1f GB", bytes / 1e9)
}

/// The work to do: recipes, their steps in order and the tables that they fill.
struct ReproductionWork {
  /// The plan of the requested rows.
  let plan: ExperimentPlan
  /// The plan with all rows: those that were not requested stay in the tables where an earlier call has measured them.
  let whole: ExperimentPlan
  private let wholeTables: [PlannedTable]
  private let isAskedFor: Set<[String]>
  let store: StepStore
  /// The problems that prevent the work.
  let problems: [ReproductionError]
  private let device: Device

  /// Reads recipes and looks at their data; nothing is computed or written.
  init(
    _ argument: String, preset: String?, options: PlanBuilder.Options, data: URL, out: URL,
    device: Device
  ) throws {
    self.device = device
    store = StepStore(out)
    let recipes = Result { () throws(RecipeError) in try RecipeCatalog() }
    var files = try Self.files(argument, preset: preset, recipes)
    if RecipeCatalog.isPath(argument), let recipes = try? recipes.get() {
      for index in files.indices { try files[index].follow(recipes) }
    }
    try Self.check(options.only, among: files)
    var facts: [String: DataFacts] = [:]
    for name in try files.flatMap({ try PlanBuilder.datasets(of: $0, in: Parts.catalog) })
    where facts[name] == nil {
      facts[name] = try DataFacts(of: name, in: data, catalog: Parts.catalog)
    }
    problems = facts.sorted { $0.key < $1.key }.compactMap { name, facts in
      facts.problem.map { problem in
        .missingData(
          name: name, reason: problem,
          origin: files.lazy.compactMap { $0.origin(ofDataset: name) }.first)
      }
    }
    var steps: [ExperimentStep] = []
    var wholeSteps: [ExperimentStep] = []
    var tables: [PlannedTable] = []
    var rows: Set<[String]> = []
    for file in files {
      let command: PlanBuilder.CommandText = { try $0.command(leavingIn: $1, network: $2) }
      var builder = PlanBuilder(
        file, facts: facts, options: options, catalog: Parts.catalog, command: command)
      let built = try builder.build()
      if built.table.parts.isEmpty { continue }
      steps += built.steps
      for part in built.table.parts {
        rows.formUnion(part.rows.map { [file.name, part.name, $0.name] })
      }
      var all = PlanBuilder(
        file, facts: facts, options: .init(seeds: options.seeds), catalog: Parts.catalog,
        command: command)
      let whole = try all.build()
      wholeSteps += whole.steps
      tables.append(whole.table)
    }
    plan = try ExperimentPlan(steps)
    whole = try ExperimentPlan(wholeSteps)
    wholeTables = tables
    isAskedFor = rows
  }

  /// Makes the tables in the recipes' order, with the requested rows and those that have a figure.
  func tables(_ results: [String: StepResult]) -> [PlannedTable] {
    let isMeasured = { (source: PlannedCell.Source) in results[source.step]?.isFinished == true }
    return wholeTables.map { table in
      var table = table
      for place in table.parts.indices {
        let part = table.parts[place].name
        table.parts[place].rows = table.parts[place].rows.compactMap { row in
          if isAskedFor.contains([table.name, part, row.name]) { return row }
          guard row.cells.flatMap(\.sources).contains(where: isMeasured) else { return nil }
          var row = row
          for cell in row.cells.indices where row.cells[cell].sources.contains(where: isMeasured) {
            // Of a row that is not asked for no seed is missing.
            row.cells[cell].sources.removeAll { !isMeasured($0) }
          }
          return row
        }
      }
      table.parts.removeAll { $0.rows.isEmpty }
      return table
    }
  }

  /// Collects the outcomes of all steps: those given, and for the others finished by an earlier call or not run.
  func results(_ known: [String: StepResult]) -> [String: StepResult] {
    var results = known
    for step in whole.steps where results[step.id] == nil {
      results[step.id] = store.finished(step).map(StepResult.finished)
    }
    return results
  }

  private static func files(
    _ argument: String, preset: String?, _ recipes: Result<RecipeCatalog, RecipeError>
  ) throws -> [RecipeFile] {
    if RecipeCatalog.isPath(argument) {
      return [try RecipeFile(URL(filePath: argument), preset: preset)]
    }
    let recipes = try recipes.get()
    let names = argument == "all" ? recipes.names : [argument]
    return try names.map {
      try RecipeFile(recipes.file(of: $0), preset: preset ?? "cpu")
    }
  }

  private static func check(_ rows: [String], among files: [RecipeFile]) throws(RecipeError) {
    var known: [String] = []
    for name in files.flatMap({ $0.recipe.rows.entries.filter(\.value.shown).map(\.name) })
    where !known.contains(name) { known.append(name) }
    for row in rows where !known.contains(row) {
      throw .unknownRow(row, suggestion: nearest(row, among: known), known: known)
    }
  }

  // MARK: Estimates

  /// Measures the costs of passes on this machine, for all that is still to do.
  func costs(say: (String) -> Void) throws -> CostTable {
    let work = remaining.compactMap(\.workload)
    if work.isEmpty { return CostTable() }
    return try Calibration(device: device, architectures: Parts.catalog.architectures).measure(
      work, say: say)
  }

  /// The steps that are still to do.
  var remaining: [ExperimentStep] { PlanRunner(plan, store: store).remaining }

  /// The reason why steps cannot go into the folder; nil where they can.
  var folderProblem: ReproductionError? {
    var isFolder: ObjCBool = false
    let path = store.root.path
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    if !isFolder.boolValue { return .notAFolder(path) }
    return store.isOfEarlierFormat ? .earlierFormat(path) : nil
  }

  /// Too little room for what is still to do; nil where there is enough, or where nobody knows.
  func diskProblem(_ costs: CostTable) -> ReproductionError? {
    let sizes = remaining.map { $0.workload.flatMap(costs.estimate)?.disk ?? 0 }
    return .lackOfRoom(for: sizes, free: store.freeBytes, in: store.root.path)
  }
}
