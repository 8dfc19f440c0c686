import Foundation
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidData

@Suite(.serialized) struct OwnTensorsTests {
  /// A file with these tensors, and its name for `Datasets.load`.
  func withFile(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:],
    _ body: (String) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "images.safetensors")
      try Weights.write(tensors, metadata: metadata, to: url)
      try body("file:\(url.path)")
    }
  }

  func load(_ name: String) throws -> ImageSet {
    try Datasets.load(name, split: .test, directory: URL(filePath: "/nowhere"))
  }

  let images = Tensor((0..<24).map { UInt8($0 * 10) }, shape: [2, 3, 2, 2])
  let labels = Tensor([2, 0], shape: [2])

  @Test func imagesAreReadChannelsLast() throws {
    try withFile([("images", images), ("labels", labels)]) { name in
      let set = try load(name)
      #expect(set.count == 2 && set.labels == [2, 0] && set.classNames.count == 3)
      #expect((set.channels, set.height, set.width) == (3, 2, 2))
      // The first pixel's red, green and blue are four values apart in the file.
      #expect(Array(set.pixels[0..<6]) == [0, 40, 80, 10, 50, 90])
    }
    try withFile([("images", images), ("labels", labels)], metadata: ["classes": "10"]) { name in
      let set = try load(name)
      #expect(set.classNames.count == 10)
    }
  }

  @Test func whatIsWrongIsSaid() throws {
    func message(_ tensors: [(name: String, tensor: Tensor)], _ metadata: [String: String] = [:])
      throws -> String
    {
      var text = "read"
      try withFile(tensors, metadata: metadata) { name in
        do { _ = try load(name) } catch { text = "\(error)" }
      }
      return text
    }
    #expect(try message([("labels", labels)]).contains("uint8 (N, 1 or 3, H, W)"))
    #expect(
      try message([("images", images.to(.float32)), ("labels", labels)]).contains("uint8"))
    #expect(try message([("images", images)]).contains("int64 (N)"))
    #expect(
      try message([("images", images), ("labels", Tensor([1], shape: [1]))]).contains("int64 (N)"))
    #expect(try message([("images", images), ("labels", labels)], ["classes": "2"]).contains("2"))
    #expect(
      try message([("images", images), ("labels", Tensor([-1, 0], shape: [2]))]).contains("-1"))
    #expect(
      try message([("images", images), ("labels", Tensor([.max, 0], shape: [2]))])
        .contains("the label 9223372036854775807"))
    do {
      _ = try load("file:/nowhere/at/all.safetensors")
      Issue.record("a file that is not there was read")
    } catch {
      #expect("\(error)".contains("/nowhere/at/all.safetensors"))
    }
  }
}
