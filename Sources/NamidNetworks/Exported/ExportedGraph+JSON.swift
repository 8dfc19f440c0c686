import NamidFiles
import NamidTorch

extension ExportedGraph {
  /// Reads the JSON of `torch.export.save` (schema 8), and checks that every name is defined once and before its use.
  init(_ json: JSONValue) throws(ExportedProgramError) {
    var reader = GraphReader()
    self = try reader.graph(json)
  }
}

/// Turns names into places while a graph is read.
private struct GraphReader {
  typealias Graph = ExportedGraph
  private var graph = Graph()
  private var places: [String: Graph.Place] = [:]
  /// Symbolic numbers that the file gives as plain ones.
  private var knownNumbers: [String: Int] = [:]

  mutating func graph(_ json: JSONValue) throws(ExportedProgramError) -> Graph {
    let version = json["schema_version"]
    guard version?["major"]?.intValue == 8 else {
      let found = version?["major"]?.intValue.map(String.init) ?? "none"
      throw ExportedProgramError(
        "its schema is \(found), and this library reads schema 8",
        advice: "load and save it with PyTorch 2.8 or a later one of that schema")
    }
    guard let module = json["graph_module"], let body = module["graph"],
      let signature = module["signature"]
    else { throw ExportedProgramError("it has no graph with a signature") }
    graph.torchVersion = json["torch_version"]?.stringValue ?? ""
    readRanges(json["range_constraints"])
    for (name, value) in body["sym_int_values"]?.objectValue ?? JSONObject() {
      if let number = value["as_int"]?.intValue { knownNumbers[name] = number }
    }
    try readInputs(
      list(body["inputs"], "inputs"), list(signature["input_specs"], "input specifications"))
    try readNodes(list(body["nodes"], "nodes"))
    try readOutputs(
      list(body["outputs"], "outputs"), list(signature["output_specs"], "output specifications"))
    readShapes(body["tensor_values"])
    graph.outputLabels = labels(module["module_call_graph"])
    return graph
  }

  private func list(
    _ value: JSONValue?, _ label: String
  ) throws(ExportedProgramError) -> [JSONValue] {
    guard let list = value?.arrayValue else { throw ExportedProgramError("it has no \(label)") }
    guard list.count <= Graph.mostNodes else {
      throw ExportedProgramError("it has \(list.count) \(label); at most \(Graph.mostNodes) run")
    }
    return list
  }

  // MARK: Names

  private mutating func define(_ name: String) throws(ExportedProgramError) -> Graph.Place {
    guard places[name] == nil else {
      throw ExportedProgramError("the name \(quotedForPeople(name)) is defined twice")
    }
    places[name] = graph.names.count
    graph.names.append(name)
    return graph.names.count - 1
  }

  private func place(_ name: String?) throws(ExportedProgramError) -> Graph.Place {
    guard let name, let place = places[name] else {
      throw ExportedProgramError(
        "it reads \(quotedForPeople(name ?? "")), which nothing computes before it")
    }
    return place
  }

  private func number(_ value: JSONValue) throws(ExportedProgramError) -> Graph.Number {
    if let number = value["as_int"]?.intValue ?? value.intValue { return .fixed(number) }
    guard let name = value["as_name"]?.stringValue else {
      throw ExportedProgramError("a list of sizes holds what is no number")
    }
    if places[name] == nil, let known = knownNumbers[name] { return .fixed(known) }
    return .place(try place(name))
  }

  // MARK: Inputs and outputs

  private mutating func readInputs(
    _ inputs: [JSONValue], _ specifications: [JSONValue]
  ) throws(ExportedProgramError) {
    guard inputs.count == specifications.count else {
      throw ExportedProgramError(
        "it has \(inputs.count) inputs and \(specifications.count) specifications of them")
    }
    guard inputs.count <= Graph.mostInputs else {
      throw ExportedProgramError("it has \(inputs.count) inputs; at most \(Graph.mostInputs) run")
    }
    for (input, specification) in zip(inputs, specifications) {
      guard let (kind, value) = specification.objectValue?.first else {
        throw ExportedProgramError("an input has no specification")
      }
      let name = input["as_tensor"]?["name"]?.stringValue
      let source: Graph.Source
      switch kind {
      case "parameter": source = .parameter(try text(value["parameter_name"]))
      case "buffer":
        source = .buffer(
          try text(value["buffer_name"]), isPersistent: value["persistent"]?.boolValue ?? true)
      case "tensor_constant": source = .constant(try text(value["tensor_constant_name"]))
      case "user_input" where name != nil: source = .images
      case "user_input", "constant_input":
        // A number or a flag that the export fixed; what reads it finds the value in its place.
        let constant = value["value"] ?? value["arg"] ?? input
        guard let label = value["name"]?.stringValue ?? input["as_sym_int"]?["as_name"]?.stringValue
        else { continue }
        _ = try define(label)
        graph.sources.append((graph.names.count - 1, .number(try argument(constant))))
        continue
      default:
        throw ExportedProgramError(
          "an input is of the kind \(quotedForPeople(kind)), which is not supported")
      }
      guard let name else { throw ExportedProgramError("an input that is no tensor has a value") }
      graph.sources.append((try define(name), source))
    }
  }

