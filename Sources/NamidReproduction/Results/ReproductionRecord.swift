import NamidSettings
import NamidStatistics

/// Everything that a reproduction came to: the records that reports are made of.
package struct ReproductionRecord: Codable, Sendable {
  /// The format that this version writes and reads.
  package static let currentFormat = "namid-reproduction/2"

  /// `namid-reproduction/2`.
  package var format = Self.currentFormat
  /// The command, for people.
  package var command: String
  /// The tool's version.
  package var version: String
  /// The machine in a few words.
  package var machine: String
  /// The time at which it was written, in UTC.
  package var written: String
  /// True where it was stopped before all steps were tried.
  package var isInterrupted: Bool
  /// One entry per recipe.
  package var tables: [TableRecord]
  /// The outcome of every step.
  package var steps: [StepOutcome]

  enum CodingKeys: String, CodingKey {
    case format, command, version, machine, written, tables, steps
    case isInterrupted = "interrupted"
  }

  /// The numbers of steps that are finished, failed and not run, in words.
  package var progress: String {
    let count = { (state: StepOutcome.State) in steps.count { $0.state == state } }
    return "\(count(.finished)) finished, \(count(.failed)) failed, \(count(.notRun)) not run"
  }

  /// A record.
  package init(
    command: String, version: String, machine: String, written: String, isInterrupted: Bool,
    tables: [TableRecord], steps: [StepOutcome]
  ) {
    self.command = command
    self.version = version
    self.machine = machine
    self.written = written
    self.isInterrupted = isInterrupted
    self.tables = tables
    self.steps = steps
  }
}

/// The outcome of a step, for the record.
package struct StepOutcome: Codable, Hashable, Sendable {
  /// The outcomes of a step.
  package enum State: String, Codable, Sendable {
    /// Done by this call or an earlier one.
    case finished
    /// Tried without success.
    case failed
    /// A step that was not tried.
    case notRun = "not-run"
  }

  /// The step.
  package var id: String
  /// Its kind.
  package var kind: String
  /// A description of the step for people.
  package var title: String
  /// Its command line, with paths relative to the experiment's folder.
  package var command: String
  /// The outcome of the step.
  package var state: State
  /// The reason why it is not finished, with its last lines; nil where it is.
  package var why: String?
  /// The steps that it needs.
  package var needs: [String]
  /// The run's folder or the figures that it left, relative to the experiment's folder; nil where it is not finished.
  package var product: String?
  /// Seconds; nil where it is not finished.
  package var seconds: Double?
  /// The most memory that it took, in bytes; nil where that is not known.
  package var peakMemory: Int?
  /// The step whose figures it took over; nil for none.
  package var sameAs: String?

  enum CodingKeys: String, CodingKey {
    case id, kind, title, command, state, why, needs, product, seconds
    case peakMemory = "peak_memory"
    case sameAs = "same_as"
  }

  /// The outcome of a step.
  package init(_ step: ExperimentStep, _ result: StepResult?) {
    id = step.id
    kind = step.kind.rawValue
    title = step.title
    command = step.command
    needs = step.needs
    switch result {
    case .finished(let record):
      state = .finished
      product = "\(record.folder)/\(step.kind.product)"
      seconds = record.seconds
      peakMemory = record.peakMemory
      sameAs = record.sameAs
    case .failed(let reason, let lines):
      state = .failed
      why = ([reason] + lines).joined(separator: "\n")
    case .notRun(let reason):
      state = .notRun
      why = reason
    case nil:
      state = .notRun
      why = "not run"
    }
  }
}

/// A table with its figures.
package struct TableRecord: Codable, Sendable {
  /// The recipe's name.
  package var name: String
  /// The title: one line about the contents of the table.
  package var title: String
  /// A few sentences about the table for its readers.
  package var about: String
  /// The preset; nil for none.
  package var preset: String?
  /// The paper's table; nil for one's own.
  package var paper: String?
  /// Differences between the setting and the paper's, one sentence each.
  package var differences: [String]
  /// Data sets with balls.
  package var parts: [PartRecord]
}

