import Foundation
import NamidFiles
import NamidTorch

/// A network that cannot be built as asked.
public enum NetworkError: Error, CustomStringConvertible, Sendable {
  /// The name belongs to no architecture.
  case unknownArchitecture(String, known: [String])
  /// The architecture cannot be built with these settings.
  case unsuitable(NetworkSpecification, reason: String)

  /// A sentence for people: the mistake and a valid alternative.
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
  /// The description of the network.
  public let specification: NetworkSpecification
  /// Its weights and running statistics.
  public let store: ParameterStore
  private let normalization: Normalization?
  let module: any Module
  /// The digest of the architecture, where it comes from a file.
  private let identity: String?

  /// A freshly initialised network.
  ///
  /// - Throws: `NetworkError` for an unknown architecture or settings it cannot have.
  public init(
    _ specification: NetworkSpecification, stream: RandomStream, device: Device = .cpu,
    architectures: [Architecture] = Architecture.all
  ) throws(NetworkError) {
    let known = architectures + Architecture.families
    guard let kind = known.first(where: { $0.name == specification.architecture }) else {
      throw .unknownArchitecture(
        specification.architecture, known: architectures.map(\.name))
    }
    if let reason = kind.problem(specification)
      ?? Self.memoryProblem(specification, kind)
    {
      throw .unsuitable(specification, reason: reason)
    }
    self.specification = specification
    let store = ParameterStore(stream: stream, device: device)
    self.store = store
    normalization = specification.normalization.map {
      Normalization($0, channels: specification.channels, at: store.root / "normalize")
    }
    identity = kind.identity
    module = kind.build(specification, store.root)
  }

  /// The number of classes.
  public var classCount: Int { specification.classCount }

  /// True where layers behave as in training.
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
    let input = images.contiguous(.channelsLast)
    return module(normalization?(input) ?? input).to(.float32)
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
  /// Explains why the weights alone do not fit into this machine's memory; nil where they do.
  private static func memoryProblem(
    _ specification: NetworkSpecification, _ kind: Architecture
  ) -> String? {
    let count = ParameterStore.parameterCount { _ = kind.build(specification, $0) }
    let bytes = 4 * Double(count)
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    return bytes < memory
      ? nil
      : """
      its width is \(specification.width) and its images have \(specification.imageHeight)×\(specification.imageWidth) \
      pixels; the weights alone take about \(Int(bytes / 1e9)) GB, and this machine has \(Int(memory / 1e9))
      """
  }

  /// A digest of names and values of all weights and buffers, and of whatever else decides the function: 16
  /// hexadecimal digits.
  public var fingerprint: String {
    var hash = SHA256()
    for text in [identity, functionText].compactMap(\.self) {
      Array(text.utf8).withUnsafeBytes { hash.update($0) }
    }
    for (name, tensor) in store.state {
      Array(name.utf8).withUnsafeBytes { hash.update($0) }
      tensor.record.bytes.withUnsafeBytes { hash.update($0) }
    }
    return String(hash.hexDigest().prefix(16))
  }

  /// The part of the specification that changes the function and no weight, as text; nil for a usual network.
  private var functionText: String? {
    var parts: [String] = []
    if let design = specification.design { parts.append("\(design)") }
    if specification.normalization == .image { parts.append("each image normalised") }
    return parts.isEmpty ? nil : parts.joined(separator: " ")
  }
}
