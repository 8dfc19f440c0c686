import NamidFiles
import NamidTorch

/// The first calls of a TorchScript module, which find out how it wants to be called.
struct ScriptedTrial {
  private(set) var plan = ScriptedPlan()
  private(set) var specification: NetworkSpecification
  private(set) var notes: [String] = []
  private(set) var operators: [String] = []
  private(set) var slots: [(name: String, shape: [Int], isTrainable: Bool)] = []
  private let imageShape: [Int]
  private let device: Device

  /// Loads and tries a checked archive.
  ///
  /// - Parameters:
  ///   - archive: The archive.
  ///   - traced: The shape of the input with which it was traced.
  ///   - imageShape: Channels, height and width, where they are given.
  ///   - output: The place of the logits, where it is given.
  ///   - device: The device on which it is tried.
  /// - Throws: `ScriptedModuleError` where no call gives logits.
  init(
    _ archive: [UInt8], traced: [Int]?, imageShape: [Int]?, output: String?, device: Device
  ) throws(ScriptedModuleError) {
    let traced = traced.flatMap { $0.count == 4 && $0.allSatisfy((1...65_536).contains) ? $0 : nil }
    self.imageShape = imageShape ?? traced.map { Array($0.dropFirst()) } ?? [3, 32, 32]
    self.device = device
    guard self.imageShape.count == 3, self.imageShape.allSatisfy((1...65_536).contains) else {
      throw ScriptedModuleError("images cannot have the shape \(self.imageShape)")
    }
    specification = NetworkSpecification(
      architecture: ScriptedModule.architectureName, width: 1, classCount: 1,
      channels: self.imageShape[0],
      imageHeight: self.imageShape[1], imageWidth: self.imageShape[2])

    let module = try Self.load(archive, device, float32: false)
    try look(at: module)
    var failures: [ScriptedModuleError] = []
    for precision in precisions(of: module) {
      let candidate =
        precision.convertsWeights ? try Self.load(archive, device, float32: true) : module
      plan.precision = precision
      do {
        try findBatchSize(candidate, traced: traced?.first, output: output)
      } catch {
        failures.append(error)
        continue
      }
      try examine(candidate)
      note(module)
      return
    }
    guard let failure = failures.first else { return }
    // A failure with advice of its own is not about the size of the images.
    let shape =
      failure.advice == nil ? traced.map { "; it was traced with \(Self.text($0))" } ?? "" : ""
    throw ScriptedModuleError(
      failure.problem + shape,
      advice: failure.advice ?? "give the shape of its images (channels, height and width)")
  }

  // MARK: Loading

  private static func load(
    _ archive: [UInt8], _ device: Device, float32: Bool
  ) throws(ScriptedModuleError) -> ScriptModule {
    let outcome = archive.withUnsafeBytes { bytes in
      Result { () throws(EngineError) in
        try ScriptModule(bytes, device: device, float32: float32)
      }
    }
    let module: ScriptModule
    do throws(EngineError) {
      module = try outcome.get()
    } catch {
      throw ScriptedModuleError("libtorch says: \(error.message)", advice: error.savingAdvice)
    }
    if let name = ScriptedOperators.refused(among: module.operators) {
      throw ScriptedModuleError(
        "it uses \(quotedForPeople(name)), which is not among the operators that may run",
        advice: ScriptedOperators.advice(name))
    }
    module.setTraining(false)
    return module
  }

  private mutating func look(at module: ScriptModule) throws(ScriptedModuleError) {
    var names: Set<String> = []
    for slot in module.slots {
      guard names.insert(slot.name).inserted else {
        throw ScriptedModuleError(
          "two of its tensors are called \(quotedForPeople(slot.name))",
          advice: ScriptedModuleError.damaged)
      }
    }
    operators = module.operators
    slots = module.slots.map {
      ($0.name, $0.tensor.shape, $0.isParameter && $0.tensor.dtype.isFloatingPoint)
    }
  }

  /// The input types in the order of trial: most modules take float32 images as they are.
  private func precisions(of module: ScriptModule) -> [ScriptedPlan.Precision] {
    let types = module.slots.map(\.tensor.dtype).filter(\.isFloatingPoint)
    let other = types.first { $0 != .float32 }
    return [.asSaved, .float32]
      + (other.map { [$0] } ?? [.float64, .float16, .bfloat16]).map {
        .castImages($0)
      }
  }

  // MARK: Trying

  /// Batch sizes that people trace with, where the archive does not say.
  private static let usualBatchSizes = [
    1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 25, 32, 48, 50, 64, 96, 100, 128, 200, 250, 256, 500,
    512,
  ]

  /// Finds a number of images for which there are as many rows of logits; first any number, then a fixed one.
  private mutating func findBatchSize(
    _ module: ScriptModule, traced: Int?, output: String?
  ) throws(ScriptedModuleError) {
    let failure: ScriptedModuleError
    do {
      let (index, classes) = try logits(of: module, 2, output)
      if let second = try? logits(of: module, 3, output), second == (index, classes) {
        return take(index, classes, batchSize: nil)
      }
      return take(index, classes, batchSize: 2)
    } catch {
      failure = error
    }
    // A module that is wrong for two images is asked for others only where that can be the reason.
    for size in traced.map({ [$0] }) ?? Self.usualBatchSizes where size != 2 && size <= 4096 {
      if let (index, classes) = try? logits(of: module, size, output) {
        return take(index, classes, batchSize: size)
      }
    }
    throw failure
  }

