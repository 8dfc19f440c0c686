/// Steps in an order in which each comes after all that it needs.
package struct ExperimentPlan: Sendable {
  /// The steps in order.
  package let steps: [ExperimentStep]
  private let places: [String: Int]

  /// Orders steps; a step that comes twice is done once.
  ///
  /// - Parameter steps: The steps in any order; it is kept where needs allow it.
  /// - Throws: `RecipeError` when steps need each other, or one needs a step that is not there.
  package init(_ steps: [ExperimentStep]) throws(RecipeError) {
    var known: [String: ExperimentStep] = [:]
    for step in steps where known[step.id] == nil { known[step.id] = step }
    var order: [ExperimentStep] = []
    var done: Set<String> = []
    for step in steps {
      var trail: [String] = []
      try Self.visit(step.id, known, &order, &done, &trail)
    }
    self.steps = order
    places = Dictionary(
      uniqueKeysWithValues: order.enumerated().map { ($0.element.id, $0.offset) })
  }

  /// The step of an identifier.
  package subscript(id: String) -> ExperimentStep? { places[id].map { steps[$0] } }

  /// The place of a step in the order, from 0.
  package func place(of id: String) -> Int? { places[id] }

  private static func visit(
    _ id: String, _ known: [String: ExperimentStep], _ order: inout [ExperimentStep],
    _ done: inout Set<String>, _ trail: inout [String]
  ) throws(RecipeError) {
    if done.contains(id) { return }
    if let start = trail.firstIndex(of: id) {
      throw .circular(trail[start...] + [id], origin: nil)
    }
    guard let step = known[id] else {
      throw .brokenPlan("\(trail.last ?? "a table") needs the step \(id), which is not there")
    }
    trail.append(id)
    for need in step.needs { try visit(need, known, &order, &done, &trail) }
    trail.removeLast()
    done.insert(id)
    order.append(step)
  }
}
