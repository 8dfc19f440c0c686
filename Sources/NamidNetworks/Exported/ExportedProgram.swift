import Foundation
import NamidFiles
import NamidTorch

/// A network that PyTorch exported as data: `torch.export.save(torch.export.export(model, …), "model.pt2")`.
///
/// The archive is a graph of ATen operators as JSON beside raw weights with a table of their places (schema 8, PyTorch
/// 2.8 and later). The graph is checked whole before anything runs, and only operators of a list run at all. The
/// network computes in float32, whatever real type the export has, and on the device that it is built for.
///
/// ```swift
/// let program = try ExportedProgram(contentsOf: url)
/// let network = try program.network(device: .cpu)
/// ```
public struct ExportedProgram: Sendable {
  /// The sizes of batches that a graph can take.
  public struct BatchSizes: Sendable, Equatable {
    /// The smallest one.
    public let smallest: Int
    /// The largest one; equal to the smallest where the export fixed it.
    public let largest: Int

    /// True where the export fixed the size.
    public var isFixed: Bool { smallest == largest }
    /// True for a size that needs no filling and cutting.
    func contains(_ count: Int) -> Bool { (smallest...largest).contains(count) }
  }

  /// The archive's path.
  public let path: String
  /// The version of PyTorch that wrote it.
  public let torchVersion: String
  /// The network as the shapes of the graph's input and logits give it.
  public let specification: NetworkSpecification
  /// The sizes of batches that the graph takes; others are cut up and filled up.
  public let batch: BatchSizes
  /// True where layers were in training mode in the export, so that the network has both modes.
  ///
  /// The network of an export in evaluation mode behaves as in evaluation always.
  public let hasTrainingMode: Bool
  /// A digest of graph and constants, 64 hexadecimal digits.
  public let digest: String

  let graph: ExportedGraph
  let plan: ProgramPlan
  let batchNorm: NamedOperator
  private let archive: ExportedArchive
  /// Parameters and buffers by their names in the state dictionary.
  private let stored: [String: StoredTensor]
  /// The values that belong to the graph, and not to the state dictionary.
  private let constants: [String: TensorRecord]

  /// The name of the architecture of all exported programs.
  public static let architectureName = "exported"

  /// True for a zip archive of this kind, as far as the names in it tell.
  public static func isExported(_ archive: ZipArchive) -> Bool { ExportedArchive.isOne(archive) }

  /// Reads and checks the graph and the tables of an archive; weights stay where they are.
  ///
  /// - Parameter url: The `.pt2` file.
  /// - Throws: `ExportedProgramError`, `ZipError` or `FileError`.
  public init(contentsOf url: URL) throws {
    try self.init(ZipArchive(url))
  }

  /// Reads and checks the graph and the tables of an open archive.
  ///
  /// - Parameter zip: The archive.
  /// - Throws: `ExportedProgramError`, `ZipError` or `FileError`.
  public init(_ zip: ZipArchive) throws {
    do {
      try self.init(reading: zip)
    } catch let error as ExportedProgramError {
      throw error.of(zip.path)
    }
  }

  private init(reading zip: ZipArchive) throws {
    archive = try ExportedArchive(zip)
    path = zip.path
    let text = try archive.graphText()
    graph = try ExportedGraph(ExportedArchive.parse(text, "the graph"))
    let ends = try GraphEnds(graph)
    batch = ends.batch
    specification = ends.specification
    torchVersion = graph.torchVersion
    plan = try ProgramPlanner.plan(graph, images: ends.images, logits: ends.logits)
    hasTrainingMode = plan.isTrained
    batchNorm = try CallPlanner.find("batch_norm")
    let tables = try TensorTables(graph, archive)
    stored = tables.stored
    var constants: [String: TensorRecord] = [:]
    for (name, tensor) in tables.constants { constants[name] = try tensor.record(of: archive) }
    self.constants = constants
    var hash = SHA256()
    text.withUnsafeBytes { hash.update($0) }
    for (name, record) in constants.sorted(by: { $0.key < $1.key }) {
      Array(name.utf8).withUnsafeBytes { hash.update($0) }
      record.bytes.withUnsafeBytes { hash.update($0) }
    }
    digest = hash.hexDigest()
  }

  // MARK: Networks

  /// The kind of network that this program is; its weights are zeros until a state is loaded.
  ///
  /// A run folder keeps a copy of the archive beside its weights; from the two,
  /// `Network(specification, stream:, architectures: [program.architecture])` makes the network again.
  public var architecture: Architecture {
    Architecture(
      name: Self.architectureName, summary: "a program that PyTorch exported",
      defaultWidth: specification.width, identity: digest,
      problem: { [specification] other in
        other.classCount == specification.classCount && other.channels == specification.channels
          && other.imageHeight == specification.imageHeight
          && other.imageWidth == specification.imageWidth
          ? nil
          : """
          the exported program has \(specification.classCount) classes for images of \
          \(specification.channels)×\(specification.imageHeight)×\(specification.imageWidth)
          """
      },
      build: { ExportedModule(self, at: $1) })
  }

