import Foundation
import NamidEvaluation
import NamidFiles
import NamidSettings
import NamidStatistics

/// Puts figures into planned tables; a figure that is not there is said to be missing, and why.
package struct TableBuilder {
  private let plan: ExperimentPlan
  private let results: [String: StepResult]
  private let read: (ExperimentStep) -> JSONValue?
  private var trees: [String: StepFigures] = [:]

  /// A builder.
  ///
  /// - Parameters:
  ///   - plan: The steps.
  ///   - results: The outcomes of the steps.
  ///   - read: The result of a finished step.
  package init(
    _ plan: ExperimentPlan, results: [String: StepResult],
    read: @escaping (ExperimentStep) -> JSONValue?
  ) {
    self.plan = plan
    self.results = results
    self.read = read
  }

  /// A table with its figures.
  package mutating func table(_ planned: PlannedTable) -> TableRecord {
    let parts = planned.parts.map { part(of: $0, figures: planned.figures[$0.paper]) }
    var differences = planned.differences
    if planned.paper != nil {
      // Only results know which copy of a data set it was.
      for (part, plan) in zip(parts, planned.parts) where part.dataset != plan.datasetTitle {
        let sentence = "data: \(part.dataset), not \(plan.datasetTitle) as published"
        if !differences.contains(sentence) { differences.insert(sentence, at: 0) }
      }
    }
    return TableRecord(
      name: planned.name, title: planned.title, about: planned.about, preset: planned.preset,
      paper: planned.paper, differences: differences, parts: parts)
  }

  private mutating func part(
    of planned: PlannedPart, figures: PaperFigures?
  ) -> PartRecord {
    var rows: [RowRecord] = []
    var dataset: String?
    // What the first row withstood, by column and checkpoint, and then by seed.
    var first: [[String]: [Int: Withstood]] = [:]
    for row in planned.rows {
      var cells: [CellRecord] = []
      for cell in row.cells {
        let column = planned.columns.first { $0.name == cell.column }
        let figure = figures?[row.name, column?.paper ?? cell.column]
        var (record, withstood) = self.cell(
          of: cell, unit: planned.unit, paper: figure, dataset: &dataset)
        let key = [cell.column, cell.checkpoint.rawValue]
        if let baseline = rows.first {
          record.paired = PairedDifference(withstood, minus: first[key] ?? [:], of: baseline.name)
        } else {
          first[key] = withstood
        }
        cells.append(record)
      }
      rows.append(RowRecord(name: row.name, defense: row.defense, cells: cells))
    }
    return PartRecord(
      name: planned.name, dataset: dataset ?? planned.datasetTitle, norm: planned.norm,
      epsilon: planned.epsilon, unit: planned.unit, hasCheckpoints: planned.unit == .share,
      columns: planned.columns.map {
        ColumnRecord(name: $0.name, attack: $0.attack, limit: $0.limit)
      }, rows: rows)
  }

  private mutating func cell(
    of planned: PlannedCell, unit: FigureUnit, paper: PaperFigure?, dataset: inout String?
  ) -> (CellRecord, [Int: Withstood]) {
    var withstood: [Int: Withstood] = [:]
    var cell = CellRecord(
      column: planned.column, checkpoint: planned.checkpoint, state: .measured, runs: [],
      paper: paper)
    var reasons: [String] = []
    var hasFailed = false
    for source in planned.sources {
      do {
        let found = try result(of: source.step)
        let figure = try found.figure(source.reading)
        dataset = dataset ?? found.dataset
        withstood[source.seed] = figure.withstood
        cell.runs.append(
          CellRecord.Run(
            seed: source.seed, value: figure.value, interval: figure.interval,
            count: figure.count, checkpoint: found.checkpoint, file: found.file,
            specificationHash: figure.hash, flags: found.flags))
      } catch {
        hasFailed = hasFailed || error.isFailure
        reasons.append("seed \(source.seed): \(error.text)")
      }
    }
    if !reasons.isEmpty {
      cell.state = cell.runs.isEmpty ? (hasFailed ? .failed : .notRun) : .partial
      cell.why = reasons.joined(separator: "; ")
    }
    guard !cell.runs.isEmpty else { return (cell, [:]) }
    let summary = SampleSummary(cell.runs.map(\.value))
    cell.summary = summary
    if let interval = summary.studentInterval {
      cell.interval = interval
      cell.intervalOver = "seeds"
    } else {
      cell.interval = cell.runs[0].interval
      cell.intervalOver = cell.interval == nil ? nil : "images"
    }
    if let paper, unit == .share { cell.difference = 100 * summary.mean - paper.mean }
    return (cell, withstood)
  }

  private mutating func result(of id: String) throws(MissingFigure) -> StepFigures {
    if let known = trees[id] { return known }
    guard let step = plan[id] else {
      throw MissingFigure(text: "its step is not in the plan", isFailure: true)
    }
    switch results[id] {
    case .finished(let record):
      guard let tree = read(step) else {
        throw MissingFigure(text: "its result cannot be read", isFailure: true)
      }
      let figures = StepFigures(tree, file: "\(record.folder)/\(step.kind.product)")
      trees[id] = figures
      return figures
    case .failed(let reason, let lines):
      let told = lines.first { $0.lowercased().contains("error:") } ?? lines.last
      throw MissingFigure(
        text: "\"\(step.title)\" failed: \(reason)" + (told.map { " (\($0))" } ?? ""),
        isFailure: true)
    case .notRun(let reason):
      throw MissingFigure(text: reason, isFailure: failure(before: step))
    case nil: throw MissingFigure(text: "not run", isFailure: false)
    }
  }

  /// Checks for a failed step among those that this step needs, directly or through other steps.
  private func failure(before step: ExperimentStep) -> Bool {
    step.needs.contains { need in
      if case .failed = results[need] { return true }
      return plan[need].map { failure(before: $0) } ?? false
    }
  }
}

/// A figure that is not there.
struct MissingFigure: Error {
  var text: String
  var isFailure: Bool
}