  private mutating func take(_ output: Int, _ classes: Int, batchSize: Int?) {
    plan.output = output
    plan.batchSize = batchSize
    specification.classCount = classes
  }

  private func images(_ count: Int) -> Tensor {
    // Values from 0 to 1 in an order without pattern.
    let total = count * imageShape.reduce(1, *)
    let values = (0..<total).map { Float(($0 * 2_654_435_761) % 65_521) / 65_521 }
    return Tensor(values, shape: [count] + imageShape).to(device)
  }

  /// The index of the logits among the tensors of an output, and the number of classes.
  private func logits(
    of module: ScriptModule, _ count: Int, _ place: String?
  ) throws(ScriptedModuleError) -> (Int, Int) {
    let outputs: [ScriptModule.Output]
    do {
      outputs = try withoutGrad { () throws(EngineError) in
        try module.outputs(plan.input(images(count)))
      }
    } catch {
      throw ScriptedModuleError(
        "forward of \(Self.text([count] + imageShape)) failed: \(error.message)")
    }
    let fitting = outputs.indices.filter {
      let tensor = outputs[$0].tensor
      return tensor.rank == 2 && tensor.size(0) == count && tensor.size(1) > 0
        && tensor.size(1) <= 65_536 && tensor.dtype.isFloatingPoint
        && (place == nil || place == outputs[$0].place)
    }
    if let index = fitting.first, fitting.count == 1 {
      return (index, outputs[index].tensor.size(1))
    }
    let list = outputs.prefix(8).map {
      "\($0.place.isEmpty ? "the output" : quotedForPeople($0.place)) \(Self.text($0.tensor.shape))"
    }.joined(separator: ", ")
    throw fitting.isEmpty
      ? ScriptedModuleError(
        "for \(count) images its output has no matrix of \(count) rows\(list.isEmpty ? "" : ": \(list)")",
        advice: "wrap the model in one that returns the logits, and save that")
      : ScriptedModuleError(
        "its output has several matrices: \(list)", advice: "name the place of the logits")
  }

  // MARK: What was found

  /// Refuses modules that change their tensors in evaluation mode; notes those that draw random numbers.
  private mutating func examine(_ module: ScriptModule) throws(ScriptedModuleError) {
    let before = withoutGrad { module.slots.map { $0.tensor.detach().clone() } }
    let (plan, input) = (plan, plan.input(images(plan.batchSize ?? 2)))
    let call = { withoutGrad { module.output(plan.output, of: input.clone()) } }
    let (first, second) = (call(), call())
    for (slot, old) in zip(module.slots, before)
    where slot.tensor.shape != old.shape || !Self.areEqual(slot.tensor, old) {
      throw ScriptedModuleError(
        "it changes \(quotedForPeople(slot.name)) in evaluation mode",
        advice: "call model.eval() before torch.jit.trace or torch.jit.script")
    }
    if !Self.areEqual(first, second) {
      notes.append(
        "its logits differ from call to call: it draws random numbers in evaluation mode")
    }
  }

  private static func areEqual(_ a: Tensor, _ b: Tensor) -> Bool {
    let (a, b) = (a.detach().to(.float64), b.detach().to(.float64))
    // NaN differs from itself.
    return ((a .== b) .| ((a .!= a) .& (b .!= b))).all().to(.float64).item() == 1
  }

  private mutating func note(_ module: ScriptModule) {
    let types = Set(
      module.slots.map(\.tensor.dtype).filter { $0.isFloatingPoint && $0 != .float32 })
    let names = types.map { "\($0)" }.sorted().joined(separator: ", ")
    switch plan.precision {
    case .asSaved:
      if !types.isEmpty { notes.append("its weights are \(names), in which it computes") }
    case .float32:
      notes.append("its \(types.isEmpty ? "constant" : names) numbers are converted to float32")
    case .castImages(let dtype): notes.append("images are converted to \(dtype) for it")
    }
    if let size = plan.batchSize {
      notes.append("it takes \(size) images at once; other numbers are served in parts of \(size)")
    }
    if !module.replacedDevices.isEmpty {
      let names = module.replacedDevices.map(quotedForPeople).joined(separator: ", ")
      notes.append("its code names the device \(names); \(device) takes its place")
    }
    if !module.unfixedOperators.isEmpty {
      notes.append(
        """
        it was traced in training mode: \(module.unfixedOperators.joined(separator: ", ")) now follow the \
        network's mode
        """)
    }
    if !slots.contains(where: \.isTrainable) {
      notes.append("its weights are constants of its code (a frozen module): it cannot be trained")
    }
  }

  private static func text(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: "×")
  }
}

extension EngineError {
  /// The step that helps where an archive does not load.
  fileprivate var savingAdvice: String {
    kind == .outOfMemory
      ? "free memory, or take a smaller model" : ScriptedModuleError.damaged
  }
}
