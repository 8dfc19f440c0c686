import NamidTorch

/// The work of an exported program in the order in which it is done, with operators found and arguments sorted.
struct ProgramPlan: Sendable {
  typealias Place = ExportedGraph.Place
  typealias Number = ExportedGraph.Number

  /// An argument in the place where the operator's schema has it.
  enum Argument: Sendable {
    case none
    case omitted
    case integer(Int)
    case real(Double)
    case boolean(Bool)
    case string(String)
    case integers([Int])
    case reals([Double])
    case booleans([Bool])
    /// The device of the network, whatever device the export saw.
    case device
    /// A number where the operator takes a tensor.
    case number(PythonOperator.Value)
    case place(Place)
    /// A computed number where the operator takes a real one.
    case realPlace(Place)
    /// A computed number where the operator takes a tensor.
    case tensorPlace(Place)
    case numbers([Number])
    case tensors([Place])
    case optionalTensors([Place?])
  }

  /// A call of an operator.
  struct Call: Sendable {
    let operation: NamedOperator
    /// Its name in the allow-list.
    let name: String
    var arguments: [Argument]
    let results: [Place?]
  }

  /// A batch normalisation in any of its forms.
  struct Normalization: Sendable {
    let input: Place
    let weight: Place?
    let bias: Place?
    let mean: Place?
    let variance: Place?
    /// True where the export saw it in training mode.
    let isTrained: Bool
    let momentum: Double
    let epsilon: Double
    let result: Place
    /// The convolution in front of it, of which nothing else reads the result.
    var convolution: Call?
  }

  /// A dropout.
  struct Dropout: Sendable {
    let input: Place
    let result: Place
    let probability: Double
    let isTrained: Bool
    let dropsChannels: Bool
  }

  /// A kind of work.
  enum Work: Sendable {
    case call(Call)
    case normalization(Normalization)
    case dropout(Dropout)
    /// A buffer that counts batches.
    case counter(buffer: Place, increment: Int, result: Place?)
    case size(of: Place, dimension: Int, result: Place)
    case count(of: Place, result: Place)
    case arithmetic(PythonOperator, [Operand], result: Place)
  }

  /// An operand of arithmetic on sizes.
  enum Operand: Sendable {
    case fixed(PythonOperator.Value)
    case place(Place)
  }

  /// A piece of work of a node.
  struct Step: Sendable {
    /// The node's name, for messages.
    let node: String
    var work: Work
    /// Places that nothing reads afterwards.
    var releases: [Place] = []
  }

  var steps: [Step] = []
  let placeCount: Int
  let images: Place
  let logits: Place
  /// True where an operator changes the images in place, so that it needs a copy.
  let copiesImages: Bool
  /// True where the export saw a layer in training mode.
  let isTrained: Bool
}

extension ProgramPlan.Work {
  /// The places that it reads.
  var reads: [ProgramPlan.Place] {
    switch self {
    case .call(let call): return call.reads
    case .normalization(let norm):
      let own = [norm.input, norm.weight, norm.bias, norm.mean, norm.variance].compactMap(\.self)
      return norm.convolution.map { $0.reads + own.dropFirst() } ?? own
    case .dropout(let dropout): return [dropout.input]
    case .counter(let buffer, _, _): return [buffer]
    case .size(let place, _, _), .count(let place, _): return [place]
    case .arithmetic(_, let operands, _):
      return operands.compactMap { if case .place(let place) = $0 { place } else { nil } }
    }
  }

  /// True where it changes a tensor that other steps may read.
  var changesTensor: Bool {
    if case .call(let call) = self { call.changed != nil } else { false }
  }

  /// The places that it fills.
  var writes: [ProgramPlan.Place] {
    switch self {
    case .call(let call): call.results.compactMap(\.self)
    case .normalization(let norm):
      (norm.convolution?.results.compactMap(\.self) ?? []) + [norm.result]
    case .dropout(let dropout): [dropout.result]
    case .counter(_, _, let result): [result].compactMap(\.self)
    case .size(_, _, let result), .count(_, let result), .arithmetic(_, _, let result): [result]
    }
  }
}

extension ProgramPlan.Call {
  /// The places that its arguments name.
  var reads: [ProgramPlan.Place] {
    arguments.flatMap { argument -> [ProgramPlan.Place] in
      switch argument {
      case .place(let place), .realPlace(let place), .tensorPlace(let place): [place]
      case .numbers(let numbers):
        numbers.compactMap { if case .place(let place) = $0 { place } else { nil } }
      case .tensors(let places): places
      case .optionalTensors(let places): places.compactMap(\.self)
      default: []
      }
    }
  }

  /// The place of the argument that it changes.
  var changed: ProgramPlan.Place? {
    guard let index = operation.parameters.firstIndex(where: \.isMutated), index < arguments.count,
      case .place(let place) = arguments[index]
    else { return nil }
    return place
  }

  /// The value of an argument by its name in the schema.
  subscript(name: String) -> ProgramPlan.Argument? {
    operation.parameters.firstIndex { $0.name == name }.flatMap {
      $0 < arguments.count ? arguments[$0] : nil
    }
  }
}
