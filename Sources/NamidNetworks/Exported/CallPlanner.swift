import NamidFiles
import NamidTorch

/// Turns a node into a call: finds the operator, and puts arguments in the order and into the types of its schema.
struct CallPlanner {
  typealias Argument = ExportedGraph.Argument
  typealias Planned = ProgramPlan.Argument

  /// Places that hold numbers, and those whose number is known.
  let isNumber: [Bool]
  let constants: [ExportedGraph.Place: Argument]

  /// The call of an operator of the allow-list.
  func call(
    _ name: String, _ node: ExportedGraph.Node
  ) throws(ExportedProgramError) -> ProgramPlan.Call {
    let replacement = OperatorRules.replacements[name]
    let name = replacement?.name ?? name
    let operation = try Self.find(name)
    var given: [String: Argument] = [:]
    for (label, value) in node.arguments where replacement?.dropped.contains(label) != true {
      let label = replacement?.renamed[label] ?? label
      guard given.updateValue(value, forKey: label) == nil else {
        throw ExportedProgramError("it has two arguments \(quotedForPeople(label))")
      }
    }
    var arguments: [Planned] = []
    for parameter in operation.parameters {
      guard let value = given.removeValue(forKey: parameter.name) else {
        guard parameter.hasDefault else {
          throw ExportedProgramError("it has no argument \(quotedForPeople(parameter.name))")
        }
        arguments.append(.omitted)
        continue
      }
      arguments.append(
        parameter.name == "dropout_p" ? .real(0) : try planned(value, for: parameter))
    }
    if let label = given.keys.min() {
      throw ExportedProgramError("this libtorch knows no argument \(quotedForPeople(label)) of it")
    }
    while case .omitted? = arguments.last { arguments.removeLast() }
    let results = replacement == nil ? node.results : [node.results.first ?? nil]
    return ProgramPlan.Call(
      operation: operation, name: name, arguments: arguments, results: results)
  }

  /// The operator of a name from the allow-list.
  static func find(_ name: String) throws(ExportedProgramError) -> NamedOperator {
    let parts = name.split(separator: ".", maxSplits: 1)
    do {
      return try NamedOperator.find(
        "aten::\(parts[0])", overload: parts.count > 1 ? String(parts[1]) : "")
    } catch {
      throw ExportedProgramError(
        "this libtorch has no operator \(name)", advice: "take libtorch 2.13 or later")
    }
  }

  /// An argument in the type of a parameter.
  func planned(
    _ value: Argument, for parameter: NamedOperator.Parameter
  ) throws(ExportedProgramError) -> Planned {
    var value = value
    if case .place(let place) = value, let constant = constants[place] { value = constant }
    if case .none = value, parameter.isOptional { return .none }
    let result = parameter.isList ? list(value, parameter) : single(value, parameter)
    guard let result else {
      throw ExportedProgramError(
        "its argument \(quotedForPeople(parameter.name)) is not of the type \(parameter.type)")
    }
    return result
  }

  private func single(_ value: Argument, _ parameter: NamedOperator.Parameter) -> Planned? {
    switch (parameter.type, value) {
    case ("Tensor", .place(let place)): isNumber[place] ? .tensorPlace(place) : .place(place)
    case ("Tensor", .integer(let number)): .number(.integer(number))
    case ("Tensor", .real(let number)): .number(.real(number))
    case ("Tensor", .boolean(let truth)): .number(.boolean(truth))
    case ("SymInt", .integer(let number)), ("int", .integer(let number)),
      ("Scalar", .integer(let number)):
      .integer(number)
    case ("SymInt", .boolean(let truth)), ("int", .boolean(let truth)): .integer(truth ? 1 : 0)
    case ("SymInt", .place(let place)), ("int", .place(let place)), ("Scalar", .place(let place)),
      ("bool", .place(let place)):
      isNumber[place] ? .place(place) : nil
    case ("float", .place(let place)): isNumber[place] ? .realPlace(place) : nil
    case ("float", .real(let number)), ("Scalar", .real(let number)): .real(number)
    case ("float", .integer(let number)): .real(Double(number))
    case ("bool", .boolean(let truth)), ("Scalar", .boolean(let truth)): .boolean(truth)
    case ("bool", .integer(let number)): .boolean(number != 0)
    case ("str", .string(let text)): .string(text)
    case ("ScalarType", .dtype(let dtype)): .integer(Int(Self.served(dtype).rawValue))
    case ("MemoryFormat", .memoryFormat(let code)): .integer(code)
    case ("Layout", .layout): .integer(0)
    case ("Device", .device): .device
    default: nil
    }
  }

  private func list(_ value: Argument, _ parameter: NamedOperator.Parameter) -> Planned? {
    switch (parameter.type, value) {
    case ("Tensor", .places(let places)):
      if parameter.hasOptionalElements { return .optionalTensors(places) }
      let present = places.compactMap(\.self)
      return present.count == places.count ? .tensors(present) : nil
    case ("Tensor", .integers([])): return parameter.hasOptionalElements ? nil : .tensors([])
    case ("SymInt", .integers(let numbers)), ("int", .integers(let numbers)):
      return sizes(numbers)
    case ("SymInt", .integer(let number)), ("int", .integer(let number)): return .integers([number])
    case ("SymInt", .place(let place)), ("int", .place(let place)):
      return isNumber[place] ? .numbers([.place(place)]) : nil
    case ("SymInt", .places([])), ("int", .places([])): return .integers([])
    case ("float", .reals(let numbers)): return .reals(numbers)
    case ("float", .integers(let numbers)):
      guard case .integers(let whole)? = sizes(numbers) else { return nil }
      return .reals(whole.map(Double.init))
    case ("bool", .booleans(let truths)): return .booleans(truths)
    default: return nil
    }
  }

  /// A list of sizes, plain where all of them are known.
  private func sizes(_ numbers: [ExportedGraph.Number]) -> Planned? {
    var plain: [Int] = []
    for number in numbers {
      switch number {
      case .fixed(let value): plain.append(value)
      case .place(let place):
        guard isNumber[place] else { return nil }
        if case .integer(let value)? = constants[place] { plain.append(value) }
      }
    }
    return plain.count == numbers.count ? .integers(plain) : .numbers(numbers)
  }

  /// The element type that stands in for one of the export: all real numbers are float32 here.
  static func served(_ dtype: DType) -> DType { dtype.isFloatingPoint ? .float32 : dtype }
}
