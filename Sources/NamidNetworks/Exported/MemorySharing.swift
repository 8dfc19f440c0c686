import NamidFiles

/// The tensors of a graph that share memory, and what that means where one of them is changed in place.
struct MemorySharing {
  typealias Place = ExportedGraph.Place

  private let names: [String]
  /// The first tensor of each group that shares memory.
  private var roots: [Place]
  /// True where it depends on the layout in memory whether a tensor is a view of its group or a copy.
  private var isUncertain: [Bool]

  init(_ graph: ExportedGraph, _ steps: [ProgramPlan.Step]) {
    names = graph.names
    roots = Array(graph.names.indices)
    isUncertain = [Bool](repeating: false, count: graph.names.count)
    for step in steps { note(step.work) }
  }

  private mutating func note(_ work: ProgramPlan.Work) {
    switch work {
    case .dropout(let dropout): join(dropout.result, to: dropout.input)
    case .counter(let buffer, _, let result?): join(result, to: buffer)
    case .call(let call):
      guard let origin = aliased(call) else { return }
      for case let result? in call.results {
        join(result, to: origin)
        if OperatorRules.viewsOrCopies.contains(call.name) { isUncertain[result] = true }
      }
    default: break
    }
  }

  private mutating func join(_ place: Place, to origin: Place) {
    roots[place] = roots[origin]
    isUncertain[place] = isUncertain[origin]
  }

  /// The argument with which a call's results share memory.
  private func aliased(_ call: ProgramPlan.Call) -> Place? {
    for (parameter, argument) in zip(call.operation.parameters, call.arguments)
    where parameter.isAliased || OperatorRules.silentAliases.contains(call.name) {
      if case .place(let place) = argument { return place }
      if case .tensors(let places) = argument { return places.first }
    }
    return nil
  }

  /// The steps without which the logits would be others, and those that count batches.
  func needed(for logits: Place, _ steps: [ProgramPlan.Step]) -> [ProgramPlan.Step] {
    var needed: Set<Place> = [logits]
    var groups: Set<Place> = [roots[logits]]
    var kept: [ProgramPlan.Step] = []
    for step in steps.reversed() {
      var isNeeded = step.work.writes.contains { needed.contains($0) }
      if case .counter = step.work { isNeeded = true }
      if case .call(let call) = step.work, let changed = call.changed {
        isNeeded = isNeeded || groups.contains(roots[changed])
      }
      guard isNeeded else { continue }
      for place in step.work.reads {
        needed.insert(place)
        groups.insert(roots[place])
      }
      kept.append(step)
    }
    return kept.reversed()
  }

  /// True where a step changes the memory of a place.
  func changes(_ place: Place, _ steps: [ProgramPlan.Step]) -> Bool {
    steps.contains { step in
      guard case .call(let call) = step.work, let changed = call.changed else { return false }
      return roots[changed] == roots[place]
    }
  }

  /// Refuses changes of parameters, buffers and constants, and changes whose effect would depend on the layout.
  func check(
    _ steps: [ProgramPlan.Step], sources: [Place: ExportedGraph.Source]
  ) throws(ExportedProgramError) {
    var readLater: [Place: Set<Place>] = [:]
    for step in steps.reversed() {
      if case .call(let call) = step.work, let changed = call.changed {
        try check(call, changed, readLater, sources, step.node)
      }
      for place in step.work.reads { readLater[roots[place], default: []].insert(place) }
    }
  }

  private func check(
    _ call: ProgramPlan.Call, _ changed: Place, _ readLater: [Place: Set<Place>],
    _ sources: [Place: ExportedGraph.Source], _ node: String
  ) throws(ExportedProgramError) {
    let root = roots[changed]
    if let source = sources[root], source != .images {
      throw ExportedProgramError(
        "it changes \(quotedForPeople(names[root])) in place", node: node,
        advice: ExportedProgramError.inEvaluationMode)
    }
    let others = (readLater[root] ?? []).subtracting([changed] + call.results.compactMap(\.self))
    guard let other = others.min(),
      isUncertain[changed] || others.contains(where: { isUncertain[$0] })
    else { return }
    throw ExportedProgramError(
      """
      it changes \(quotedForPeople(names[changed])) in place, and \(quotedForPeople(names[other])), \
      which is read later, may share its memory
      """, node: node, advice: ExportedProgramError.withoutInPlace)
  }
}
