import NamidTorch

/// All parameters and buffers of a network, in the order and under the names of PyTorch's `state_dict`.
///
/// Layers register what they own while they are built, each under its `Path`. The training flag lives here, so
/// that a whole network changes mode in one assignment.
public final class ParameterStore {
  /// A registered tensor.
  public struct Entry {
    /// The `state_dict` key.
    public let name: String
    /// The tensor; its values change in place, the object stays.
    public let tensor: Tensor
    /// True where an optimizer changes it; false for buffers such as running statistics.
    public let isTrainable: Bool
  }

  /// Everything registered, in construction order.
  public private(set) var entries: [Entry] = []
  /// True where layers behave as in training (batch statistics), false as in evaluation (running statistics).
  public var isTraining = false
  /// The weight of a batch in the running statistics of batch normalisation, in training: 0 leaves them alone,
  /// nil is each layer's own.
  public var statisticsMomentum: Double?
  /// The device that holds the tensors.
  public let device: Device

  /// Present while the store is frozen.
  private(set) var foldedWeights: FoldedWeights?
  /// The stream of initial values and of what layers draw.
  let stream: RandomStream
  /// False where only the shapes of a network are wanted.
  let hasValues: Bool

  /// An empty store.
  ///
  /// - Parameters:
  ///   - stream: Initial values are drawn from it, keyed by each parameter's name.
  ///   - device: The device that will hold the tensors.
  public init(stream: RandomStream, device: Device = .cpu) {
    self.stream = stream
    self.device = device
    hasValues = true
  }

  /// A store whose tensors have shapes and next to no memory.
  private init() {
    stream = RandomStream(seed: 0)
    device = .cpu
    hasValues = false
  }

  /// The number of values in all trainable tensors of a network that is not made.
  ///
  /// - Parameter build: Registers the network's layers.
  /// - Returns: The value that `parameterCount` would have.
  public static func parameterCount(of build: (Path) -> Void) -> Int {
    let store = ParameterStore()
    build(store.root)
    return store.parameterCount
  }

  /// The names and shapes of a network that is not made, in the order in which it registers them.
  ///
  /// - Parameter build: Registers the network's layers.
  /// - Returns: The names, shapes and kinds that `entries` would have.
  static func layout(
    of build: (Path) -> Void
  ) -> [(name: String, shape: [Int], isTrainable: Bool)] {
    let store = ParameterStore()
    build(store.root)
    return store.entries.map { ($0.name, $0.tensor.shape, $0.isTrainable) }
  }

  /// The path of top-level names.
  public var root: Path { Path(store: self, prefix: "") }

  /// The tensors that an optimizer changes.
  public var parameters: [Tensor] { entries.filter(\.isTrainable).map(\.tensor) }

  /// The number of values in all trainable tensors.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// Lets gradients reach the parameters, or keeps them away (for a frozen network).
  public func setRequiresGrad(_ value: Bool) {
    for parameter in parameters { parameter.requiresGrad = value }
  }

  /// Runs `body` in evaluation mode, with layers free to compute an equal function of fixed weights faster.
  ///
  /// The weights must not change meanwhile, and no gradient reaches them.
  public func frozen<Result>(_ body: () throws -> Result) rethrows -> Result {
    let (mode, outer) = (isTraining, foldedWeights)
    isTraining = false
    foldedWeights = outer ?? FoldedWeights(on: device)
    defer { (isTraining, foldedWeights) = (mode, outer) }
    return try body()
  }

  /// Forgets the gradients of all parameters.
  public func zeroGrad() {
    for parameter in parameters { parameter.grad = nil }
  }

  func register(_ name: String, shape: [Int], initial: Initializer, isTrainable: Bool) -> Tensor {
    precondition(
      !entries.contains { $0.name == name }, "two parameters are called \(name)")
    let tensor: Tensor
    if hasValues {
      // Autocast keeps the bfloat16 copy of a parameter within a scope unless it is a view, as initial values may be.
      tensor = initial.tensor(shape: shape, stream: stream.keyed(name)).to(device).clone(
        shape.count == 4 ? .channelsLast : .contiguous)
      tensor.requiresGrad = isTrainable
    } else {
      tensor = Tensor.zeros([]).expand(shape)
    }
    entries.append(Entry(name: name, tensor: tensor, isTrainable: isTrainable))
    return tensor
  }

  /// Registers a tensor that exists already, and that its owner goes on using: it stays the same object.
  func adopt(_ tensor: Tensor, as name: String, isTrainable: Bool) {
    precondition(
      !entries.contains { $0.name == name }, "two parameters are called \(name)")
    tensor.requiresGrad = isTrainable
    entries.append(Entry(name: name, tensor: tensor, isTrainable: isTrainable))
  }
}

/// A name within a store: `path / "layer1" / 0 / "conv1"` is `layer1.0.conv1`.
public struct Path {
  /// The store that owns what is registered here.
  public let store: ParameterStore
  let prefix: String

  /// A name below a path.
  public static func / (path: Path, component: some CustomStringConvertible) -> Path {
    Path(
      store: path.store,
      prefix: path.prefix.isEmpty ? component.description : "\(path.prefix).\(component)")
  }

  /// Registers a trainable tensor.
  public func parameter(_ name: String, _ shape: [Int], _ initial: Initializer) -> Tensor {
    store.register((self / name).prefix, shape: shape, initial: initial, isTrainable: true)
  }

  /// Registers a tensor of zeros of any element type under a whole name.
  func tensor(_ name: String, _ shape: [Int], _ dtype: DType, isTrainable: Bool) -> Tensor {
    store.register(
      (self / name).prefix, shape: shape, initial: .zeros(dtype), isTrainable: isTrainable)
  }

  /// Registers a tensor that exists already, and that its owner goes on using.
  func adopt(_ tensor: Tensor, as name: String, isTrainable: Bool) {
    store.adopt(tensor, as: (self / name).prefix, isTrainable: isTrainable)
  }

  /// Registers a tensor that is saved but not trained.
  public func buffer(_ name: String, _ shape: [Int], _ initial: Initializer) -> Tensor {
    store.register((self / name).prefix, shape: shape, initial: initial, isTrainable: false)
  }
}

/// A part of a network: a function of one tensor.
public protocol Module {
  /// The output for an input.
  func callAsFunction(_ input: Tensor) -> Tensor
}

/// Modules applied one after another.
public struct Sequential: Module {
  private let modules: [any Module]

  /// A chain of modules.
  public init(_ modules: [any Module]) {
    self.modules = modules
  }

  /// The last module's output.
  public func callAsFunction(_ input: Tensor) -> Tensor {
    modules.reduce(input) { $1($0) }
  }
}
