import NamidFiles
import NamidTorch

/// Turns a graph into a plan: picks the logits, drops what they do not need, and finds out which memory is shared.
struct ProgramPlanner {
  typealias Place = ExportedGraph.Place
  typealias Work = ProgramPlan.Work

  let graph: ExportedGraph
  private var calls: CallPlanner
  private var isNumber: [Bool]
  private var isFilled: [Bool]
  private var isTrained = false
  /// Buffers by the place of the value that becomes their new content.
  private var mutations: [Place: Place] = [:]
  private var kinds: [Place: ExportedGraph.Source] = [:]

  /// Plans a graph.
  ///
  /// - Parameters:
  ///   - graph: The graph.
  ///   - images: The place of the images.
  ///   - logits: The place of the logits.
  /// - Returns: The plan.
  /// - Throws: `ExportedProgramError` naming the node that cannot run.
  static func plan(
    _ graph: ExportedGraph, images: Place, logits: Place
  ) throws(ExportedProgramError) -> ProgramPlan {
    var planner = try ProgramPlanner(graph)
    var steps: [ProgramPlan.Step] = []
    for node in graph.nodes {
      do {
        guard let work = try planner.work(node) else { continue }
        for place in work.writes { planner.isFilled[place] = true }
        steps.append(ProgramPlan.Step(node: node.name, work: work))
      } catch {
        throw error.at(node.name)
      }
    }
    try planner.checkMutations(steps)
    guard planner.isFilled[logits] else {
      throw ExportedProgramError("nothing computes its logits")
    }
    let sharing = MemorySharing(graph, steps)
    steps = sharing.needed(for: logits, steps)
    try sharing.check(steps, sources: planner.kinds)
    let copiesImages = sharing.changes(images, steps)
    steps = ConvolutionFusion.fuse(steps, keeping: logits, sources: planner.kinds)
    ProgramPlanner.release(&steps, keeping: logits, planner.kinds)
    return ProgramPlan(
      steps: steps, placeCount: graph.names.count, images: images, logits: logits,
      copiesImages: copiesImages, isTrained: planner.isTrained)
  }

  private init(_ graph: ExportedGraph) throws(ExportedProgramError) {
    self.graph = graph
    isNumber = [Bool](repeating: false, count: graph.names.count)
    isFilled = isNumber
    var constants: [Place: ExportedGraph.Argument] = [:]
    var buffers: [String: Place] = [:]
    for (place, source) in graph.sources {
      isFilled[place] = true
      kinds[place] = source
      if case .number(let value) = source {
        isNumber[place] = true
        constants[place] = value
      }
      if case .buffer(let name, _) = source { buffers[name] = place }
    }
    for node in graph.nodes where Self.givesNumbers(TargetName(node.target)) {
      for case let place? in node.results { isNumber[place] = true }
    }
    for case .mutation(let buffer, let value) in graph.outputs {
      guard let place = buffers[buffer] else {
        throw ExportedProgramError("it changes a buffer that it does not have")
      }
      mutations[value] = place
    }
    calls = CallPlanner(isNumber: isNumber, constants: constants)
  }

  private static func givesNumbers(_ target: TargetName) -> Bool {
    target.space == .python
      || target.space == .aten && OperatorRules.sizes.contains(target.name)
  }

  // MARK: Nodes

  private mutating func work(_ node: ExportedGraph.Node) throws(ExportedProgramError) -> Work? {
    try AllowedOperators.check(node.target)
    let target = TargetName(node.target)
    if target.space == .python { return try arithmetic(target.name, node) }
    if OperatorRules.assertions.contains(target.name) { return nil }
    for (_, argument) in node.arguments { try checkFilled(argument) }
    if OperatorRules.sizes.contains(target.name) { return try size(node) }
    if let dropsChannels = OperatorRules.dropouts[target.name] {
      return try dropout(target.name, node, dropsChannels)
    }
    if OperatorRules.batchNorms.contains(target.name) { return try normalization(node) }
    let call = try calls.call(target.name, node)
    return try counter(call) ?? .call(call)
  }

  private func checkFilled(_ argument: ExportedGraph.Argument) throws(ExportedProgramError) {
    let places: [Place] =
      switch argument {
      case .place(let place): [place]
      case .places(let places): places.compactMap(\.self)
      case .integers(let numbers):
        numbers.compactMap { if case .place(let place) = $0 { place } else { nil } }
      default: []
      }
    guard let place = places.first(where: { !isFilled[$0] }) else { return }
    throw ExportedProgramError(
      "it reads \(quotedForPeople(graph.names[place])), a result that is not kept",
      advice: "save torch.export.export(…) without run_decompositions")
  }

  private func arithmetic(
    _ name: String, _ node: ExportedGraph.Node
  ) throws(ExportedProgramError) -> Work? {
    guard let operation = PythonOperator(rawValue: name), let result = node.results.first ?? nil,
      node.results.count == 1, node.arguments.count == operation.arity
    else { throw ExportedProgramError("it has other operands than \(name) takes") }
    var operands: [ProgramPlan.Operand] = []
    for (_, argument) in node.arguments {
      try checkFilled(argument)
      switch argument {
      case .integer(let value): operands.append(.fixed(.integer(value)))
      case .real(let value): operands.append(.fixed(.real(value)))
      case .boolean(let value): operands.append(.fixed(.boolean(value)))
      case .place(let place) where isNumber[place]:
        switch calls.constants[place] {
        case .integer(let value)?: operands.append(.fixed(.integer(value)))
        case .real(let value)?: operands.append(.fixed(.real(value)))
        case .boolean(let value)?: operands.append(.fixed(.boolean(value)))
        default: operands.append(.place(place))
        }
      default: throw ExportedProgramError("an operand of \(name) is no number")
      }
    }
    return .arithmetic(operation, operands, result: result)
  }

