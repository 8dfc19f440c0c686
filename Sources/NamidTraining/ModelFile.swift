import Foundation
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTorch

/// A network in a file that was made elsewhere, in any of the formats that are read.
public struct ModelFile {
  /// The format of a file, as its content tells.
  public enum Format: String, Sendable {
    /// Named tensors by Hugging Face's format.
    case safetensors
    /// `torch.save`.
    case pyTorch = "torch.save"
    /// `torch.export.save`: a graph of operators with weights.
    case exported = "torch.export"
    /// `torch.jit.save`: code in a small language with weights.
    case scripted = "TorchScript"
  }

  /// Choices of the user for what a file leaves open.
  public struct Options: Sendable {
    /// The place of the weights among a checkpoint's values; nil finds it.
    public var key: String?
    /// Choices for what names and shapes leave open.
    public var recognition = RecognitionOptions()

    /// No choices.
    public init() {}
  }

  private enum Content {
    case weights(any TensorSource, RecognizedNetwork)
    case exported(ExportedProgram)
    case scripted(ScriptedModule)
  }

  /// The file.
  public let url: URL
  /// Its format.
  public let format: Format
  /// The place of the weights among the file's values; empty for the outermost.
  public let key: String
  /// The network.
  public let specification: NetworkSpecification
  /// Sentences on what was found and assumed.
  public let notes: [String]
  /// The names of tensors that the network does not use.
  public let unused: [String]
  private let content: Content
  private let catalog: Catalog

  /// Reads a file and finds the network in it.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - options: Choices for what it leaves open.
  ///   - device: The device on which a TorchScript archive is tried.
  ///   - catalog: The kinds of network that are known.
  /// - Throws: An error that names the file, the fault and the remedy.
  public init(
    _ url: URL, _ options: Options = Options(), device: Device = .cpu,
    catalog: Catalog = .standard
  ) throws {
    self.url = url
    self.catalog = catalog
    let file = try RandomAccessFile(url)
    format = try Self.format(of: file)
    let image = options.recognition.image
    var (key, unused): (String, [String]) = ("", [])
    switch format {
    case .exported:
      let program = try ExportedProgram(ZipArchive(file))
      content = .exported(program)
      notes =
        program.batch.isFixed
        ? ["it was exported for batches of \(program.batch.largest); others are padded or cut up"]
        : []
      specification = program.specification.normalized(options.recognition.normalization)
    case .scripted:
      let module = try ScriptedModule(
        ZipArchive(file), imageShape: image.map { [$0.channels, $0.height, $0.width] },
        device: device)
      content = .scripted(module)
      notes = module.notes
      specification = module.specification.normalized(options.recognition.normalization)
    case .pyTorch, .safetensors:
      let source: any TensorSource
      if format == .pyTorch {
        let file = try PyTorchFile(url, key: options.key)
        (source, key) = (file, file.key)
      } else {
        source = try SafetensorsFile.read(url)
      }
      do {
        let found = try RecognizedNetwork.recognize(
          source, among: catalog.architectures, options.recognition)
        content = .weights(source, found)
        (specification, notes, unused) = (found.specification, found.notes, found.unused)
      } catch let error as RecognitionError {
        throw CheckpointError.doesNotFit(url.path, reason: error.description)
      }
    }
    (self.key, self.unused) = (key, unused)
  }

  /// Builds the network with the file's weights.
  ///
  /// - Parameters:
  ///   - device: The device of the network.
  ///   - change: A change of the specification that keeps names and shapes, such as another normalisation.
  /// - Returns: The network, in evaluation mode.
  /// - Throws: An error where tensors are damaged.
  public func network(
    on device: Device = .cpu, _ change: (inout NetworkSpecification) -> Void = { _ in }
  ) throws -> Network {
    var wanted = specification
    change(&wanted)
    switch content {
    case .weights(let source, var found):
      found.specification = wanted
      return try found.load(from: source, device: device, architectures: catalog.architectures)
    case .exported(let program):
      return try program.network(normalization: wanted.normalization, device: device)
    case .scripted(let module):
      return try module.network(normalization: wanted.normalization, device: device)
    }
  }

  /// The kind of network that the file itself is; nil for weights alone, whose kind is known by name.
  public var architecture: Architecture? {
    switch content {
    case .weights: nil
    case .exported(let program): program.architecture
    case .scripted(let module): module.architecture
    }
  }

  private static func format(of file: RandomAccessFile) throws -> Format {
    if try ZipArchive.isZip(file) {
      let archive = try ZipArchive(file)
      if ExportedProgram.isExported(archive) { return .exported }
      return ScriptedModule.isScripted(archive) ? .scripted : .pyTorch
    }
    let start = try file.read(0..<min(file.count, 9))
    // The ninth byte of safetensors opens the header.
    return start.count == 9 && start[8] == UInt8(ascii: "{") && start[0] != 0x80
      ? .safetensors : looksLikePickle(start) ? .pyTorch : .safetensors
  }

  private static func looksLikePickle(_ start: [UInt8]) -> Bool {
    start.first == 0x80 && (start.dropFirst().first ?? 9) <= 5
  }
}

extension NetworkSpecification {
  /// A copy whose images are normalised first, if they are to be.
  fileprivate func normalized(_ normalization: InputNormalization?) -> NetworkSpecification {
    var copy = self
    copy.normalization = normalization
    return copy
  }
}

extension ModelFile {
  /// Another reading of the same weights, with the option that asks for it.
  public struct Alternative: Sendable {
    /// The option on the command line.
    public let option: String
    /// The other network.
    public let specification: NetworkSpecification
  }

  /// The readings that names and shapes cannot tell from the one that was taken.
  ///
  /// - Parameter dataset: The name of the data set, which tells usual means and deviations.
  /// - Returns: The readings, each with its option.
  public func alternatives(on dataset: String) -> [Alternative] {
    var found: [Alternative] = []
    let usual = InputNormalization.usual(for: dataset)
    var other = specification
    if specification.normalization == nil, let usual {
      other.normalization = usual
      found.append(Alternative(option: "--normalize \(dataset)", specification: other))
    } else if specification.normalization != nil {
      other.normalization = nil
      found.append(Alternative(option: "--normalize none", specification: other))
    }
    if specification.architecture.hasPrefix("preactresnet"),
      specification.design?.naming ?? .cifar == .cifar
    {
      var other = specification
      var design = specification.design ?? .preActResNet18(width: specification.width)
      design.shortcut = design.shortcut == .raw ? .activated : .raw
      (other.architecture, other.design) = (Architecture.preActResNet.name, design)
      found.append(
        Alternative(
          option: "--variant shortcut=\(design.shortcut.rawValue)", specification: other))
    }
    return found
  }
}
