import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

/// Files that PyTorch has saved, against the same tensors in safetensors, and hostile ones.
@Suite(.serialized) struct PyTorchFileTests {
  private static let readable = PublishedFiles.entries(in: "formats/").filter {
    $0.expect.hasPrefix("tensors") && !$0.file.contains("newer-types")
  }
  private static let unreadable = PublishedFiles.entries(in: "formats/").filter {
    $0.expect == "refused"
  }
  /// Everything that is hostile but to the readers of programs.
  private static let hostile = PublishedFiles.entries(in: "hostile/").filter {
    $0.file.hasSuffix(".pt") && !$0.file.contains("script")
  }

  private func key(_ entry: PublishedFiles.Entry) -> String? {
    entry.file.contains("several") ? "state_dict" : entry.key
  }

  /// Reads every tensor of a file.
  private func read(_ url: URL, key: String? = nil) throws -> [String: TensorRecord] {
    let file = try PyTorchFile(url, key: key)
    var records: [String: TensorRecord] = [:]
    for name in file.names { records[name] = try file.tensor(name)?.record }
    return records
  }

  @Test func theFilesAreThere() {
    #expect(Self.readable.count > 25 && Self.unreadable.count > 8 && Self.hostile.count > 80)
  }

  @Test(arguments: readable) func everyFormatIsRead(_ entry: PublishedFiles.Entry) throws {
    let records = try read(entry.url, key: key(entry))
    let expected = try SafetensorsFile.read(entry.numbers)
    #expect(Set(records.keys) == Set(expected.names))
    for tensor in expected.names { #expect(records[tensor] == expected[tensor], "\(tensor)") }
  }

  @Test(arguments: unreadable) func otherValuesAreRefused(_ entry: PublishedFiles.Entry) {
    let error = #expect(throws: PyTorchFileError.self) { try read(entry.url) }
    let text = error?.description ?? ""
    #expect(text.contains(entry.url.lastPathComponent))
    if entry.file.contains("module") { #expect(text.contains("model.state_dict()")) }
  }

  /// One line, and nothing is run: the calls in these files would make a file in the working folder.
  @Test(arguments: hostile) func hostileFilesAreRefused(_ entry: PublishedFiles.Entry) throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: ".")
    do {
      _ = try read(entry.url)
      #expect(entry.expect.contains("tensor"), "\(entry.shows)")
    } catch {
      #expect(entry.expect.contains("refused"), "\(error)")
      #expect(!"\(error)".isEmpty && !"\(error)".contains("\n"), "\(error)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: ".") == before)
  }

  @Test func theKindOfAnUnreadableTensorIsNamed() {
    for (name, word) in [("complex", "complex"), ("quantized", "qtensor"), ("sparse", "sparse")] {
      let error = #expect(throws: PyTorchFileError.self) {
        try read(Golden.url("published/formats/\(name).pt"))
      }
      let text = (error?.description ?? "").lowercased()
      #expect(text.contains(word))
    }
  }

  @Test func writtenFilesAreRead() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "x.pt")
      let state: [(name: String, tensor: Tensor)] = [
        (
          "conv.weight",
          Tensor((0..<24).map(Float.init), shape: [2, 3, 2, 2]).contiguous(.channelsLast)
        ),
        ("count", Tensor.zeros([], dtype: .int64)), ("empty", Tensor.zeros([0, 3])),
        ("half", Tensor([1.5, -2] as [Float], shape: [2]).to(.bfloat16)),
        ("large", Tensor.zeros([300, 300])),
      ]
      try PyTorchFile.write(state, to: url)
      let file = try PyTorchFile(url)
      #expect(file.names == state.map(\.name))
      for (name, tensor) in state { #expect(try file.tensor(name)?.record == tensor.record) }
    }
  }

  @Test func severalSetsOfWeightsAreListed() throws {
    let url = Golden.url("published/formats/several.pt")
    let error = #expect(throws: PyTorchFileError.self) { try PyTorchFile(url) }
    let text = error?.description ?? ""
    for word in ["--key", "state_dict", "ema", "model"] { #expect(text.contains(word), "\(text)") }
    #expect(try PyTorchFile(url, key: "ema").key == "ema")
    let wrong = #expect(throws: PyTorchFileError.self) { try PyTorchFile(url, key: "nothing") }
    let hint = wrong?.description ?? ""
    #expect(hint.contains("ema"))
  }

  /// Every byte of some files changed in turn: an error or tensors, never a trap.
  @Test(arguments: ["ordered", "legacy-protocol2", "numpy-weights"])
  func noByteTraps(_ name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: Golden.url("published/formats/\(name).pt")))
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "x.pt")
      for at in bytes.indices {
        var bad = bytes
        bad[at] ^= at.isMultiple(of: 2) ? 0xFF : 0x41
        try Data(bad).write(to: url)
        guard let file = try? PyTorchFile(url) else { continue }
        for tensor in file.names { _ = try? file.tensor(tensor) }
      }
      for end in stride(from: 0, to: bytes.count, by: 7) {
        try Data(bytes[..<end]).write(to: url)
        #expect(throws: (any Error).self) {
          let file = try PyTorchFile(url)
          for tensor in file.names { _ = try file.tensor(tensor) }
        }
      }
    }
  }
}
