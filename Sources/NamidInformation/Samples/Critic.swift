import NamidNetworks
import NamidTorch

/// A trainable function of pairs.
public protocol Critic: AnyObject {
  /// The weights.
  var store: ParameterStore { get }
  /// Computes scores (N, M) of all pairs of x (N, dx) and z (M, dz).
  func scores(_ x: Tensor, _ z: Tensor) -> Tensor
}

/// The form of a critic of pairs.
public enum CriticKind: String, CaseIterable, Codable, Sendable {
  /// One network on x and z side by side: the most able one, N² evaluations.
  case joint
  /// The scalar product of a network of x and a network of z, as in Deep InfoMax: 2 N evaluations.
  case separable

  /// Creates a freshly initialised critic.
  func make(x: Int, z: Int, hidden: [Int], stream: RandomStream) -> any Critic {
    switch self {
    case .joint: JointCritic(x: x, z: z, hidden: hidden, stream: stream)
    case .separable: SeparableCritic(x: x, z: z, hidden: hidden, stream: stream)
    }
  }
}

/// Creates a chain of linear layers with ReLU in between.
private func perceptron(_ sizes: [Int], at path: Path) -> Sequential {
  var modules: [any Module] = []
  for place in 1..<sizes.count {
    if place > 1 { modules.append(ReLU()) }
    modules.append(Linear(sizes[place - 1], sizes[place], at: path / place))
  }
  return Sequential(modules)
}

/// A multilayer perceptron on x and z side by side.
///
/// Its first layer is linear, so it is computed for x and z apart and added up for the pairs.
final class JointCritic: Critic {
  let store: ParameterStore
  private let ofX: Linear
  private let ofZ: Linear
  private let rest: Sequential

  init(x: Int, z: Int, hidden: [Int], stream: RandomStream) {
    store = ParameterStore(stream: stream)
    let first = hidden.first ?? 1
    ofX = Linear(x, first, at: store.root / "x")
    ofZ = Linear(z, first, bias: false, at: store.root / "z")
    rest = Sequential([ReLU(), perceptron(hidden + [1], at: store.root / "rest")])
  }

  func scores(_ x: Tensor, _ z: Tensor) -> Tensor {
    rest(ofX(x).unsqueeze(1) + ofZ(z).unsqueeze(0)).squeeze(2)
  }
}

/// The scalar product of two multilayer perceptrons' outputs.
final class SeparableCritic: Critic {
  let store: ParameterStore
  private let ofX: Sequential
  private let ofZ: Sequential

  init(x: Int, z: Int, hidden: [Int], stream: RandomStream) {
    store = ParameterStore(stream: stream)
    ofX = perceptron([x] + hidden, at: store.root / "x")
    ofZ = perceptron([z] + hidden, at: store.root / "z")
  }

  func scores(_ x: Tensor, _ z: Tensor) -> Tensor { ofX(x).matmul(ofZ(z).transpose(0, 1)) }
}

/// A Gaussian q(z | x) with independent coordinates whose mean and variance a network gives; scores are log q plus a
/// constant.
final class ConditionalGaussian: Critic {
  let store: ParameterStore
  private let network: Sequential
  private let dimensions: Int

  init(x: Int, z: Int, hidden: [Int], stream: RandomStream) {
    store = ParameterStore(stream: stream)
    dimensions = z
    network = perceptron([x] + hidden + [2 * z], at: store.root)
  }

  func scores(_ x: Tensor, _ z: Tensor) -> Tensor {
    let output = network(x)
    let mean = output.slice(0..<dimensions, dim: 1)
    // Bounded so that a wrong start cannot overflow; e^±8 covers any standardised data.
    let logVariance = output.slice(dimensions..<(2 * dimensions), dim: 1).clamp(min: -8, max: 8)
    let distances =
      (z.unsqueeze(0) - mean.unsqueeze(1)).square() * (-logVariance).exp().unsqueeze(1)
    let constant = logVariance.sum([1], keepdim: true)
    return (distances.sum([2]) + constant) * -0.5
  }
}
