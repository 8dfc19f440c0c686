import NamidAttacks
import NamidFiles
import NamidInformation
import NamidSettings

/// An experiment as a file says it: what is trained, how it is attacked, and how that makes a table.
///
/// Each part is a data set with a ball; in each part every row's network is trained with every seed and measured in
/// every column that the ball's norm has, at every checkpoint. Nothing here computes: a `PlanBuilder` turns a recipe
/// into steps.
package struct Recipe: ConfigurationGroup, Equatable, Sendable {
  /// The title: one line about the contents of the table.
  package var title = ""
  /// A few sentences about the table for its readers.
  package var about = ""
  /// The paper's table or figure, by the name of the tool's recipe of it; null for one's own.
  package var paper: String?
  /// Differences from the paper that no setting shows, one sentence each; rows, estimators, columns and probes have
  /// their own.
  package var remarks: [String] = []
  /// Seeds of all rows that say nothing else.
  package var seeds = [0]
  /// The checkpoints of each run that are measured.
  package var checkpoints = RecipeCheckpoint.allCases
  /// Test images of all columns that say nothing else; all when null.
  package var limit: Int?
  /// Settings of every training by their keys in `config.yaml`.
  package var settings: JSONValue = [:]
  /// Data sets and balls by name.
  package var parts = Named<RecipePart>()
  /// Networks by name, which are the table's rows.
  package var rows = Named<RecipeRow>()
  /// Trained estimators by name, for the rows and probes that need them.
  package var estimators = Named<RecipeEstimators>()
  /// Attacks by name, which are the table's columns.
  package var columns = Named<RecipeColumn>()
  /// The row whose networks make the images that all others are judged on; null for white-box attacks.
  package var surrogate: String?
  /// Measurements of mutual information by name.
  package var probes = Named<RecipeProbe>()
  /// The figures that the paper prints, by part.
  package var figures = Named<PaperFigures>()

  /// A recipe without rows.
  package init() {}

  /// Refuses a recipe that makes no table.
  package func validate() throws {
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

  /// The remarks of the recipe and of all that it names, each once.
  var allRemarks: [String] {
    let all =
      remarks + rows.entries.flatMap(\.value.remarks) + estimators.entries.flatMap(\.value.remarks)
      + columns.entries.flatMap(\.value.remarks) + probes.entries.flatMap(\.value.remarks)
    return all.enumerated().filter { all.firstIndex(of: $0.element) == $0.offset }.map(\.element)
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

/// The checkpoint of a run that is measured.
package enum RecipeCheckpoint: String, CaseIterable, Codable, Sendable {
  /// The checkpoint of the last epoch.
  case latest
  /// The checkpoint of the epoch with the best robust accuracy on images held out of training.
  case best

  /// The checkpoint in tables.
  package var title: String { self == .latest ? "last" : "best" }
}

/// A data set with a ball.
package struct RecipePart: ConfigurationGroup, Equatable, Sendable {
  /// Settings of every training in this part, such as `data.name` and `threat`.
  package var settings: JSONValue = [:]
  /// The part's name among the paper's figures; its own name when null.
  package var paper: String?
  /// Seeds of all rows in this part; those of the rows when null.
  package var seeds: [Int]?

  /// The recipe's settings alone.
  package init() {}

  /// Refuses seeds that come twice.
  package func validate() throws {
    if let seeds { try require(seeds: seeds) }
  }
}

/// A network that is trained.
package struct RecipeRow: ConfigurationGroup, Equatable, Sendable {
  /// The name of the defense that it is trained with.
  package var defense = "standard"
  /// The name of the estimators that the defense reads; null for none.
  package var estimators: String?
  /// Settings of this row by their keys in `config.yaml`.
  package var settings: JSONValue = [:]
  /// Its seeds; the recipe's when null.
  package var seeds: [Int]?
  /// True where it is a row of the table, false where it is only trained because others need it.
  package var shown = true
  /// Differences from the paper that no setting shows.
  package var remarks: [String] = []

  /// Standard adversarial training.
  package init() {}

  /// Refuses seeds that come twice.
  package func validate() throws {
    if let seeds { try require(seeds: seeds) }
  }
}

/// Estimators that are trained on a row's network, one set for each part and seed.
package struct RecipeEstimators: ConfigurationGroup, Equatable, Sendable {
  /// The row whose network they read.
  package var target = ""
  /// The kind of estimators, which says which mutual information they measure.
  package var kind = EstimatorKind.pair
  /// Settings by their keys in the estimators' `config.yaml`.
  package var settings: JSONValue = [:]
  /// Differences from the paper that no setting shows.
  package var remarks: [String] = []

  /// Natural and adversarial MI.
  package init() {}
}

/// An attack that makes a column.
package struct RecipeColumn: ConfigurationGroup, Equatable, Sendable {
  /// The condition for having withstood an attack that looks for the smallest perturbation.
  package enum Reading: String, CaseIterable, Codable, Sendable {
    /// Withstood where the attack has found nothing within ε: the usual meaning, and the only one for other attacks.
    case withinEpsilon = "within-epsilon"
    /// Withstood where the attack has found no perturbation of any size.
    case anySize = "any-size"
  }

  /// The attack as `namid evaluate --attack` takes it.
  package var attack = "clean"
  /// Test images; the recipe's when null.
  package var limit: Int?
  /// The norms of the parts that have this column; all when null.
  package var norms: [Norm]?
  /// The condition for having withstood the attack.
  package var reading = Reading.withinEpsilon
  /// The column's name among the paper's figures; its own name when null.
  package var paper: String?
  /// Differences from the paper that no setting shows.
  package var remarks: [String] = []

  /// A column without an attack.
  package init() {}

  /// Refuses a limit of no images.
  package func validate() throws {
    try require((limit ?? 1) >= 1, "limit", "must be at least 1")
  }
}

/// A measurement of mutual information on one row's networks.
package struct RecipeProbe: ConfigurationGroup, Equatable, Sendable {
  /// The kinds of measurement.
  package enum Kind: String, CaseIterable, Codable, Sendable {
    /// `namid mi poc`: three pairings of image and output (Figure 2).
    case pairings = "poc"
    /// `namid mi compare`: estimators of Equations 4 and 5 side by side (Figure 4).
    case comparison = "compare"
  }

  /// The kind of measurement.
  package var kind = Kind.pairings
  /// The row whose networks are measured.
  package var network = ""
  /// Attacks as `namid evaluate --attack` takes them.
  package var attack = "pgd-20"
  /// Test images.
  package var limit = 1000
  /// The estimators that read in `poc`.
  package var estimators: String?
  /// The estimators trained by Equation 4, in `compare`.
  package var eq4: String?
  /// The estimators trained by Equation 5, in `compare`.
  package var eq5: String?
  /// Differences from the paper that no setting shows.
  package var remarks: [String] = []

  /// Pairings.
  package init() {}

  /// The estimators that are named, by the key that names them.
  var readers: [(field: String, name: String)] {
    let all = kind == .pairings ? [("estimators", estimators)] : [("eq4", eq4), ("eq5", eq5)]
    return all.compactMap { field, name in name.map { (field, $0) } }
  }

  /// Refuses missing estimators.
  package func validate() throws {
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
