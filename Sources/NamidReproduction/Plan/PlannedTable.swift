/// A table before it has figures: which step and which attack each cell reads.
package struct PlannedTable: Sendable {
  /// The recipe's name, such as `table1`.
  package var name: String
  /// The title: one line about the contents of the table.
  package var title: String
  /// A few sentences about the table for its readers.
  package var about: String
  /// The preset; nil for none.
  package var preset: String?
  /// The paper's table; nil for one's own.
  package var paper: String?
  /// The paper's figures by part.
  package var figures: Named<PaperFigures>
  /// Differences between the setting and the paper's, one sentence each.
  package var differences: [String]
  /// Data sets with balls.
  package var parts: [PlannedPart]
}

/// A part of a table: one data set, one ball.
package struct PlannedPart: Sendable {
  /// Its name.
  package var name: String
  /// Its name among the paper's figures.
  package var paper: String
  /// The title of the published data set.
  package var datasetTitle: String
  /// `linf`, `l2` or `l1`.
  package var norm: String
  /// The radius as it was written.
  package var epsilon: String
  /// The unit of the figures: shares of images, or mutual information.
  package var unit: FigureUnit
  /// The columns in order.
  package var columns: [PlannedColumn]
  /// The rows in order.
  package var rows: [PlannedRow]
}

/// The unit of a figure.
package enum FigureUnit: String, Codable, Sendable {
  /// A share of images, shown in percent.
  case share
  /// Mutual information in nats.
  case nats
}

/// A column of a table.
package struct PlannedColumn: Sendable {
  /// Its name.
  package var name: String
  /// Its name among the paper's figures.
  package var paper: String
  /// The attack as it was asked for.
  package var attack: String
  /// Test images; nil for all.
  package var limit: Int?
}

/// A row of a table.
package struct PlannedRow: Sendable {
  /// Its name.
  package var name: String
  /// The defense that its network was trained with.
  package var defense: String
  /// The cells: every column at every checkpoint.
  package var cells: [PlannedCell]
}

/// A cell of a table: where its figures come from, one source per seed.
package struct PlannedCell: Sendable {
  /// A figure's source.
  package struct Source: Sendable {
    /// The seed.
    package var seed: Int
    /// The step whose result holds the figure.
    package var step: String
    /// The place of the figure in the step's result.
    package var reading: FigureReading
  }

  /// The column's name.
  package var column: String
  /// The checkpoint that is measured.
  package var checkpoint: RecipeCheckpoint
  /// One source per seed.
  package var sources: [Source]
}

/// The place of a figure in a step's result.
package enum FigureReading: Hashable, Sendable {
  /// Right under the attack at this place of an evaluation's list.
  case robust(attack: Int)
  /// Withstood the minimum-norm attack at this place at any size.
  case unbounded(attack: Int)
  /// A pairing of `mi poc` under the attack at this place.
  case pairing(attack: Int, key: String)
  /// The reading of one pair of estimators in `mi compare`: `eq4` or `eq5`, `natural` or `adversarial`, and `clean` or
  /// `attacked`.
  case estimate(attack: Int, role: String, kind: String, images: String)
}
