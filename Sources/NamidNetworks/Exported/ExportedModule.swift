import NamidTorch

/// A network whose layers are the steps of an exported program.
final class ExportedModule: Module {
  private let plan: ProgramPlan
  private let batch: ExportedProgram.BatchSizes
  private let classCount: Int
  private let store: ParameterStore
  private let steps: [any ProgramStep]
  private let path: String
  /// The number of runs in training, which tells their dropouts apart.
  private var trainingRuns = 0

  /// Registers the parameters and buffers of a program, and prepares its steps.
  init(_ program: ExportedProgram, at path: Path) {
    plan = program.plan
    batch = program.batch
    classCount = program.specification.classCount
    store = path.store
    self.path = program.path
    var own: [ExportedGraph.Place: Tensor] = [:]
    for (place, source) in program.graph.sources {
      own[place] = program.register(source, at: path)
    }
    let binder = StepBinder(own: own, device: path.store.device, batchNorm: program.batchNorm)
    steps = plan.steps.map { binder.step($0) }
  }

  /// The logits of images; a batch of a size that the export did not foresee is cut up and filled up.
  func callAsFunction(_ input: Tensor) -> Tensor {
    do {
      return try logits(input)
    } catch let error as EngineError {
      engineFailed(error)
    } catch {
      engineFailed(EngineError(kind: .other, call: "exported program", message: "\(error)"))
    }
  }

  /// The logits, or the error that prevented them; in a trial, memory that ran out is told of the node, too.
  func logits(_ input: Tensor, isTrial: Bool = false) throws -> Tensor {
    let count = input.size(0)
    if count == 0 { return .zeros([0, classCount], device: input.device) }
    if store.isTraining { trainingRuns += 1 }
    if batch.contains(count) { return try run(input, isTrial) }
    let size = min(max(count, batch.smallest), batch.largest)
    let parts = try stride(from: 0, to: count, by: size).map { start in
      let part = input.slice(start..<min(start + size, count))
      let missing = batch.smallest - part.size(0)
      guard missing > 0 else { return try run(part, isTrial) }
      // Repeated images keep the statistics of a batch near to what they are.
      let copies = (missing + part.size(0) - 1) / part.size(0)
      let filling = Tensor.cat([Tensor](repeating: part, count: copies)).slice(0..<missing)
      return try run(Tensor.cat([part, filling]), isTrial).slice(0..<part.size(0))
    }
    return parts.count == 1 ? parts[0] : Tensor.cat(parts)
  }

  private func run(_ input: Tensor, _ isTrial: Bool) throws -> Tensor {
    var frame = ProgramFrame(
      values: [OperatorValue](repeating: .none, count: plan.placeCount), store: store,
      stream: store.stream.keyed("dropout").keyed(trainingRuns))
    frame.values[plan.images] = .tensor(plan.copiesImages ? input.clone() : input)
    for (index, step) in steps.enumerated() {
      do {
        try step.run(&frame)
      } catch let error as ExportedProgramError {
        throw error.at(plan.steps[index].node).of(path)
      } catch let error as EngineError where error.kind == .outOfMemory && !isTrial {
        throw error
      } catch {
        throw ExportedProgramError("\(error)", node: plan.steps[index].node).of(path)
      }
      for place in plan.steps[index].releases { frame.values[place] = .none }
    }
    return try frame.tensor(plan.logits)
  }
}

/// Makes steps with the network's own tensors in them.
private struct StepBinder {
  let own: [ExportedGraph.Place: Tensor]
  let device: Device
  let batchNorm: NamedOperator

  func step(_ step: ProgramPlan.Step) -> any ProgramStep {
    switch step.work {
    case .call(let call): return self.call(call)
    case .normalization(let norm):
      return NormalizationStep(
        plan: norm, input: tensor(norm.input), weight: norm.weight.map(tensor),
        bias: norm.bias.map(tensor), mean: norm.mean.map(tensor),
        variance: norm.variance.map(tensor), convolution: norm.convolution.map(self.call),
        convolutionArguments: norm.convolution.map(arguments), batchNorm: batchNorm)
    case .dropout(let dropout):
      return DropoutStep(plan: dropout, input: tensor(dropout.input), name: step.node)
    case .counter(let buffer, let increment, let result):
      return CounterStep(buffer: own[buffer], increment: increment, result: result)
    case .size(let place, let dimension, let result):
      return SizeStep(tensor: tensor(place), dimension: dimension, result: result)
    case .count(let place, let result):
      return SizeStep(tensor: tensor(place), dimension: nil, result: result)
    case .arithmetic(let operation, let operands, let result):
      return ArithmeticStep(operation: operation, operands: operands, result: result)
    }
  }

  private func tensor(_ place: ExportedGraph.Place) -> ProgramTensor {
    own[place].map { .own($0) } ?? .computed(place)
  }

  private func arguments(_ call: ProgramPlan.Call) -> ProgramArguments {
    ProgramArguments(call.arguments, own: own, device: device)
  }

  private func call(_ call: ProgramPlan.Call) -> any ProgramStep {
    let step = CallStep(call: call, arguments: arguments(call))
    guard let strides = pickingStrides(call), let slice = try? CallPlanner.find("slice.Tensor"),
      case .place(let input)? = call.arguments.first
    else { return step }
    return PickingConvolutionStep(
      step: step, input: tensor(input), strides: strides, slice: slice)
  }

  /// The strides of a 1×1 convolution of fewer than 16 channels that skips pixels, or nil; see `Conv2d`.
  private func pickingStrides(_ call: ProgramPlan.Call) -> [Int]? {
    guard call.name == "conv2d" || call.name == "convolution",
      let weight = ConvolutionFusion.weight(of: call).flatMap({ own[$0] }),
      case let shape = weight.shape, shape.count == 4, shape[2] == 1, shape[3] == 1,
      case .integers(let strides)? = call["stride"], strides.count == 2,
      strides.contains(where: { $0 > 1 }), strides.allSatisfy({ $0 > 0 })
    else { return nil }
    if case .integers(let padding)? = call["padding"], padding.contains(where: { $0 != 0 }) {
      return nil
    }
    if case .boolean(true)? = call["transposed"] { return nil }
    var groups = 1
    if case .integer(let number)? = call["groups"] { groups = number }
    return shape[1].multipliedReportingOverflow(by: groups).partialValue < 16 ? strides : nil
  }
}