  /// The network with the archive's weights, after a first run of a few grey images that finds out whether it works.
  ///
  /// - Parameters:
  ///   - normalization: A change of images in front of it; nil for none.
  ///   - stream: The stream of its dropouts in training.
  ///   - device: The device that will hold it.
  /// - Returns: The network.
  /// - Throws: `ExportedProgramError`, `ZipError`, `FileError` or `NetworkError`.
  public func network(
    normalization: InputNormalization? = nil, stream: RandomStream = RandomStream(seed: 0),
    device: Device = .cpu
  ) throws -> Network {
    guard normalization == nil || stored["normalize.mean"] == nil else {
      throw ExportedProgramError(
        "it normalises its images itself", advice: "measure it without another normalisation"
      ).of(path)
    }
    var specification = specification
    specification.normalization = normalization
    let network = try Network(
      specification, stream: stream, device: device, architectures: [architecture])
    for (name, tensor) in network.store.state {
      guard let stored = stored[name] else { continue }
      let values = Tensor(try stored.record(of: archive))
      withoutGrad { _ = tensor.copy_(values) }
    }
    try check(network)
    return network
  }

  /// Runs a network of this program on a few grey images.
  ///
  /// - Parameter network: A network that was made with this program's architecture.
  /// - Throws: `ExportedProgramError` where a node fails or the logits have another shape than the file says.
  public func check(_ network: Network) throws {
    guard let module = network.module as? ExportedModule else { return }
    // A number that an export is seldom made with, so that a size that was built in by mistake shows.
    let count = batch.contains(3) ? 3 : batch.smallest
    let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory / 2)
    let logits = try network.evaluating {
      try withMemoryBound(memory) {
        try withoutGrad { () throws -> Tensor in
          let shape = [
            count, specification.channels, specification.imageHeight, specification.imageWidth,
          ]
          let images = Tensor.full(shape, 0.5, device: network.store.device)
          return try module.logits(images.contiguous(.channelsLast), isTrial: true)
        }
      }
    }
    guard logits.shape == [count, specification.classCount] else {
      throw ExportedProgramError(
        """
        its logits for \(count) images have the shape \(logits.shape), not \
        \([count, specification.classCount])
        """, advice: GraphEnds.dynamicBatch
      ).of(path)
    }
  }

  /// The tensor of a value that no node computes, registered if it belongs to the state.
  func register(_ source: ExportedGraph.Source, at path: Path) -> Tensor? {
    switch source {
    case .parameter(let name):
      return stored[name].map { path.tensor(name, $0.shape, .float32, isTrainable: true) }
    case .buffer(let name, true):
      return stored[name].map {
        path.tensor(name, $0.shape, CallPlanner.served($0.dtype), isTrainable: false)
      }
    case .buffer(let name, false), .constant(let name):
      return constants[name].map { record in
        let values = Tensor(record)
        return values.to(CallPlanner.served(record.dtype)).to(path.store.device)
      }
    case .images, .number: return nil
    }
  }
}

/// The rows of the tables that a graph needs.
private struct TensorTables {
  var stored: [String: StoredTensor] = [:]
  var constants: [String: StoredTensor] = [:]

  init(_ graph: ExportedGraph, _ archive: ExportedArchive) throws {
    let weights = try archive.table("weights")
    let others = try archive.table("constants")
    var total = 0
    for (_, source) in graph.sources {
      let (name, isState): (String, Bool)
      switch source {
      case .parameter(let own): (name, isState) = (own, true)
      case .buffer(let own, let isPersistent): (name, isState) = (own, isPersistent)
      case .constant(let own): (name, isState) = (own, false)
      case .images, .number: continue
      }
      let tensor: StoredTensor
      if let row = weights[name] {
        tensor = try StoredTensor(name, row, in: "data/weights/", of: archive)
      } else if let row = others[name] {
        tensor = try StoredTensor(name, row, in: "data/constants/", of: archive)
      } else {
        throw ExportedProgramError("the tensor \(quotedForPeople(name)) is in no table")
      }
      let (sum, overflow) = total.addingReportingOverflow(tensor.byteCount)
      guard !overflow, sum / 4 <= archive.byteCount + (64 << 20) else {
        throw ExportedProgramError("its tensors are more than four times as large as the file")
      }
      total = sum
      guard stored[name] == nil, constants[name] == nil else {
        throw ExportedProgramError("it has two tensors \(quotedForPeople(name))")
      }
      if isState { stored[name] = tensor } else { constants[name] = tensor }
    }
  }
}
