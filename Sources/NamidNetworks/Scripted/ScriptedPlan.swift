import NamidTorch

/// The way in which a TorchScript module is called so that it gives the logits of any number of images.
struct ScriptedPlan: Sendable {
  /// The conversions that were found to be needed.
  enum Precision: Sendable, Equatable {
    /// The module takes float32 images as it is.
    case asSaved
    /// Weights and constants become float32.
    case float32
    /// The images become what the module's weights are.
    case castImages(DType)

    /// True where the module is loaded with float32 weights.
    var convertsWeights: Bool { self == .float32 }
  }

  /// Types of numbers.
  var precision = Precision.asSaved
  /// The only number of images that the module takes; nil where it takes any.
  var batchSize: Int?
  /// The index of the logits among the tensors of the output.
  var output = 0

  /// The images as the module takes them.
  ///
  /// They are a copy, because the module may change its input, and contiguous, because the views of a trace are those
  /// of contiguous tensors.
  func input(_ images: Tensor) -> Tensor {
    let copy = images.clone(.contiguous)
    return if case .castImages(let dtype) = precision { copy.to(dtype) } else { copy }
  }

  /// Calls the module once, or with parts of its own batch size, the last of which is filled up with its last image.
  func logits(_ images: Tensor, _ call: (Tensor) -> Tensor) -> Tensor {
    guard let batchSize, images.size(0) != batchSize else { return call(input(images)) }
    let count = images.size(0)
    guard count > 0 else { return call(input(Self.filled(images, to: batchSize))).slice(0..<0) }
    let parts = stride(from: 0, to: count, by: batchSize).map { start in
      let part = images.slice(start..<min(start + batchSize, count))
      return call(input(Self.filled(part, to: batchSize)))
    }
    return Tensor.cat(parts).slice(0..<count)
  }

  private static func filled(_ images: Tensor, to count: Int) -> Tensor {
    let missing = count - images.size(0)
    guard missing > 0 else { return images }
    let shape = [missing] + images.shape.dropFirst()
    let filling =
      images.size(0) == 0
      ? Tensor.zeros(shape, device: images.device)
      : images.slice(images.size(0) - 1..<images.size(0)).detach().expand(shape)
    return Tensor.cat([images, filling])
  }
}

/// A TorchScript module as a network: it owns the module, whose tensors are those of the store.
final class ScriptedNetwork: Module {
  private let module: ScriptModule
  private let plan: ScriptedPlan
  private let store: ParameterStore
  private var isTraining: Bool?

  /// Registers the module's parameters and buffers under their names.
  init(_ module: ScriptModule, _ plan: ScriptedPlan, at path: Path) {
    (self.module, self.plan, store) = (module, plan, path.store)
    for slot in module.slots {
      path.adopt(
        slot.tensor, as: slot.name,
        isTrainable: slot.isParameter && slot.tensor.dtype.isFloatingPoint)
    }
  }

  /// The logits (N, classes) in the mode of the store.
  func callAsFunction(_ input: Tensor) -> Tensor {
    if isTraining != store.isTraining {
      module.setTraining(store.isTraining)
      isTraining = store.isTraining
    }
    return plan.logits(input) { module.output(plan.output, of: $0) }
  }
}

/// The stand-in for a network of which only the shapes are wanted.
struct ScriptedShapes: Module {
  func callAsFunction(_ input: Tensor) -> Tensor { input }
}
