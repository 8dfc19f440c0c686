import Foundation
import NamidFiles
import NamidTorch

/// A TorchScript archive (`torch.jit.save` of a traced or scripted model) that was checked, tried and can be made into
/// networks.
///
/// A network of it is white-box and like any other: its parameters and buffers are in the `ParameterStore` under
/// PyTorch's names and are the very tensors that the module computes with, so weights can be trained, saved and
/// fingerprinted. The interpreter neither profiles nor fuses, so that every call computes the same.
public struct ScriptedModule: Sendable {
  /// The name of the kind of network that every module is.
  public static let architectureName = "torchscript"
  /// A network of this module: its classes and the size of its images.
  public let specification: NetworkSpecification
  /// Sentences for people on what was found and done.
  public let notes: [String]
  /// The only number of images that the module takes at once; any number is served in parts of this size.
  public var batchSize: Int? { plan.batchSize }
  /// The names of all operators in its code.
  public let operators: [String]
  /// Names and shapes of parameters and buffers, in PyTorch's order.
  let slots: [(name: String, shape: [Int], isTrainable: Bool)]
  private let archive: [UInt8]
  /// A digest of the archive: code and constants decide the function, too.
  private let digest: String
  private let plan: ScriptedPlan

  /// True for a zip archive that holds TorchScript.
  public static func isScripted(_ archive: ZipArchive) -> Bool {
    ScriptedArchive.isScripted(archive)
  }

  /// Checks, loads and tries an archive.
  ///
  /// - Parameters:
  ///   - zip: The archive.
  ///   - imageShape: Channels, height and width of its images; without them those with which it was traced are taken,
  ///     else 3×32×32.
  ///   - output: The place of the logits in an output of several matrices, such as `1` or `aux.0`.
  ///   - device: The device on which it is tried.
  /// - Throws: `ScriptedModuleError` in one line; `ZipError` or `FileError` where the file cannot be read.
  public init(
    _ zip: ZipArchive, imageShape: [Int]? = nil, output: String? = nil, device: Device = .cpu
  ) throws {
    do {
      let checked = try ScriptedArchive(zip, isOperator: Self.isOperator)
      let bytes = try checked.repacked()
      let trial = try ScriptedTrial(
        bytes, traced: checked.tracedShapes.first, imageShape: imageShape, output: output,
        device: device)
      archive = bytes
      digest = SHA256.hexDigest(of: Data(bytes))
      plan = trial.plan
      specification = trial.specification
      operators = trial.operators
      slots = trial.slots
      let places = checked.locations.subtracting(["cpu"]).sorted()
      let moved =
        places.isEmpty
        ? [] : ["it was saved on \(places.joined(separator: ", ")) and is loaded on \(device)"]
      notes = moved + trial.notes
    } catch let error as ScriptedModuleError {
      throw error.of(zip.path)
    }
  }

  /// A network with weights of its own.
  ///
  /// - Parameters:
  ///   - normalization: A change of images in front of it; nil for none.
  ///   - device: The device that holds it.
  /// - Returns: The network, in evaluation mode.
  /// - Throws: `NetworkError` where its weights do not fit into memory or it normalises its images itself.
  public func network(
    normalization: InputNormalization? = nil, device: Device = .cpu
  ) throws(NetworkError) -> Network {
    var specification = specification
    specification.normalization = normalization
    return try Network(
      specification, stream: RandomStream(seed: 0), device: device, architectures: [architecture])
  }

  /// The kind of network that this archive holds.
  public var architecture: Architecture {
    Architecture(
      name: specification.architecture, summary: "a TorchScript module from a file",
      defaultWidth: 1, identity: digest, problem: problem, build: build)
  }

  private func problem(_ other: NetworkSpecification) -> String? {
    if other.normalization != nil, slots.contains(where: { $0.name == "normalize.mean" }) {
      return "it normalises its images itself; measure it without another normalisation"
    }
    var plain = other
    plain.normalization = nil
    return plain == specification
      ? nil
      : """
      the file holds a network of \(specification.classCount) classes for \
      \(specification.channels)×\(specification.imageHeight)×\(specification.imageWidth) images
      """
  }

  private func build(_ specification: NetworkSpecification, at path: Path) -> any Module {
    guard path.store.hasValues else {
      for slot in slots where slot.isTrainable {
        _ = path.parameter(slot.name, slot.shape, .constant(0))
      }
      return ScriptedShapes()
    }
    let module = archive.withUnsafeBytes {
      ScriptModule(
        triedBefore: $0, device: path.store.device, float32: plan.precision.convertsWeights)
    }
    return ScriptedNetwork(module, plan, at: path)
  }

  /// The base names of libtorch's operators.
  private static let operatorNames = Set(
    ScriptModule.knownOperators.map { name in
      name.range(of: "::").map { String(name[$0.upperBound...]) } ?? name
    })

  private static func isOperator(_ name: String) -> Bool { operatorNames.contains(name) }
}
