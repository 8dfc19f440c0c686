import NamidTorch

/// A piece of work of a program with everything in it that is known before it runs.
protocol ProgramStep {
  /// Reads values and adds new ones.
  func run(_ frame: inout ProgramFrame) throws
}

/// A call of an operator.
struct CallStep: ProgramStep {
  let call: ProgramPlan.Call
  let arguments: ProgramArguments

  func run(_ frame: inout ProgramFrame) throws {
    try run(try arguments.values(frame), &frame)
  }

  /// Calls with given arguments and keeps the results.
  func run(_ values: [OperatorValue], _ frame: inout ProgramFrame) throws {
    if call.results.count == 1 {
      guard let place = call.results[0] else { return }
      let isList = call.operation.returnsList
      let result =
        isList
        ? try NamidTorch.call(call.operation, values).first
        : try callForTensor(call.operation, values)
      guard let result else { throw ExportedProgramError("it has no result") }
      frame.values[place] = .tensor(result)
      return
    }
    let results = try NamidTorch.call(call.operation, values)
    guard results.count >= call.results.count else {
      throw ExportedProgramError(
        "it has \(results.count) results, and the graph reads \(call.results.count)")
    }
    for (place, result) in zip(call.results, results) {
      if let place { frame.values[place] = .tensor(result) }
    }
  }
}

/// A 1×1 convolution of few channels that skips pixels, which are picked before it; see `Conv2d`.
struct PickingConvolutionStep: ProgramStep {
  let step: CallStep
  let input: ProgramTensor
  let strides: [Int]
  let slice: NamedOperator

  func run(_ frame: inout ProgramFrame) throws {
    var values = try step.arguments.values(frame)
    var picked = try input(frame)
    for (dimension, stride) in zip([2, 3], strides) {
      picked = try callForTensor(
        slice, [.tensor(picked), .integer(dimension), .none, .none, .integer(stride)])
    }
    values[0] = .tensor(picked)
    values[3] = .integers([1, 1])
    try step.run(values, &frame)
  }
}

/// A batch normalisation, with the convolution in front of it if nothing else reads that.
struct NormalizationStep: ProgramStep {
  let plan: ProgramPlan.Normalization
  let input: ProgramTensor
  let weight: ProgramTensor?
  let bias: ProgramTensor?
  let mean: ProgramTensor?
  let variance: ProgramTensor?
  let convolution: (any ProgramStep)?
  let convolutionArguments: ProgramArguments?
  let batchNorm: NamedOperator

  func run(_ frame: inout ProgramFrame) throws {
    if let convolution {
      if try runFolded(&frame) { return }
      try convolution.run(&frame)
    }
    let store = frame.store
    let momentum = store.statisticsMomentum ?? plan.momentum
    // Without running statistics those of the batch are the only ones, in evaluation too.
    let trains = plan.isTrained && (store.isTraining || mean == nil)
    let tensors = [input, weight, bias, mean, variance]
    var values: [OperatorValue] = []
    values.reserveCapacity(9)
    for tensor in tensors { values.append(try tensor.map { .tensor(try $0(frame)) } ?? .none) }
    values += [.boolean(trains), .real(momentum), .real(plan.epsilon), .boolean(true)]
    frame.values[plan.result] = .tensor(try callForTensor(batchNorm, values))
  }

  /// Runs one convolution instead of the two, where the network is frozen.
  private func runFolded(_ frame: inout ProgramFrame) throws -> Bool {
    guard let cache = frame.store.foldedWeights, let call = plan.convolution,
      let arguments = convolutionArguments, let mean = mean?.own, let variance = variance?.own
    else { return false }
    var values = try arguments.values(frame)
    guard case .tensor(let original) = values[1] else { return false }
    let own: Tensor? =
      if values.count > 2, case .tensor(let bias) = values[2] { bias } else { nil }
    let folded = cache.weights(of: original) {
      var scale = (variance + plan.epsilon).sqrt().reciprocal()
      if let weight = weight?.own { scale = weight * scale }
      let centre = own.map { mean - $0 } ?? mean
      let shift = (bias?.own).map { $0 - centre * scale } ?? centre * scale * -1.0
      let sides = [Int](repeating: 1, count: original.rank - 1)
      return (original * scale.view([-1] + sides), shift)
    }
    if values.count > 2 {
      values[2] = .tensor(folded.bias)
    } else {
      values.append(.tensor(folded.bias))
    }
    values[1] = .tensor(folded.weight)
    frame.values[plan.result] = .tensor(try callForTensor(call.operation, values))
    return true
  }
}

/// A dropout: in training it leaves out elements or channels, in evaluation it hands its input on.
struct DropoutStep: ProgramStep {
  let plan: ProgramPlan.Dropout
  let input: ProgramTensor
  let name: String

  func run(_ frame: inout ProgramFrame) throws {
    let input = try input(frame)
    guard plan.isTrained, frame.store.isTraining, plan.probability > 0 else {
      frame.values[plan.result] = .tensor(input)
      return
    }
    let shape = input.shape
    let drawn =
      plan.dropsChannels
      ? shape.prefix(2) + [Int](repeating: 1, count: max(shape.count - 2, 0)) : shape[...]
    let stream = frame.stream.keyed(name)
    let numbers = Tensor.uniform([stream], shape: Array(drawn)).squeeze(0).to(input.device)
    let kept = (numbers .>= plan.probability).to(input.dtype)
    frame.values[plan.result] = .tensor(input * kept * (1 / (1 - plan.probability)))
  }
}

/// A count of batches; it goes on where running statistics do.
struct CounterStep: ProgramStep {
  let buffer: Tensor?
  let increment: Int
  let result: ExportedGraph.Place?

  func run(_ frame: inout ProgramFrame) {
    guard let buffer else { return }
    if frame.store.isTraining, frame.store.statisticsMomentum ?? 1 > 0 {
      withoutGrad { _ = buffer.add_(increment) }
    }
    if let result { frame.values[result] = .tensor(buffer) }
  }
}

/// A size of a tensor, or the number of its elements.
struct SizeStep: ProgramStep {
  let tensor: ProgramTensor
  let dimension: Int?
  let result: ExportedGraph.Place

  func run(_ frame: inout ProgramFrame) throws {
    let tensor = try tensor(frame)
    guard let dimension else {
      frame.values[result] = .integer(tensor.count)
      return
    }
    let shape = tensor.shape
    let index = dimension < 0 ? dimension + shape.count : dimension
    guard shape.indices.contains(index) else {
      throw ExportedProgramError("it asks for dimension \(dimension) of a tensor of shape \(shape)")
    }
    frame.values[result] = .integer(shape[index])
  }
}

/// Arithmetic on sizes.
struct ArithmeticStep: ProgramStep {
  let operation: PythonOperator
  let operands: [ProgramPlan.Operand]
  let result: ExportedGraph.Place

  func run(_ frame: inout ProgramFrame) throws {
    var numbers: [PythonOperator.Value] = []
    for operand in operands {
      switch operand {
      case .fixed(let value): numbers.append(value)
      case .place(let place): numbers.append(try frame.number(place))
      }
    }
    guard let value = operation(numbers) else {
      throw ExportedProgramError("\(operation.rawValue) of \(numbers) has no result")
    }
    frame.values[result] = value.argument
  }
}