  private func size(_ node: ExportedGraph.Node) throws(ExportedProgramError) -> Work {
    guard case .place(let place)? = node["self"], !isNumber[place],
      let result = node.results.first ?? nil, node.results.count == 1
    else { throw ExportedProgramError("it asks for the size of what is no tensor") }
    if case .integer(let dimension)? = node["dim"] {
      return .size(of: place, dimension: dimension, result: result)
    }
    return .count(of: place, result: result)
  }

  private mutating func dropout(
    _ name: String, _ node: ExportedGraph.Node, _ dropsChannels: Bool
  ) throws(ExportedProgramError) -> Work {
    guard case .place(let input)? = node["input"] ?? node["self"], !isNumber[input],
      let result = node.results.first ?? nil
    else { throw ExportedProgramError("it has no input and result") }
    let probability = node.real("p") ?? 0
    var trains = false
    if case .boolean(true)? = node["train"] { trains = true }
    guard !trains || (0..<1).contains(probability) && !name.contains("alpha") else {
      throw ExportedProgramError(
        "\(name) with p = \(probability) is not supported in training mode",
        advice: ExportedProgramError.inEvaluationMode)
    }
    if trains { isTrained = true }
    return .dropout(
      ProgramPlan.Dropout(
        input: input, result: result, probability: probability, isTrained: trains,
        dropsChannels: dropsChannels))
  }

  private mutating func normalization(
    _ node: ExportedGraph.Node
  ) throws(ExportedProgramError) -> Work {
    guard case .place(let input)? = node["input"], !isNumber[input],
      let result = node.results.first ?? nil,
      let epsilon = node.real("eps") ?? node.real("epsilon")
    else { throw ExportedProgramError("it has no input, ε and result") }
    var trains = TargetName(node.target).name.hasPrefix("_batch_norm_with_update")
    if case .boolean(true)? = node["training"] { trains = true }
    let places = try ["weight", "bias", "running_mean", "running_var"].map {
      (label) throws(ExportedProgramError) -> Place? in
      switch node[label] {
      case .place(let place)? where !isNumber[place]: return place
      case .some(.none), nil: return nil
      default: throw ExportedProgramError("its \(label) is no tensor")
      }
    }
    if trains, let mean = places[2], let variance = places[3] {
      guard isBuffer(mean), isBuffer(variance) else {
        throw ExportedProgramError(
          "its running statistics are no buffers", advice: ExportedProgramError.inEvaluationMode)
      }
      isTrained = true
    }
    return .normalization(
      ProgramPlan.Normalization(
        input: input, weight: places[0], bias: places[1], mean: places[2], variance: places[3],
        isTrained: trains,
        momentum: node.real("momentum") ?? node.real("exponential_average_factor") ?? 0.1,
        epsilon: epsilon, result: result))
  }

  private func isBuffer(_ place: Place) -> Bool {
    if case .buffer? = kinds[place] { true } else { false }
  }

  /// The work for an addition that counts batches in a buffer, in place or not.
  private mutating func counter(_ call: ProgramPlan.Call) throws(ExportedProgramError) -> Work? {
    guard let result = call.results.first ?? nil, call.name.hasPrefix("add"),
      case .place(let buffer)? = call["self"], isBuffer(buffer),
      call.changed == buffer || mutations[result] == buffer,
      graph.shapes[buffer]?.dtype?.isFloatingPoint == false,
      case .number(.integer(let increment))? = call["other"]
    else { return nil }
    isTrained = true
    return .counter(buffer: buffer, increment: increment, result: result)
  }

  /// Refuses changes of buffers other than running statistics and counts.
  private func checkMutations(_ steps: [ProgramPlan.Step]) throws(ExportedProgramError) {
    var allowed: Set<Place> = []
    for (node, step) in zip(graph.nodes.filter { !isAssertion($0) }, steps) {
      switch step.work {
      case .normalization: allowed.formUnion(node.results.compactMap(\.self))
      case .counter(_, _, let result?): allowed.insert(result)
      default: break
      }
    }
    for (value, buffer) in mutations where !allowed.contains(value) && value != buffer {
      throw ExportedProgramError(
        "it changes the buffer \(quotedForPeople(graph.names[buffer])) while it runs",
        advice: ExportedProgramError.inEvaluationMode)
    }
  }

  private func isAssertion(_ node: ExportedGraph.Node) -> Bool {
    let target = TargetName(node.target)
    return target.space == .aten && OperatorRules.assertions.contains(target.name)
  }

  // MARK: Lifetimes

  /// Notes at each step what nothing reads after it.
  private static func release(
    _ steps: inout [ProgramPlan.Step], keeping logits: Place,
    _ sources: [Place: ExportedGraph.Source]
  ) {
    var seen: Set<Place> = [logits]
    for index in steps.indices.reversed() {
      let work = steps[index].work
      for place in work.reads + work.writes
      where (sources[place] == nil || sources[place] == .images) && seen.insert(place).inserted {
        steps[index].releases.append(place)
      }
    }
  }
}

extension ExportedGraph.Node {
  /// The value of an argument by its name.
  subscript(name: String) -> ExportedGraph.Argument? {
    arguments.first { $0.name == name }?.value
  }

  /// The value of a real argument by its name.
  func real(_ name: String) -> Double? {
    switch self[name] {
    case .real(let value)?: value
    case .integer(let value)?: Double(value)
    default: nil
    }
  }
}
