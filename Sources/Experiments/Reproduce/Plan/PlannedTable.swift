/// A table before it has figures: which step and which attack each cell reads.
public struct PlannedTable: Sendable {
  /// The recipe's name, such as `table1`.
  public var name: String
  /// What it shows.
  public var title: String
  /// What a reader should know.
  public var about: String
  /// The preset; nil for none.
  public var preset: String?
  /// The paper's table; nil for one's own.
  public var paper: String?
  /// How the setting differs from the paper's, one sentence each.
  public var differences: [String]
  /// Data sets with balls.
  public var parts: [PlannedPart]
}

/// A part of a table: one data set, one ball.
public struct PlannedPart: Sendable {
  /// Its name.
  public var name: String
  /// Its name among the paper's figures.
  public var paper: String
  /// The title of the published data set.
  public var datasetTitle: String
  /// `linf`, `l2` or `l1`.
  public var norm: String
  /// The radius as it was written.
  public var epsilon: String
  /// What figures are: shares of images, or mutual information.
  public var unit: FigureUnit
  /// The columns in order.
  public var columns: [PlannedColumn]
  /// The rows in order.
  public var rows: [PlannedRow]
}

/// What a figure is.
public enum FigureUnit: String, Codable, Sendable {
  /// A share of images, shown in percent.
  case share
  /// Mutual information in nats.
  case nats
}

/// A column of a table.
public struct PlannedColumn: Sendable {
  /// Its name.
  public var name: String
  /// Its name among the paper's figures.
  public var paper: String
  /// The attack as it was asked for.
  public var attack: String
  /// Test images; nil for all.
  public var limit: Int?
}

/// A row of a table.
public struct PlannedRow: Sendable {
  /// Its name.
  public var name: String
  /// How its network was trained.
  public var defense: String
  /// The cells: every column at every checkpoint.
  public var cells: [PlannedCell]
}

/// A cell of a table: where its figures come from, one source per seed.
public struct PlannedCell: Sendable {
  /// A figure's source.
  public struct Source: Sendable {
    /// The seed.
    public var seed: Int
    /// The step whose result holds the figure.
    public var step: String
    /// How to find it there.
    public var reading: FigureReading
  }

  /// The column's name.
  public var column: String
  /// Which checkpoint.
  public var checkpoint: RecipeCheckpoint
  /// One source per seed.
  public var sources: [Source]
}

/// How a figure is found in a step's result.
public enum FigureReading: Hashable, Sendable {
  /// Right under the attack at this place of an evaluation's list.
  case robust(attack: Int)
  /// Withstood the minimum-norm attack at this place at any size.
  case unbounded(attack: Int)
  /// A pairing of `mi poc` under the attack at this place.
  case pairing(attack: Int, key: String)
  /// What one pair of estimators reads in `mi compare`: `eq4` or `eq5`, `natural` or `adversarial`, `clean` or `attacked`.
  case estimate(attack: Int, role: String, kind: String, images: String)
}