  private func text(_ value: JSONValue?) throws(ExportedProgramError) -> String {
    guard let text = value?.stringValue else { throw ExportedProgramError("an input has no name") }
    return text
  }

  private mutating func readOutputs(
    _ outputs: [JSONValue], _ specifications: [JSONValue]
  ) throws(ExportedProgramError) {
    for specification in specifications {
      guard let (kind, value) = specification.objectValue?.first else {
        throw ExportedProgramError("an output has no specification")
      }
      switch kind {
      case "user_output": graph.outputs.append(.user(try argument(value["arg"] ?? .null)))
      case "buffer_mutation":
        graph.outputs.append(
          .mutation(
            buffer: try text(value["buffer_name"]),
            value: try place(value["arg"]?["name"]?.stringValue)))
      case "user_input_mutation", "parameter_mutation":
        throw ExportedProgramError(
          "it changes an input or a parameter while it runs",
          advice: ExportedProgramError.inEvaluationMode)
      default:
        throw ExportedProgramError(
          "an output is of the kind \(quotedForPeople(kind)), which is not supported")
      }
    }
    guard outputs.count == specifications.count else {
      throw ExportedProgramError(
        "it has \(outputs.count) outputs and \(specifications.count) specifications of them")
    }
  }

  /// The keys of the outputs' dictionary; empty where they are none, or are nested.
  private func labels(_ calls: JSONValue?) -> [String] {
    guard let text = calls?.arrayValue?.first?["signature"]?["out_spec"]?.stringValue,
      let tree = (try? JSONValue(parsing: text))?.arrayValue?.last,
      tree["type"]?.stringValue == "builtins.dict",
      let children = tree["children_spec"]?.arrayValue,
      children.allSatisfy({ $0["children_spec"]?.arrayValue?.isEmpty ?? true }),
      let keys = tree["context"]?.stringValue.flatMap({ try? JSONValue(parsing: $0) })
    else { return [] }
    return keys.arrayValue?.map { $0.stringValue ?? "?" } ?? []
  }

  // MARK: Nodes

  private mutating func readNodes(_ nodes: [JSONValue]) throws(ExportedProgramError) {
    for (index, node) in nodes.enumerated() {
      let name = node["name"]?.stringValue ?? "\(index)"
      do {
        graph.nodes.append(try self.node(node, name))
      } catch {
        throw error.at(name)
      }
    }
  }

  private mutating func node(
    _ json: JSONValue, _ name: String
  ) throws(ExportedProgramError) -> Graph.Node {
    guard let target = json["target"]?.stringValue, let inputs = json["inputs"]?.arrayValue,
      let outputs = json["outputs"]?.arrayValue, inputs.count <= Graph.longestList
    else { throw ExportedProgramError("it has no target with inputs and outputs") }
    try AllowedOperators.check(target)
    var arguments: [(name: String, value: Graph.Argument)] = []
    for input in inputs {
      guard let label = input["name"]?.stringValue, let value = input["arg"] else {
        throw ExportedProgramError("an argument has no name and value")
      }
      arguments.append((label, try argument(value)))
    }
    var results: [Graph.Place?] = []
    for output in outputs {
      guard let (kind, value) = output.objectValue?.first else {
        throw ExportedProgramError("a result has no kind")
      }
      switch kind {
      case "as_tensor": results.append(try define(try text(value["name"])))
      case "as_tensors":
        for each in value.arrayValue ?? [] { results.append(try define(try text(each["name"]))) }
      case "as_sym_int", "as_sym_float", "as_sym_bool":
        results.append(try define(try text(value["as_name"])))
      case "as_none": results.append(nil)
      default:
        throw ExportedProgramError(
          "a result is of the kind \(quotedForPeople(kind)), which is not supported")
      }
    }
    return Graph.Node(name: name, target: target, arguments: arguments, results: results)
  }

