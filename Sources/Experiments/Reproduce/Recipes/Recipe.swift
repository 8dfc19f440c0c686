import Attacks
import MutualInformation
import Records

/// An experiment as a file says it: what is trained, how it is attacked, and how that makes a table.
///
/// Each part is a data set with a ball; in each part every row's network is trained with every seed and measured in
/// every column that the ball's norm has, at every checkpoint. Nothing here computes: a `PlanBuilder` turns a recipe
/// into steps.
public struct Recipe: ConfigurationGroup, Equatable, Sendable {
  /// What the table shows, in one line.
  public var title = ""
  /// What a reader should know of it, in a few sentences.
  public var about = ""
  /// The name of the paper's table or figure in `paper-figures.yaml`; null for one's own.
  public var paper: String?
  /// Differences from the paper that no setting shows, one sentence each.
  public var remarks: [String] = []
  /// Seeds of all rows that say nothing else.
  public var seeds = [0]
  /// Which checkpoints of each run are measured.
  public var checkpoints = RecipeCheckpoint.allCases
  /// Test images of all columns that say nothing else; all when null.
  public var limit: Int?
  /// Settings of every training by their keys in `config.yaml`.
  public var settings: JSONValue = [:]
  /// Data sets and balls by name.
  public var parts = Named<RecipePart>()
  /// Networks by name, which are the table's rows.
  public var rows = Named<RecipeRow>()
  /// Trained estimators by name, for the rows and probes that need them.
  public var estimators = Named<RecipeEstimators>()
  /// Attacks by name, which are the table's columns.
  public var columns = Named<RecipeColumn>()
  /// The row whose networks make the images that all others are judged on; null for white-box attacks.
  public var surrogate: String?
  /// Measurements of mutual information by name.
  public var probes = Named<RecipeProbe>()

  /// A recipe without rows.
  public init() {}

  /// Refuses a recipe that makes no table.
  public func validate() throws {
    try require(!parts.isEmpty, "parts", "must name at least one data set with a ball")
    try require(!rows.isEmpty, "rows", "must name at least one network")
    try require(
      !columns.isEmpty || !probes.isEmpty, "columns",
      "must name at least one attack (or probes one measurement)")
    for (key, names) in [
      ("parts", parts.names), ("rows", rows.names), ("estimators", estimators.names),
      ("columns", columns.names), ("probes", probes.names),
    ] {
      try require(
        names.allSatisfy(Self.isName), key, "must have names of one line, 1 to 100 characters each")
    }
    try require(seeds: seeds)
    try require(!checkpoints.isEmpty, "checkpoints", "must not be empty")
    try require((limit ?? 1) >= 1, "limit", "must be at least 1")
  }

  private static func isName(_ name: String) -> Bool {
    (1...100).contains(name.count)
      && name.unicodeScalars.allSatisfy { scalar in
        ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
          scalar.properties.generalCategory)
      }
  }
}

extension ConfigurationGroup {
  /// Refuses seeds that a command line cannot say, or says twice.
  fileprivate func require(seeds: [Int]) throws {
    try require(!seeds.isEmpty, "seeds", "must not be empty")
    try require(Set(seeds).count == seeds.count, "seeds", "must not hold a seed twice")
    try require(seeds.allSatisfy { $0 >= 0 }, "seeds", "must not be negative")
  }
}

/// Which checkpoint of a run is measured.
public enum RecipeCheckpoint: String, CaseIterable, Codable, Sendable {
  /// The last epoch's.
  case latest
  /// That of the epoch with the best robust accuracy on images held out of training.
  case best

  /// The checkpoint in tables.
  public var title: String { self == .latest ? "last" : "best" }
}

/// A data set with a ball.
public struct RecipePart: ConfigurationGroup, Equatable, Sendable {
  /// Settings of every training in this part, such as `data.name` and `threat`.
  public var settings: JSONValue = [:]
  /// The part's name in `paper-figures.yaml`; its own name when null.
  public var paper: String?

