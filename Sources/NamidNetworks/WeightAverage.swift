import NamidTorch

/// An exponential moving average of a network's weights and running statistics.
public final class WeightAverage {
  private let sources: [Tensor]
  private let names: [String]
  private let averages: [Tensor]
  private let decay: Double

  /// An average that starts at the present values.
  ///
  /// - Parameters:
  ///   - store: Holds the values to follow; counters are left out.
  ///   - decay: The weight of the old average at each update, as in `decay · average + (1 − decay) · value`.
  public init(_ store: ParameterStore, decay: Double) {
    let followed = store.entries.filter { $0.tensor.dtype.isFloatingPoint }
    names = followed.map(\.name)
    sources = followed.map(\.tensor)
    averages = withoutGrad { followed.map { $0.tensor.detach().clone() } }
    self.decay = decay
  }

  /// Moves the average towards the present values.
  public func update() {
    withoutGrad { TensorList.lerp_(averages, towards: sources, weight: 1 - decay) }
  }

  /// The averages under the names of the values they follow.
  public var state: [(name: String, tensor: Tensor)] { Array(zip(names, averages)) }

  /// Takes over saved averages.
  public func load(state: [String: Tensor]) throws(StateDictionaryError) {
    try restore(self.state, from: state)
  }

  /// Runs `body` with the averages in place of the values, and puts the values back.
  public func swappedIn<Result>(_ body: () throws -> Result) rethrows -> Result {
    let kept = withoutGrad { sources.map { $0.detach().clone() } }
    withoutGrad { TensorList.copy_(sources, from: averages) }
    defer { withoutGrad { TensorList.copy_(sources, from: kept) } }
    return try body()
  }
}
