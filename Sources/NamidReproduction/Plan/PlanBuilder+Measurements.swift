import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidTraining

extension PlanBuilder {
  /// Columns that are measured by one call, because they use the same images.
  private struct Group {
    var limit: Int?
    var attacks: [String] = []
    /// The columns' names, for people.
    var names: [String] = []
  }

  /// A part's evaluations and the table that they fill; nil where no row is wanted.
  mutating func measured(part name: String) throws -> PlannedPart? {
    guard let part = recipe.parts[name], let first = shownRows.first else { return nil }
    let sample = try settings.training(row: first, part: name)
    let columns = recipe.columns.entries.filter {
      $0.value.norms?.contains(sample.threat.norm) ?? true
    }
    guard !columns.isEmpty else {
      throw settings.refusal(
        "columns", "none is for the norm \(sample.threat.norm.rawValue) of the part \(name)")
    }
    try check(columns, threat: sample.threat)
    let images = facts[sample.data.name]?.testCount ?? .max
    let groups = groups(of: columns)
    var rows: [PlannedRow] = []
    for row in shownRows {
      rows.append(try measured(row: row, part: name, columns, groups))
    }
    return PlannedPart(
      name: name, paper: part.paper ?? name,
      datasetTitle: facts[sample.data.name]?.title ?? sample.data.name,
      norm: sample.threat.norm.rawValue, epsilon: sample.threat.epsilon.description, unit: .share,
      columns: columns.map { column in
        PlannedColumn(
          name: column.name, paper: column.value.paper ?? column.name,
          attack: column.value.attack,
          limit: (column.value.limit ?? recipe.limit).flatMap { $0 < images ? $0 : nil })
      }, rows: rows)
  }

  private mutating func measured(
    row: String, part: String, _ columns: [Named<RecipeColumn>.Entry], _ groups: [Group]
  ) throws -> PlannedRow {
    var cells: [PlannedCell] = []
    var steps: [RecipeCheckpoint: [Int: [ExperimentStep]]] = [:]
    for seed in seeds(of: row, part: part) {
      let network = try self.network(row, part: part, seed: seed)
      for checkpoint in recipe.checkpoints {
        var own: [ExperimentStep] = []
        for (place, group) in groups.enumerated() {
          let twin = checkpoint == .best ? steps[.latest]?[seed]?[place].id : nil
          own.append(
            try evaluation(
              of: network.step, row: row, part: part, seed: seed, checkpoint, group,
              twin: twin, network.configuration))
        }
        steps[checkpoint, default: [:]][seed] = own
      }
    }
    for checkpoint in recipe.checkpoints {
      for column in columns {
        let limit = column.value.limit ?? recipe.limit
        guard let place = groups.firstIndex(where: { $0.limit == limit }),
          let attack = groups[place].attacks.firstIndex(of: column.value.attack)
        else { continue }
        let reading: FigureReading =
          column.value.reading == .anySize ? .unbounded(attack: attack) : .robust(attack: attack)
        let sources = seeds(of: row, part: part).compactMap { seed in
          steps[checkpoint]?[seed].map {
            PlannedCell.Source(seed: seed, step: $0[place].id, reading: reading)
          }
        }
        cells.append(
          PlannedCell(column: column.name, checkpoint: checkpoint, sources: sources))
      }
    }
    return PlannedRow(
      name: row, defense: recipe.rows[row]?.defense ?? "standard", cells: cells)
  }

  private mutating func evaluation(
    of network: ExperimentStep, row: String, part: String, seed: Int,
    _ checkpoint: RecipeCheckpoint, _ group: Group, twin: String?,
    _ configuration: RunConfiguration
  ) throws -> ExperimentStep {
    var evaluation = EvaluationRequest(
      group.attacks.joined(separator: ","), threat: configuration.threat)
    evaluation.limit = group.limit
    let request = StepRequest.measure(
      MeasurementRequest(
        run: network.run, checkpoint: checkpoint == .best ? .best : .latest,
        surrogate: try surrogate(part: part), evaluation: evaluation))
    let images = group.limit.map { " (\($0) images)" } ?? ""
    return try add(
      ExperimentStep(
        request,
        title:
          "\(recipe.surrogate == nil ? "evaluate" : "transfer to") \(row), \(part), seed \(seed), "
          + "\(checkpoint.title): \(group.names.joined(separator: ", "))\(images)",
        label: "\(configuration.defense.rawValue) \(checkpoint.rawValue) seed\(seed)", twin: twin,
        workload: workload(evaluation: group.attacks, limit: group.limit, of: configuration)
      ) { try command(request, $0, nil) })
  }

  /// The run that images are made on: one for all seeds, whichever of them are asked for.
  private mutating func surrogate(part: String) throws -> String? {
    guard let name = recipe.surrogate else { return nil }
    let first = (recipe.rows[name]?.seeds ?? recipe.seeds).first ?? 0
    return try network(name, part: part, seed: first).step.run
  }

  private func groups(of columns: [Named<RecipeColumn>.Entry]) -> [Group] {
    var groups: [Group] = []
    for entry in columns {
      let column = entry.value
      let limit = column.limit ?? recipe.limit
      let place = groups.firstIndex { $0.limit == limit } ?? groups.count
      if place == groups.count { groups.append(Group(limit: limit)) }
      if !groups[place].attacks.contains(column.attack) {
        groups[place].attacks.append(column.attack)
        groups[place].names.append(entry.name)
      }
    }
    return groups
  }

  private func check(
    _ columns: [Named<RecipeColumn>.Entry], threat: ThreatModel
  ) throws(RecipeError) {
    for column in columns {
      let key = "columns.\(column.name).attack"
      var seeksSmallest = false
      do throws(AttackListError) {
        let attacks = try settings.catalog.attacks(column.value.attack, in: threat)
        if attacks.count > 1 { throw .unknown(column.value.attack, suggestion: nil, known: []) }
        seeksSmallest = attacks.first?.seeksSmallest == true
      } catch {
        let several = column.value.attack.contains(",")
        throw settings.refusal(key, several ? "a column is one attack, not a list" : "\(error)")
      }
      if column.value.reading == .anySize, !seeksSmallest {
        throw settings.refusal(
          "columns.\(column.name).reading",
          "any-size is for attacks that look for the smallest perturbation (cw, ddn, fmn, fab), and "
            + "\(column.value.attack) does not")
      }
    }
  }
}
