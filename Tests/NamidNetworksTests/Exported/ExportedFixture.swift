import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidNetworks

/// The programs that `Tests/Golden/make-exported-programs.py` exported, and altered copies of them.
enum ExportedFixture {
  /// All with logits and gradients in evaluation mode.
  static let names = [
    "resnet", "resnet-fixed", "resnet-double", "resnet-core", "resnet-train",
    "resnet-train-functional", "dropout-train", "vit", "vit-core", "convnext", "mixed",
    "mixed-core", "tuple", "dictionary", "changed-view-functional",
  ]

  static func url(_ name: String) -> URL { file("exported-\(name).pt2") }

  static func network(_ name: String) throws -> Network {
    try ExportedProgram(contentsOf: url(name)).network()
  }

  /// PyTorch's numbers for a program.
  static func numbers(_ name: String) throws -> [String: Tensor] {
    try Weights.read(file("exported-\(name).safetensors"))
  }

  private static func file(_ name: String) -> URL {
    Golden.root.appending(path: "Tests/Golden/exported").appending(path: name)
  }

  /// Opens a copy with changed entries; `edit` gives the new bytes, or nil to leave an entry out.
  static func opening(
    _ name: String, edit: (_ entry: String, _ bytes: [UInt8]) throws -> [UInt8]?
  ) throws -> ExportedProgram {
    try withTemporaryFolder { folder in
      let copy = folder.appending(path: "model.pt2")
      let archive = try ZipArchive(url(name))
      try AtomicFile.write(to: copy) { file in
        var writer = ZipWriter(file)
        for entry in archive.entries {
          guard let bytes = try edit(entry.name, archive.content(of: entry)) else { continue }
          try writer.add(entry.name, bytes)
        }
        try writer.finish()
      }
      let program = try ExportedProgram(contentsOf: copy)
      _ = try program.network()
      return program
    }
  }

  /// Opens a copy whose graph or tables have other text in some places.
  static func replacing(
    _ name: String, in entry: String = "models/model.json", _ pairs: [(String, String)]
  ) throws -> ExportedProgram {
    try opening(name) { path, bytes in
      guard path.hasSuffix(entry) else { return bytes }
      return Array(
        pairs.reduce(String(decoding: bytes, as: UTF8.self)) { text, pair in
          text.replacing(pair.0, with: pair.1)
        }.utf8)
    }
  }

  /// The message with which a copy with other text is refused; nil where it is not.
  static func refusal(
    _ name: String, in entry: String = "models/model.json", _ pairs: (String, String)...
  ) -> String? {
    message { _ = try replacing(name, in: entry, pairs) }
  }
}

/// Records a failure unless logits and input gradients of a network agree with PyTorch's to four digits of the largest
/// number.
func expectPyTorch(
  _ network: Network, _ numbers: [String: Tensor], _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let images = try #require(numbers["images"])
  let direction = try #require(numbers["direction"])
  images.requiresGrad = true
  let logits = network.logits(images)
  let gradient = grad(of: (logits * direction).sum(), wrt: images)
  for (actual, key) in [(logits.detach(), "logits"), (gradient, "input_gradient")] {
    let expected = try #require(numbers[key])
    let largest = min(expected.abs().max().item(), 1)
    expectClose(
      actual, expected, rtol: 0, atol: 1e-4 * largest, "\(name) \(key)",
      sourceLocation: sourceLocation)
  }
}
