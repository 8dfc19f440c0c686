import Foundation
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTorch

/// A network in a file that was made elsewhere, in any of the formats that are read.
public struct ModelFile {
  /// The format of a file, as its first bytes tell.
  public enum Format: String, Sendable {
    /// Named tensors by Hugging Face's format.
    case safetensors
    /// `torch.save`.
    case pyTorch = "torch.save"
  }

  /// Choices of the user for what a file leaves open.
  public struct Options: Sendable {
    /// The place of the weights among a checkpoint's values; nil finds it.
    public var key: String?
    /// What names and shapes do not tell.
    public var recognition = RecognitionOptions()

    /// No choices.
    public init() {}
  }

  /// The file.
  public let url: URL
  /// Its format.
  public let format: Format
  /// The network and the file's names of its tensors.
  public let recognized: RecognizedNetwork
  /// The place of the weights among the file's values; empty for the outermost.
  public let key: String
  private let source: any TensorSource
  private let catalog: Catalog

  /// Reads the names and shapes of a file and finds the network that they belong to.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - options: Choices for what it leaves open.
  ///   - catalog: The kinds of network that are known.
  /// - Throws: An error that names the file, the fault and the remedy.
  public init(_ url: URL, _ options: Options = Options(), catalog: Catalog = .standard) throws {
    self.url = url
    self.catalog = catalog
    let file = try RandomAccessFile(url)
    format = try Self.format(of: file)
    switch format {
    case .pyTorch:
      let content = try PyTorchFile(url, key: options.key)
      (source, key) = (content, content.key)
    case .safetensors: (source, key) = (try SafetensorsFile.read(url), "")
    }
    do {
      recognized = try RecognizedNetwork.recognize(
        source, among: catalog.architectures, options.recognition)
    } catch let error as RecognitionError {
      throw CheckpointError.doesNotFit(url.path, reason: error.description)
    }
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
    var copy = recognized
    change(&copy.specification)
    return try copy.load(from: source, device: device, architectures: catalog.architectures)
  }

  private static func format(of file: RandomAccessFile) throws -> Format {
    let start = try file.read(0..<min(file.count, 9))
    if try ZipArchive.isZip(file) || start.first == 0x80 { return .pyTorch }
    return .safetensors
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
  public func alternatives(on dataset: String) -> [Alternative] {
    var found: [Alternative] = []
    let own = recognized.specification
    if own.normalization == nil, let usual = InputNormalization.usual(for: dataset) {
      var other = own
      other.normalization = usual
      found.append(Alternative(option: "--normalize \(dataset)", specification: other))
    } else if own.normalization != nil {
      var other = own
      other.normalization = nil
      found.append(Alternative(option: "--normalize none", specification: other))
    }
    if own.architecture.hasPrefix("preactresnet"), own.design?.naming ?? .cifar == .cifar {
      var other = own
      var design = own.design ?? .preActResNet18(width: own.width)
      design.shortcut = design.shortcut == .raw ? .activated : .raw
      (other.architecture, other.design) = (Architecture.preActResNet.name, design)
      found.append(
        Alternative(
          option: "--variant shortcut=\(design.shortcut.rawValue)", specification: other))
    }
    return found
  }
}