/// A part of a table with its figures.
package struct PartRecord: Codable, Sendable {
  /// Its name.
  package var name: String
  /// The images as they were found, such as `CIFAR-10 (JPEG copy)`; the published title before there are figures.
  package var dataset: String
  /// `linf`, `l2` or `l1`.
  package var norm: String
  /// The radius as it was written.
  package var epsilon: String
  /// The unit of the figures.
  package var unit: FigureUnit
  /// True where figures are of the last and of the best checkpoint; otherwise rows have one line.
  package var hasCheckpoints: Bool
  /// The columns in order, each with its attack.
  package var columns: [ColumnRecord]
  /// The rows in order.
  package var rows: [RowRecord]

  enum CodingKeys: String, CodingKey {
    case name, dataset, norm, epsilon, unit, columns, rows
    case hasCheckpoints = "checkpoints"
  }
}

extension PartRecord {
  /// The checkpoint whose figures are drawn and compared: the last one, where it is measured.
  package var compared: RecipeCheckpoint {
    let has = { (checkpoint: RecipeCheckpoint) in
      rows.contains { $0.cells.contains { $0.checkpoint == checkpoint } }
    }
    return RecipeCheckpoint.allCases.first(where: has) ?? .latest
  }
}

/// A column of a table.
package struct ColumnRecord: Codable, Hashable, Sendable {
  /// Its name.
  package var name: String
  /// The attack as it was asked for.
  package var attack: String
  /// Test images asked for; nil for all.
  package var limit: Int?
}

/// A row of a table with its figures.
package struct RowRecord: Codable, Sendable {
  /// Its name.
  package var name: String
  /// The defense that its network was trained with.
  package var defense: String
  /// Every column at every checkpoint.
  package var cells: [CellRecord]

  /// The cell of a column and a checkpoint.
  package subscript(column: String, checkpoint: RecipeCheckpoint) -> CellRecord? {
    cells.first { $0.column == column && $0.checkpoint == checkpoint }
  }
}

/// One figure of a table.
package struct CellRecord: Codable, Sendable {
  /// The state of a cell: the part of its seeds that is measured.
  package enum State: String, Codable, Sendable {
    /// All seeds are measured.
    case measured
    /// Some seeds are.
    case partial
    /// A step that it needs has failed.
    case failed
    /// A step that it needs was not tried.
    case notRun = "not-run"
  }

  /// The figure of one seed.
  package struct Run: Codable, Hashable, Sendable {
    /// The seed.
    package var seed: Int
    /// The figure: a share of images, or nats.
    package var value: Double
    /// Its 95 % interval over images; nil where the result has none.
    package var interval: ConfidenceInterval?
    /// Images.
    package var count: Int?
    /// The checkpoint, such as `epoch 6`.
    package var checkpoint: String?
    /// The file with the result, relative to the experiment's folder.
    package var file: String
    /// The hash of all that decides the figure.
    package var specificationHash: String?
    /// The names of the flags that make it doubtful.
    package var flags: [String]

    enum CodingKeys: String, CodingKey {
      case seed, value, count, checkpoint, file, flags
      case interval = "ci95"
      case specificationHash = "spec_hash"
    }
  }

  /// The column.
  package var column: String
  /// The checkpoint.
  package var checkpoint: RecipeCheckpoint
  /// The state of the cell.
  package var state: State
  /// The reason why not all seeds are measured; nil where they are.
  package var why: String?
  /// Mean, deviation and number over seeds; nil where none is measured.
  package var summary: SampleSummary?
  /// The 95 % interval: of one seed over images, of several seeds over seeds.
  package var interval: ConfidenceInterval?
  /// The samples that the interval is over: `images` or `seeds`.
  package var intervalOver: String?
  /// The seeds' figures.
  package var runs: [Run]
  /// The paper's figure, in percent or nats; nil where it has none.
  package var paper: PaperFigure?
  /// The difference of this figure minus the paper's, in percentage points; nil where there is nothing to compare.
  package var difference: Double?
  /// The difference to the first row, image by image; nil for the first row and where there is nothing to compare.
  package var paired: PairedDifference?

  enum CodingKeys: String, CodingKey {
    case column, checkpoint, state, why, summary, runs, paper, difference, paired
    case interval = "ci95"
    case intervalOver = "ci95_over"
  }
}
