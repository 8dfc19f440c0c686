import NamidAttacks
import NamidDefenses
import NamidInformation
import NamidLaboratory
import NamidTraining

/// Checks that find plans that cannot succeed before anything is computed.
extension PlanBuilder {
  /// Refuses names that are not there, needs that go round in circles, and tables without rows.
  func check() throws(RecipeError) {
    try checkReferences()
    try checkCircles()
    guard recipe.rows.entries.contains(where: \.value.shown) || !recipe.probes.isEmpty else {
      throw settings.refusal(
        "rows", "none is shown: leave shown out of one that is a row of the table")
    }
    for part in recipe.parts.names {
      for row in recipe.rows.entries { try checkEstimators(of: row, part: part) }
      for probe in recipe.probes.entries { try checkEstimators(of: probe, part: part) }
    }
  }

  /// Refuses a network that cannot be built or trained on the images that are there.
  func check(_ configuration: RunConfiguration, row: String, part: String) throws(RecipeError) {
    guard let facts = facts[configuration.data.name] else { return }
    func refusal(_ group: String, _ reason: String) -> RecipeError {
      let key = settings.place(of: group, row: row, part: part).map { "\($0).\(group)" }
      return settings.refusal("rows.\(row)", key: key, reason)
    }
    if let problem = settings.catalog.architecture(configuration.model.architecture)?
      .problem(specification(configuration.model, facts))
    {
      let network = configuration.model.architecture
      throw refusal("model", "the network \(network) cannot be built: \(problem)")
    }
    let heldOut = configuration.data.validation
    if facts.trainCount > 0, heldOut >= facts.trainCount {
      throw refusal(
        "data.validation",
        "data.validation holds \(heldOut) of \(facts.trainCount) training images out, and none is left"
      )
    }
  }

  /// Refuses estimators whose batches are larger than their images.
  func check(_ configuration: EstimatorConfiguration, named name: String) throws(RecipeError) {
    guard let facts = facts[configuration.data.name], facts.trainCount > 0 else { return }
    let images = trainingImages(configuration.data, facts)
    guard images < configuration.batchSize else { return }
    throw settings.refusal(
      "estimators.\(name)", key: "estimators.\(name).settings",
      "batchSize is \(configuration.batchSize), and there are \(images) images to train on")
  }

  // MARK: Names

  private func checkReferences() throws(RecipeError) {
    for row in recipe.rows.entries {
      guard let name = row.value.estimators else { continue }
      try check(name, among: recipe.estimators.names, "rows.\(row.name).estimators", "estimators")
    }
    for item in recipe.estimators.entries {
      try check(
        item.value.target, among: recipe.rows.names, "estimators.\(item.name).target", "row")
    }
    if let surrogate = recipe.surrogate {
      try check(surrogate, among: recipe.rows.names, "surrogate", "row")
      for column in recipe.columns.entries where column.value.reading == .anySize {
        throw settings.refusal(
          "columns.\(column.name).reading",
          "any-size needs the attacked network's own answers, and here a surrogate makes the images; "
            + "leave the reading out")
      }
    }
    for probe in recipe.probes.entries {
      let key = "probes.\(probe.name)"
      try check(probe.value.network, among: recipe.rows.names, "\(key).network", "row")
      for (field, name) in probe.value.readers {
        try check(name, among: recipe.estimators.names, "\(key).\(field)", "estimators")
      }
    }
  }

  private func check(
    _ name: String, among known: [String], _ key: String, _ what: String
  ) throws(RecipeError) {
    if !known.contains(name) { throw file.unknown(what, name, among: known, at: key) }
  }

  /// A row needs at most one set of estimators, and these one row.
  private func checkCircles() throws(RecipeError) {
    for row in recipe.rows.names {
      var trail: [String] = []
      var next: String? = row
      while let name = next {
        let key = "rows.\(name)"
        if let start = trail.firstIndex(of: key) {
          throw .circular(trail[start...] + [key], origin: file.origin(of: key))
        }
        let estimators = recipe.rows[name]?.estimators
        trail += [key] + (estimators.map { ["estimators.\($0)"] } ?? [])
        next = estimators.flatMap { recipe.estimators[$0]?.target }
      }
    }
  }

  // MARK: Kinds of estimators

  private func checkEstimators(
    of row: Named<RecipeRow>.Entry, part: String
  ) throws(RecipeError) {
    guard let name = row.value.estimators, let kind = recipe.estimators[name]?.kind else { return }
    let configuration = try settings.training(row: row.name, part: part)
    let entry = settings.catalog.defenses.first { $0.name == row.value.defense }
    let key = "rows.\(row.name).estimators"
    switch entry?.estimators(configuration.settings) ?? .none {
    case .none:
      throw settings.refusal(
        key, "the defense \(row.value.defense) reads no estimators: leave \(name) out")
    case .required(let wanted), .optional(let wanted):
      if wanted == kind { return }
      throw settings.refusal(
        key,
        "the defense \(row.value.defense) reads estimators of kind \(wanted.rawValue), and \(name) are of kind "
          + kind.rawValue)
    }
  }

  private func checkEstimators(
    of probe: Named<RecipeProbe>.Entry, part: String
  ) throws(RecipeError) {
    for (field, name) in probe.value.readers {
      guard let item = recipe.estimators[name] else { continue }
      let target = try settings.training(row: item.target, part: part)
      let configuration = try settings.estimators(name, target: target)
      let reason =
        switch probe.value.kind {
        case .pairings: Self.pairingsProblem(configuration)
        case .comparison:
          EstimatorRole(rawValue: field)?.problem(
            kind: configuration.kind, objective: configuration.objective,
            control: configuration.control)
        }
      guard let reason else { continue }
      throw settings.refusal(
        "probes.\(probe.name).\(field)", "\(name) do not answer its question: \(reason)")
    }
  }

  private static func pairingsProblem(_ configuration: EstimatorConfiguration) -> String? {
    configuration.kind == .standard && configuration.threat.epsilon.value != 0
      ? "they are trained on attacked images; with threat.epsilon 0 in their settings they are trained on "
        + "natural ones" : nil
  }
}