  /// The recipe's settings alone.
  public init() {}
}

/// A network that is trained.
public struct RecipeRow: ConfigurationGroup, Equatable, Sendable {
  /// How it is trained.
  public var defense = "standard"
  /// The name of the estimators that the defense reads; null for none.
  public var estimators: String?
  /// Settings of this row by their keys in `config.yaml`.
  public var settings: JSONValue = [:]
  /// Its seeds; the recipe's when null.
  public var seeds: [Int]?
  /// Whether it is a row of the table, or only trained because others need it.
  public var shown = true

  /// Standard adversarial training.
  public init() {}

  /// Refuses seeds that come twice.
  public func validate() throws {
    if let seeds { try require(seeds: seeds) }
  }
}

/// Estimators that are trained on a row's network, one set for each part and seed.
public struct RecipeEstimators: ConfigurationGroup, Equatable, Sendable {
  /// The row whose network they read.
  public var target = ""
  /// What they measure.
  public var kind = EstimatorKind.pair
  /// Settings by their keys in the estimators' `config.yaml`.
  public var settings: JSONValue = [:]

  /// Natural and adversarial MI.
  public init() {}
}

/// An attack that makes a column.
public struct RecipeColumn: ConfigurationGroup, Equatable, Sendable {
  /// What counts as having withstood an attack that looks for the smallest perturbation.
  public enum Reading: String, CaseIterable, Codable, Sendable {
    /// No perturbation within ε was found: the usual meaning, and the only one for other attacks.
    case withinEpsilon = "within-epsilon"
    /// No perturbation of any size was found.
    case anySize = "any-size"
  }

  /// The attack as `namid evaluate --attack` takes it.
  public var attack = "clean"
  /// Test images; the recipe's when null.
  public var limit: Int?
  /// The norms of the parts that have this column; all when null.
  public var norms: [Norm]?
  /// What counts as having withstood it.
  public var reading = Reading.withinEpsilon
  /// The column's name in `paper-figures.yaml`; its own name when null.
  public var paper: String?

  /// No attack.
  public init() {}

  /// Refuses a limit of no images.
  public func validate() throws {
    try require((limit ?? 1) >= 1, "limit", "must be at least 1")
  }
}

/// A measurement of mutual information on one row's networks.
public struct RecipeProbe: ConfigurationGroup, Equatable, Sendable {
  /// The kinds of measurement.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// `namid mi poc`: three pairings of image and output (Figure 2).
    case pairings = "poc"
    /// `namid mi compare`: estimators of Equations 4 and 5 side by side (Figure 4).
    case comparison = "compare"
  }

  /// Which measurement.
  public var kind = Kind.pairings
  /// The row whose networks are measured.
  public var network = ""
  /// Attacks as `namid evaluate --attack` takes them.
  public var attack = "pgd-20"
  /// Test images.
  public var limit = 1000
  /// The estimators that read in `poc`.
  public var estimators: String?
  /// The estimators trained by Equation 4, in `compare`.
  public var eq4: String?
  /// The estimators trained by Equation 5, in `compare`.
  public var eq5: String?

  /// Pairings.
  public init() {}

  /// The estimators that are named, by the key that names them.
  var readers: [(field: String, name: String)] {
    let all = kind == .pairings ? [("estimators", estimators)] : [("eq4", eq4), ("eq5", eq5)]
    return all.compactMap { field, name in name.map { (field, $0) } }
  }

  /// Refuses missing estimators.
  public func validate() throws {
    try require(limit >= 2, "limit", "must be at least 2")
    switch kind {
    case .pairings:
      try require(estimators != nil, "estimators", "must name the estimators that poc reads with")
    case .comparison:
      try require(eq4 != nil, "eq4", "must name estimators trained by Equation 4")
      try require(eq5 != nil, "eq5", "must name estimators trained by Equation 5")
    }
  }
}
