import NeuralNetworks
import Records
import Torch

/// What a network is, apart from its weights.
public struct NetworkSpecification: Codable, Hashable, Sendable {
  /// A name in `Architecture.all`.
  public var architecture: String
  /// Base width: channels of the first stage.
  public var width: Int
  /// Zero padding of the first convolution; the authors' code has 0, others 1.
  public var firstConvolutionPadding: Int
  /// The number of classes.
  public var classCount: Int
  /// Channels of the images.
  public var channels: Int
  /// Height of the images in pixels.
  public var imageHeight: Int
  /// Width of the images in pixels.
  public var imageWidth: Int

  /// A network for images of a given kind.
  public init(
    architecture: String, width: Int = 64, firstConvolutionPadding: Int = 1, classCount: Int = 10,
    channels: Int = 3, imageHeight: Int = 32, imageWidth: Int = 32
  ) {
    self.architecture = architecture
    self.width = width
    self.firstConvolutionPadding = firstConvolutionPadding
    self.classCount = classCount
    self.channels = channels
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
  }
}

/// A kind of network that can be built by name.
public struct Architecture: Sendable {
  /// The name on the command line and in files.
  public let name: String
  /// One line that says what it is.
  public let summary: String
  /// Why a specification cannot be built, or nil.
  public let problem: @Sendable (NetworkSpecification) -> String?
  /// Builds the network under a path.
  public let build: @Sendable (NetworkSpecification, Path) -> any Module

  /// A kind of network.
  public init(
    name: String, summary: String,
    problem: @escaping @Sendable (NetworkSpecification) -> String? = { _ in nil },
    build: @escaping @Sendable (NetworkSpecification, Path) -> any Module
  ) {
    self.name = name
    self.summary = summary
    self.problem = problem
    self.build = build
  }

  /// All kinds that come with this library.
  public static let all: [Architecture] = [.resNet18, .smallCNN]
}

/// A network that cannot be built as asked.
public enum NetworkError: Error, CustomStringConvertible, Sendable {
  /// No architecture has that name.
  case unknownArchitecture(String, known: [String])
  /// The architecture cannot be built with these settings.
  case unsuitable(NetworkSpecification, reason: String)

  /// What is wrong and what would be right.
  public var description: String {
    switch self {
    case .unknownArchitecture(let name, let known):
      "there is no network \"\(name)\"; known are \(known.joined(separator: ", "))"
    case .unsuitable(let specification, let reason):
      "the network \(specification.architecture) cannot be built: \(reason)"
    }
  }
}

/// A classifier with its weights.
public final class Network: Classifier {
  /// What it is.
  public let specification: NetworkSpecification
  /// Its weights and running statistics.
  public let store: ParameterStore
  private let module: any Module

  /// A freshly initialised network.
  ///
  /// - Throws: `NetworkError` for an unknown architecture or settings it cannot have.
  public init(
    _ specification: NetworkSpecification, stream: RandomStream, device: Device = .cpu,
    architectures: [Architecture] = Architecture.all
  ) throws(NetworkError) {
    guard let kind = architectures.first(where: { $0.name == specification.architecture }) else {
      throw .unknownArchitecture(
        specification.architecture, known: architectures.map(\.name))
    }
    if specification.width < 1 {
      throw .unsuitable(specification, reason: "its width is \(specification.width)")
    }
    if let reason = kind.problem(specification) {
      throw .unsuitable(specification, reason: reason)
    }
    self.specification = specification
    store = ParameterStore(stream: stream, device: device)
    module = kind.build(specification, store.root)
  }

  /// The number of classes.
  public var classCount: Int { specification.classCount }

  /// Whether layers behave as in training.
  public var isTraining: Bool {
    get { store.isTraining }
    set { store.isTraining = newValue }
  }

  /// Runs `body` in evaluation mode, with batch normalisation folded into convolutions.
  public func frozen<Result>(_ body: () throws -> Result) rethrows -> Result {
    try store.frozen(body)
  }

  /// The logits (N, classes) in float32.
  public func logits(_ images: Tensor) -> Tensor {
    module(images.contiguous(.channelsLast)).to(.float32)
  }

  /// The logits, with another weight of this batch in the running statistics: 0 leaves them alone.
  public func logits(_ images: Tensor, statisticsMomentum: Double?) -> Tensor {
    let kept = store.statisticsMomentum
    store.statisticsMomentum = statisticsMomentum
    defer { store.statisticsMomentum = kept }
    return logits(images)
  }
}

extension Network {
  /// A digest of names and values of all weights and buffers, 16 hexadecimal digits.
  public var fingerprint: String {
    var hash = SHA256()
    for (name, tensor) in store.state {
      Array(name.utf8).withUnsafeBytes { hash.update($0) }
      tensor.record.bytes.withUnsafeBytes { hash.update($0) }
    }
    return String(hash.hexDigest().prefix(16))
  }
}