  private func argument(_ json: JSONValue) throws(ExportedProgramError) -> Graph.Argument {
    guard let (kind, value) = json.objectValue?.first else {
      throw ExportedProgramError("an argument has no kind")
    }
    if let list = value.arrayValue, list.count > Graph.longestList {
      throw ExportedProgramError("a list of \(list.count) arguments; at most \(Graph.longestList)")
    }
    switch kind {
    case "as_none": return .none
    case "as_tensor": return .place(try place(value["name"]?.stringValue))
    case "as_optional_tensor": return try optional(value).map { .place($0) } ?? .none
    case "as_tensors":
      return .places(
        try (value.arrayValue ?? []).map { (each) throws(ExportedProgramError) in
          try place(each["name"]?.stringValue)
        })
    case "as_optional_tensors":
      return .places(
        try (value.arrayValue ?? []).map { (each) throws(ExportedProgramError) in
          try optional(each)
        })
    case "as_sym_int":
      if case .fixed(let known) = try number(value) { return .integer(known) }
      return .place(try place(value["as_name"]?.stringValue))
    case "as_sym_float":
      if let real = value["as_float"].flatMap(Self.real) { return .real(real) }
      return .place(try place(value["as_name"]?.stringValue))
    case "as_sym_bool":
      if let truth = value["as_bool"]?.boolValue { return .boolean(truth) }
      return .place(try place(value["as_name"]?.stringValue))
    case "as_sym_ints", "as_ints":
      return .integers(
        try (value.arrayValue ?? []).map { (each) throws(ExportedProgramError) in
          try number(each)
        })
    default: return try plainArgument(kind, value)
    }
  }

  private func optional(_ json: JSONValue) throws(ExportedProgramError) -> Graph.Place? {
    guard let tensor = json["as_tensor"] else { return nil }
    return try place(tensor["name"]?.stringValue)
  }

  private func plainArgument(
    _ kind: String, _ value: JSONValue
  ) throws(ExportedProgramError) -> Graph.Argument {
    let argument: Graph.Argument? =
      switch kind {
      case "as_int": value.intValue.map { .integer($0) }
      case "as_float": Self.real(value).map { .real($0) }
      case "as_floats": Self.all(value, Self.real).map { .reals($0) }
      case "as_bool": value.boolValue.map { .boolean($0) }
      case "as_bools": Self.all(value, \.boolValue).map { .booleans($0) }
      case "as_string": value.stringValue.map { .string($0) }
      case "as_scalar_type": ExportedCodes.dtype(value.intValue).map { .dtype($0) }
      case "as_memory_format": ExportedCodes.memoryFormat(value.intValue).map { .memoryFormat($0) }
      case "as_layout": ExportedCodes.isStrided(value.intValue) ? .layout : nil
      case "as_device": .device
      default: nil
      }
    guard let argument else {
      throw ExportedProgramError(
        "an argument \(quotedForPeople("\(kind): \(value)")) is not supported")
    }
    return argument
  }

  private static func all<Element>(
    _ value: JSONValue, _ element: (JSONValue) -> Element?
  ) -> [Element]? {
    guard let list = value.arrayValue else { return nil }
    let elements = list.compactMap(element)
    return elements.count == list.count ? elements : nil
  }

  /// A number, or one of the three texts that the format has for what JSON cannot write.
  private static func real(_ value: JSONValue) -> Double? {
    switch value {
    case .string("Infinity"): .infinity
    case .string("-Infinity"): -.infinity
    case .string("NaN"): .nan
    case .string: nil
    default: value.doubleValue
    }
  }

  // MARK: Sizes

  private mutating func readRanges(_ json: JSONValue?) {
    for (symbol, range) in json?.objectValue ?? JSONObject() {
      graph.ranges[symbol] = (
        range["min_val"]?.intValue ?? 0, range["max_val"]?.intValue ?? Int.max
      )
    }
  }

  private mutating func readShapes(_ json: JSONValue?) {
    for (name, meta) in json?.objectValue ?? JSONObject() {
      guard let place = places[name], let sizes = meta["sizes"]?.arrayValue else { continue }
      graph.shapes[place] = Graph.Shape(
        dtype: ExportedCodes.dtype(meta["dtype"]?.intValue), sizes: sizes.map(Self.size))
    }
  }

  /// A size; a symbol stands as `Symbol('s77', positive=True, integer=True)`.
  private static func size(_ json: JSONValue) -> Graph.Size {
    guard let expression = json["as_expr"] else {
      return Graph.Size(value: json["as_int"]?.intValue, symbol: nil)
    }
    let hint = expression["hint"]?["as_int"]?.intValue
    let text = expression["expr_str"]?.stringValue ?? ""
    let parts = text.split(separator: "'", omittingEmptySubsequences: false)
    let isPlain = text.hasPrefix("Symbol('") && parts.count == 3
    return Graph.Size(value: hint, symbol: isPlain ? String(parts[1]) : text)
  }
}
