import Foundation
import NamidFiles
import NamidNetworks
import NamidTorch

/// The files of a run folder besides its checkpoints.
enum RunFiles {
  static func configuration(in run: URL) throws -> URL {
    let file = run.appending(path: RunFolder.configurationFile)
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw RunError.notARun(run.path)
    }
    return file
  }

  /// The archive of a run whose network is a program; nil for other runs.
  static func program(in run: URL) -> URL? {
    let file = run.appending(path: RunFolder.programFile)
    return FileKind(of: file) == .file ? file : nil
  }

  /// The kinds of network that a run may be of, the program in an archive among them.
  static func architectures(
    _ program: URL?, _ specification: NetworkSpecification, _ device: Device, _ catalog: Catalog
  ) throws -> [Architecture] {
    guard let program else { return catalog.architectures }
    var options = ModelFile.Options()
    options.recognition.image = (
      specification.channels, specification.imageHeight, specification.imageWidth
    )
    let file = try ModelFile(program, options, device: device, catalog: catalog)
    return catalog.architectures + [file.architecture].compactMap(\.self)
  }

  static func specification<Specification: Codable>(
    of _: Specification.Type, in run: URL
  ) throws -> Specification {
    let file = run.appending(path: RunFolder.specificationFile)
    do {
      let tree = try JSONValue(parsing: readFile(at: file, limit: 1 << 20))
      return try tree.decode(Specification.self, unknownKeys: .refused)
    } catch {
      throw RunError.unreadable(file.path, reason: "\(error)")
    }
  }
}

/// A folder that is not the run it should be.
public enum RunError: Error, CustomStringConvertible, Sendable {
  /// The folder holds no run.
  case notARun(String)
  /// One of its files cannot be read.
  case unreadable(String, reason: String)
  /// Estimators to be trained without a network to read.
  case noTarget
  /// A network to start from that is not of the kind to be trained.
  case initialDoesNotFit(String, reason: String)
  /// Training that ends before a part of it begins: the part, and its first epoch.
  case neverBegins(String, epoch: Int, epochs: Int)
  /// Images that the network cannot classify.
  case imagesDoNotFit(String)
  /// Estimators that do not fit the network or the data.
  case estimatorsDoNotFit(String, reason: String)

  /// A sentence on the fault and its remedy.
  public var description: String {
    switch self {
    case .notARun(let path):
      "\(path) is not a run's folder: it has no \(RunFolder.configurationFile); name a folder that training has made"
    case .imagesDoNotFit(let reason):
      "the data set does not fit the network: \(reason); choose the one it was trained on, or one like it"
    case .initialDoesNotFit(let path, let reason):
      "the network in \(path) cannot be started from: \(reason); the kind of network must be the same"
    case .neverBegins(let part, let epoch, let epochs):
      "\(part) begins in epoch \(epoch), and training ends after \(epochs): train longer, or shorten the warm-up"
    case .noTarget: "no network given: name the run folder of a trained one"
    case .unreadable(let path, let reason):
      "\(path) cannot be read: \(reason). Restore it, or train the run anew"
    case .estimatorsDoNotFit(let path, let reason):
      "the estimators in \(path) do not fit: \(reason); train some for this network and these images"
    }
  }
}
