import Foundation
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidNetworks

/// Checkpoints of the kinds that people publish, made by PyTorch: the network is read off names and shapes, and logits and
/// input gradients are PyTorch's.
@Suite(.serialized) struct PublishedModelTests {
  private static let entries = PublishedFiles.entries(in: "models/")

  @Test func theFilesAreThere() { #expect(Self.entries.count > 30) }

  @Test func anotherKindThanTheOneAskedForIsNamed() throws {
    let file = try PyTorchFile(Golden.url("published/models/resnet18.pt"))
    var options = RecognitionOptions()
    options.architecture = "vgg16"
    let error = #expect(throws: RecognitionError.self) {
      try RecognizedNetwork.recognize(file, options)
    }
    let text = error?.description ?? ""
    #expect(text.contains("resnet18") && text.contains("vgg16"), "\(text)")
  }

  @Test(arguments: entries)
  func logitsAndGradientsArePyTorchs(_ entry: PublishedFiles.Entry) throws {
    var options = RecognitionOptions()
    if let shortcut = entry.shortcut { options.variant.append(("shortcut", shortcut)) }
    if let activation = entry.activation { options.variant.append(("activation", activation)) }
    let file = try PyTorchFile(entry.url, key: entry.key)
    let golden = try SafetensorsFile.read(entry.numbers)
    let pictures = try SafetensorsFile.read(Golden.url("published/images.safetensors"))
    let gradient = try #require(golden.tensor("input_gradient"))
    let side = gradient.size(2)
    options.image = (3, side, side)
    let found = try RecognizedNetwork.recognize(file, options)
    let network = try found.load(from: file)
    var images = try #require(pictures.tensor("images"))
    if side == 64 {
      // Every pixel four times.
      images = images.view([2, 3, 32, 1, 32, 1]).expand([2, 3, 32, 2, 32, 2]).reshape([
        2, 3, 64, 64,
      ])
    }
    images.requiresGrad = true
    let logits = network.logits(images)
    (logits.crossEntropy(Tensor([0, 1], shape: [2])) * 2).backward()
    let first = try #require(images.grad).slice(0..<1)
    let title = "\(found.specification.title)"
    expectClose(logits, try #require(golden.tensor("logits")), rtol: 1e-4, atol: 1e-4, title)
    expectClose(first, gradient, rtol: 1e-4, atol: 1e-4, title)
  }
}

/// The architectures of RobustBench with random weights, where a folder of them is given: a line for each says whether it
/// loads and how far its logits and gradients are from PyTorch's.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["NAMID_ZOO"] != nil))
struct PublishedZooTests {
  struct Entry: Decodable {
    let name: String
    let cls: String
    let files: [String]
    let golden: String
    let mean: [Double]?
    let std: [Double]?
    let stands_for: [String]
  }

  /// The choices of the user that names and shapes do not tell, by the network's name.
  private static let options: [String: @Sendable (inout RecognitionOptions) -> Void] = [
    "wrn-34-20-pang": { $0.variant = [("head", "cosine")] },
    "wrn-28-4-ding": { $0.normalization = .image },
  ]

  @Test func everyEntryIsTried() throws {
    let folder = URL(filePath: ProcessInfo.processInfo.environment["NAMID_ZOO"] ?? "")
    let entries = try JSONDecoder().decode(
      [Entry].self, from: Data(contentsOf: folder.appending(path: "INDEX.json")))
    for entry in entries {
      print(
        "ZOO | \(entry.name) | \(entry.cls) | \(entry.stands_for.joined(separator: " ")) | \(line(entry, folder))"
      )
    }
  }

  private func line(_ entry: Entry, _ folder: URL) -> String {
    do {
      var options = RecognitionOptions()
      if let mean = entry.mean, let std = entry.std {
        options.normalization = .channels(mean: mean, deviation: std)
      }
      Self.options[entry.name]?(&options)
      let url = folder.appending(path: entry.files[0])
      let file: PyTorchFile
      do { file = try PyTorchFile(url) } catch { file = try PyTorchFile(url, key: "last") }
      let found = try RecognizedNetwork.recognize(file, options)
      let network = try found.load(from: file)
      let golden = try SafetensorsFile.read(folder.appending(path: entry.golden))
      let images = try #require(golden.tensor("images"))
      images.requiresGrad = true
      let logits = network.logits(images)
      let count = images.size(0)
      let loss = logits.crossEntropy(Tensor(Array(0..<count), shape: [count])) * Double(count)
      loss.backward()
      let distance = { (a: Tensor, b: Tensor) -> Double in
        (a - b).abs().amax().item() / b.abs().amax().item()
      }
      let (expected, gradient) = (
        try #require(golden.tensor("logits")), try #require(golden.tensor("input_gradient"))
      )
      return
        "\(found.specification.title) | \(distance(logits, expected)) | \(distance(try #require(images.grad), gradient)) | unused \(found.unused.count)"
    } catch {
      return "FAILED \("\(error)".split(separator: "\n").prefix(4).joined(separator: " / "))"
    }
  }
}
