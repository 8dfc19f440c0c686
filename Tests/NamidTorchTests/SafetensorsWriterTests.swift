import Foundation
import NamidTestSupport
import Testing

@testable import NamidTorch

@Suite("Writing safetensors")
struct SafetensorsWriterTests {
  private typealias Records = [(name: String, record: TensorRecord)]

  private static let good = SafetensorsSample.floats([1, 2], shape: [2])

  private static func bytes(_ count: Int, _ dtype: DType, _ shape: [Int]) -> TensorRecord {
    TensorRecord(dtype: dtype, shape: shape, bytes: Data(repeating: 2, count: count))
  }

  private let bad: [(records: Records, problem: SafetensorsError.Problem)] = [
    ([("a", good), ("b", good), ("a", good)], .duplicateName("a")),
    ([("é", good), ("e\u{301}", good)], .duplicateName("é")),
    ([("__metadata__", good)], .reservedName("__metadata__")),
    (
      [("a", good), ("b", bytes(7, .float32, [2]))],
      .byteCountMismatch(expected: 8, found: 7, shape: [2], dtype: .float32, tensor: "b")
    ),
    (
      [("b", bytes(0, .int64, []))],
      .byteCountMismatch(expected: 8, found: 0, shape: [], dtype: .int64, tensor: "b")
    ),
    ([("b", bytes(4, .float32, [-1]))], .negativeLength([-1], tensor: "b")),
    ([("b", bytes(8, .float32, [-1, -2]))], .negativeLength([-1, -2], tensor: "b")),
    (
      [("b", bytes(4, .float32, [1 << 61, 2]))],
      .shapeOverflow([1 << 61, 2], dtype: .float32, tensor: "b")
    ),
    ([("b", bytes(1, .bool, [1]))], .notBoolean(2, index: 0, tensor: "b")),
  ]

  @Test("refuses what the format cannot hold and leaves the old file as it was")
  func refusals() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try SafetensorsFile.write([("old", Self.good)], to: url)
      let before = try Data(contentsOf: url)
      for (records, problem) in bad {
        let error = #expect(throws: SafetensorsError.self) {
          try SafetensorsFile.write(records, to: url)
        }
        #expect(error?.problem == problem)
        #expect(error?.operation == .writing)
        #expect(error?.file == url.path)
        #expect(error?.description.hasSuffix("Nothing was written.") == true)
      }
      #expect(try Data(contentsOf: url) == before)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.safetensors"])
    }
  }

  @Test("leaves everything as it was where the file system refuses")
  func blockedPath() throws {
    try withTemporaryFolder { folder in
      let occupied = folder.appendingPathComponent("occupied")
      let inside = occupied.appendingPathComponent("kept")
      try FileManager.default.createDirectory(at: occupied, withIntermediateDirectories: true)
      try Data([1]).write(to: inside)
      #expect(throws: (any Error).self) {
        try SafetensorsFile.write([("a", Self.good)], to: occupied)
      }
      #expect(throws: (any Error).self) {
        try SafetensorsFile.write(
          [("a", Self.good)], to: folder.appendingPathComponent("absent/model.safetensors"))
      }
      #expect(try Data(contentsOf: inside) == Data([1]))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["occupied"])
    }
  }

  @Test("a file can be saved over while it is mapped")
  func overItself() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      // Beyond a page, so that reading later would reach what is on the disk by then.
      let values = (0..<10_000).map(Float.init)
      let old = SafetensorsSample.floats(values, shape: [100, 100])
      let new = SafetensorsSample.floats(values.map { -$0 }, shape: [100, 100])
      try SafetensorsFile.write([("w", old)], to: url)
      let mapped = try SafetensorsFile.read(url)
      try SafetensorsFile.write([("w", new)], to: url)
      #expect(mapped["w"] == old)
      #expect(try SafetensorsFile.read(url)["w"] == new)
    }
  }

  @Test("refuses a header beyond the limit of the format, padding included")
  func longHeader() throws {
    // {"__metadata__":{"k":"vvvv"}} has 29 bytes and comes to 32.
    let head = try SafetensorsFile.Plan([], ["k": "vvvv"], longestHeader: 32).head
    #expect(head.count == 8 + 32)
    #expect(throws: SafetensorsError.Problem.headerTooLong(declared: 32, limit: 31)) {
      try SafetensorsFile.Plan([], ["k": "vvvv"], longestHeader: 31)
    }
    #expect(SafetensorsHeader.longest == 100_000_000)
  }

  @Test("strings of every kind of character come back as they were")
  func strings() throws {
    let odd = (0..<0x30).compactMap { Unicode.Scalar($0) }.map { String(Character($0)) }.joined()
    let names = ["", odd, "\"", "\\", "\u{7F}\u{80}\u{2028}", "漢字", "👩‍👩‍👧", "/", "\\u0041"]
    let file = try SafetensorsFile(
      SafetensorsFile.encode(
        names.map { ($0, Self.good) },
        metadata: Dictionary(uniqueKeysWithValues: names.map { ($0, $0 + odd) })))
    #expect(Set(file.names) == Set(names))
    for name in names { #expect(file.metadata[name] == name + odd) }
  }
}
