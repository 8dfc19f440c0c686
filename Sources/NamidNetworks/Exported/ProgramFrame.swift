import NamidTorch

/// The values of one run of a program.
struct ProgramFrame {
  /// The computed values by place; `none` where there is none, or none is needed any more.
  var values: [OperatorValue]
  /// The store of the network, which has the mode.
  let store: ParameterStore
  /// The stream of this run's dropouts.
  let stream: RandomStream

  /// The tensor in a place.
  func tensor(_ place: ExportedGraph.Place) throws -> Tensor {
    guard case .tensor(let tensor) = values[place] else {
      throw ExportedProgramError("a value that it reads is no tensor")
    }
    return tensor
  }

  /// The number in a place.
  func number(_ place: ExportedGraph.Place) throws -> PythonOperator.Value {
    switch values[place] {
    case .integer(let value): return .integer(value)
    case .real(let value): return .real(value)
    case .boolean(let value): return .boolean(value)
    default: throw ExportedProgramError("a value that it reads is no number")
    }
  }

  /// The whole number in a place.
  func integer(_ place: ExportedGraph.Place) throws -> Int {
    guard let value = try number(place).integer else {
      throw ExportedProgramError("a size that it reads is no whole number")
    }
    return value
  }
}

extension PythonOperator.Value {
  /// The number as an argument of an operator.
  var argument: OperatorValue {
    switch self {
    case .integer(let value): .integer(value)
    case .real(let value): .real(value)
    case .boolean(let value): .boolean(value)
    }
  }
}

/// A tensor that a step reads: one of the network's own, or what an earlier step computed.
enum ProgramTensor {
  case own(Tensor)
  case computed(ExportedGraph.Place)

  /// The tensor in a run.
  func callAsFunction(_ frame: borrowing ProgramFrame) throws -> Tensor {
    switch self {
    case .own(let tensor): tensor
    case .computed(let place): try frame.tensor(place)
    }
  }

  /// The network's own tensor, if it is one.
  var own: Tensor? {
    if case .own(let tensor) = self { tensor } else { nil }
  }
}

/// The arguments of a call: what is known is in its place already, the rest is filled in at each run.
struct ProgramArguments {
  private enum Filling {
    case place(ExportedGraph.Place)
    case real(ExportedGraph.Place)
    case tensorOfNumber(ExportedGraph.Place)
    case numbers([ExportedGraph.Number])
    case tensors([ProgramTensor])
    case optionalTensors([ProgramTensor?])
  }

  private var known: [OperatorValue] = []
  private var fillings: [(index: Int, filling: Filling)] = []

  /// Sorts a plan's arguments; `own` has the network's tensors by place.
  init(
    _ arguments: [ProgramPlan.Argument], own: [ExportedGraph.Place: Tensor], device: Device
  ) {
    func tensor(_ place: ExportedGraph.Place) -> ProgramTensor {
      own[place].map { .own($0) } ?? .computed(place)
    }
    for (index, argument) in arguments.enumerated() {
      let value: OperatorValue
      var filling: Filling?
      switch argument {
      case .none: value = .none
      case .omitted: value = .omitted
      case .integer(let number): value = .integer(number)
      case .real(let number): value = .real(number)
      case .boolean(let truth): value = .boolean(truth)
      case .string(let text): value = .string(text)
      case .integers(let numbers): value = .integers(numbers)
      case .reals(let numbers): value = .reals(numbers)
      case .booleans(let truths): value = .booleans(truths)
      case .device: value = .device(device)
      case .number(let number): value = Tensor.number(number.argument).map { .tensor($0) } ?? .none
      case .place(let place):
        value = own[place].map { .tensor($0) } ?? .none
        if own[place] == nil { filling = .place(place) }
      case .realPlace(let place): (value, filling) = (.none, .real(place))
      case .tensorPlace(let place): (value, filling) = (.none, .tensorOfNumber(place))
      case .numbers(let numbers): (value, filling) = (.none, .numbers(numbers))
      case .tensors(let places): (value, filling) = (.none, .tensors(places.map(tensor)))
      case .optionalTensors(let places):
        (value, filling) = (.none, .optionalTensors(places.map { $0.map(tensor) }))
      }
      known.append(value)
      if let filling { fillings.append((index, filling)) }
    }
  }

  /// The arguments in a run.
  func values(_ frame: borrowing ProgramFrame) throws -> [OperatorValue] {
    var values = known
    for (index, filling) in fillings { values[index] = try Self.value(filling, frame) }
    return values
  }

  private static func value(
    _ filling: Filling, _ frame: borrowing ProgramFrame
  ) throws -> OperatorValue {
    switch filling {
    case .place(let place):
      let value = frame.values[place]
      if case .none = value { throw ExportedProgramError("it reads a value that is not there") }
      return value
    case .real(let place): return .real(try frame.number(place).real)
    case .tensorOfNumber(let place):
      return Tensor.number(try frame.number(place).argument).map { .tensor($0) } ?? .none
    case .numbers(let numbers):
      var result: [Int] = []
      result.reserveCapacity(numbers.count)
      for number in numbers {
        switch number {
        case .fixed(let value): result.append(value)
        case .place(let place): result.append(try frame.integer(place))
        }
      }
      return .integers(result)
    case .tensors(let tensors):
      var result: [Tensor] = []
      for tensor in tensors { result.append(try tensor(frame)) }
      return .tensors(result)
    case .optionalTensors(let tensors):
      var result: [Tensor?] = []
      for tensor in tensors { result.append(try tensor?(frame)) }
      return .optionalTensors(result)
    }
  }
}
