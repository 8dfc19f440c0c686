import Foundation
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidNetworks

/// Large programs that are not kept here: `NAME.pt2` with `NAME.safetensors` as
/// `Tests/Golden/make-exported-programs.py` writes them, in the folder that `NAMID_EXPORTED_ZOO` names.
@Suite(.serialized) struct ExportedZooTests {
  private static let files: [URL] = {
    guard let path = ProcessInfo.processInfo.environment["NAMID_EXPORTED_ZOO"] else { return [] }
    let content = try? FileManager.default.contentsOfDirectory(
      at: URL(filePath: path), includingPropertiesForKeys: nil)
    return (content ?? []).filter { $0.pathExtension == "pt2" }.sorted { $0.path < $1.path }
  }()

  @Test(.enabled("needs NAMID_EXPORTED_ZOO") { !files.isEmpty }, arguments: files)
  func logitsAndInputGradients(_ url: URL) throws {
    let numbers = try Weights.read(
      url.deletingPathExtension().appendingPathExtension("safetensors"))
    let network = try ExportedProgram(contentsOf: url).network()
    try network.frozen { try expectPyTorch(network, numbers, url.lastPathComponent) }
  }
}
