import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidLaboratory
import NamidTraining

extension PlanBuilder {
  /// A part's measurements of mutual information, each with its own table.
  mutating func probes(part: String) throws -> [PlannedPart] {
    var parts: [PlannedPart] = []
    for probe in recipe.probes.entries
    where options.only.isEmpty || options.only.contains(probe.value.network) {
      parts.append(try planned(probe.value, named: probe.name, part: part))
    }
    return parts
  }

  private mutating func planned(
    _ probe: RecipeProbe, named name: String, part partName: String
  ) throws -> PlannedPart {
    let configuration = try settings.training(row: probe.network, part: partName)
    let attacks = try attackNames(of: probe, named: name, threat: configuration.threat)
    var sources: [(seed: Int, step: String)] = []
    for seed in seeds(of: probe.network, part: partName) {
      sources.append((seed, try measurement(probe, name, part: partName, seed: seed).id))
    }
    let table = probe.kind == .pairings ? pairings(attacks) : comparison(attacks)
    // A cheaper attack of a preset stands in the column of the one whose place it takes.
    let others = file.reference.probes[name].flatMap {
      try? attackNames(of: $0, named: name, threat: configuration.threat)
    }
    let papers =
      probe.kind == .pairings && others?.count == attacks.count ? others ?? [] : table.columns
    let rows = table.rows.map { row in
      PlannedRow(
        name: row.name, defense: configuration.defense.rawValue,
        cells: zip(table.columns, row.readings).map { column, reading in
          PlannedCell(
            column: column, checkpoint: .latest,
            sources: sources.map { .init(seed: $0.seed, step: $0.step, reading: reading) })
        })
    }
    let title = recipe.parts.names.count > 1 ? "\(name), \(partName)" : name
    return PlannedPart(
      name: title, paper: recipe.parts[partName]?.paper ?? partName,
      datasetTitle: facts[configuration.data.name]?.title ?? configuration.data.name,
      norm: configuration.threat.norm.rawValue,
      epsilon: configuration.threat.epsilon.description, unit: .nats,
      columns: zip(table.columns, papers).map {
        PlannedColumn(name: $0, paper: $1, attack: probe.attack, limit: probe.limit)
      }, rows: rows)
  }

  private func attackNames(
    of probe: RecipeProbe, named name: String, threat: ThreatModel
  ) throws -> [String] {
    let place = "probes.\(name).attack"
    let attacks: [any Attack]
    do throws(AttackListError) {
      attacks = try settings.catalog.attacks(probe.attack, in: threat)
    } catch {
      throw settings.refusal(place, "\(error)")
    }
    guard !attacks.contains(where: { !$0.changesImages }) else {
      throw settings.refusal(
        place, "unattacked images are always measured: leave \(NoAttack().name) out")
    }
    return AttackReport.distinctNames(attacks.map(\.name))
  }

  private mutating func measurement(
    _ probe: RecipeProbe, _ name: String, part: String, seed: Int
  ) throws -> ExperimentStep {
    let network = try self.network(probe.network, part: part, seed: seed)
    var readers: [String: String] = [:]
    for (field, name) in probe.readers {
      readers[field] = try estimators(name, part: part, seed: seed).run
    }
    var evaluation = EvaluationRequest(probe.attack, threat: network.configuration.threat)
    evaluation.goal = .strongest
    evaluation.limit = probe.limit
    let subject = InformationRequest(run: network.step.run, evaluation)
    let request: StepRequest =
      switch probe.kind {
      case .pairings: .pairings(PairingsRequest(subject, estimators: readers["estimators"]))
      case .comparison:
        .comparison(
          ComparisonRequest(subject, eq4: readers["eq4"], eq5: readers["eq5"], controls: []))
      }
    return try add(
      ExperimentStep(
        request, title: "\(name), \(part), seed \(seed)", label: "\(probe.network) seed\(seed)",
        workload: workload(
          probe: probe.attack.split(separator: ",").map(String.init), limit: probe.limit,
          of: network.configuration)
      ) { try command(request, $0, nil) })
  }

  private typealias Table = (
    columns: [String], rows: [(name: String, readings: [FigureReading])]
  )

  private func pairings(_ attacks: [String]) -> Table {
    let keys = [
      ("I(x; h(x))", "natural_input_natural_output"),
      ("I(x̃; h(x̃))", "adversarial_input_adversarial_output"),
      ("I(x; h(x̃))", "natural_input_adversarial_output"),
    ]
    return (
      attacks,
      keys.map { name, key in
        (name, attacks.indices.map { .pairing(attack: $0, key: key) })
      }
    )
  }

  private func comparison(_ attacks: [String]) -> Table {
    let columns = [
      ("natural MI, clean", "natural", "clean"), ("natural MI, attacked", "natural", "attacked"),
      ("adversarial MI, clean", "adversarial", "clean"),
      ("adversarial MI, attacked", "adversarial", "attacked"),
    ]
    let rows = attacks.indices.flatMap { attack in
      [("Equation 4 (MIM)", "eq4"), ("Equation 5 (Our)", "eq5")].map { name, role in
        (
          name: attacks.count > 1 ? "\(name), \(attacks[attack])" : name,
          readings: columns.map {
            FigureReading.estimate(attack: attack, role: role, kind: $0.1, images: $0.2)
          }
        )
      }
    }
    return (columns.map(\.0), rows)
  }
}
