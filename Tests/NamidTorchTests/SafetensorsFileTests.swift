import Foundation
import NamidTestSupport
import Testing

@testable import NamidTorch

/// Files made by hand for the tests of safetensors.
enum SafetensorsSample {
  /// A header behind its length, then bytes 0, 1, 2, … as tensor data.
  static func file(header: String, dataCount: Int = 0) -> Data {
    file(header: Array(header.utf8), dataCount: dataCount)
  }

  static func file(header: [UInt8], dataCount: Int = 0) -> Data {
    var data = length(UInt64(header.count))
    data.append(contentsOf: header)
    data.append(contentsOf: (0..<dataCount).map { UInt8(truncatingIfNeeded: $0) })
    return data
  }

  static func length(_ count: UInt64) -> Data {
    Data((0..<8).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) })
  }

  static func floats(_ values: [Float], shape: [Int]) -> TensorRecord {
    let bytes = values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }
    }
    return TensorRecord(dtype: .float32, shape: shape, bytes: Data(bytes))
  }
}

@Suite("Safetensors files")
struct SafetensorsFileTests {
  private let records: [(name: String, record: TensorRecord)] = [
    ("fc.bias", SafetensorsSample.floats([1, -2], shape: [2])),
    ("bn.num_batches_tracked", TensorRecord(dtype: .int64, shape: [], bytes: Data(1...8))),
    ("mask", TensorRecord(dtype: .bool, shape: [3], bytes: Data([1, 0, 1]))),
    ("conv.weight", SafetensorsSample.floats((0..<6).map(Float.init), shape: [1, 2, 3])),
    ("nothing", TensorRecord(dtype: .float64, shape: [4, 0], bytes: Data())),
    ("half", TensorRecord(dtype: .bfloat16, shape: [1], bytes: Data([0x80, 0x3F]))),
  ]

  @Test("what was written is read back, in the order of the data")
  func roundTrip() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("model.safetensors")
      try SafetensorsFile.write(records, metadata: ["format": "pt", "ε": "8/255\n"], to: url)
      let file = try SafetensorsFile.read(url)
      #expect(file.metadata == ["format": "pt", "ε": "8/255\n"])
      #expect(
        file.names
          == ["bn.num_batches_tracked", "nothing", "conv.weight", "fc.bias", "half", "mask"])
      for (name, record) in records {
        #expect(file[name] == record)
        #expect(file[name]?.bytes.startIndex == 0)
        #expect(file.layout(of: name)?.dtype == record.dtype)
        #expect(file.layout(of: name)?.shape == record.shape)
      }
      #expect(file["conv"] == nil)
      #expect(file.layout(of: "conv") == nil)
    }
  }

  @Test("every dtype survives under the format's name for it", arguments: DType.allCases)
  func dtypes(dtype: DType) throws {
    let record = TensorRecord(
      dtype: dtype, shape: [2, 1], bytes: Data(repeating: 1, count: 2 * dtype.byteCount))
    let file = try SafetensorsFile(SafetensorsFile.encode([("x", record)]))
    #expect(file["x"] == record)
  }

  @Test("a file is byte for byte what the format prescribes")
  func goldenBytes() throws {
    // Two spaces bring the header to 144 bytes, a multiple of 8.
    let header =
      #"{"__metadata__":{"a":"1","b":"\"2\""},"z":{"dtype":"F32","shape":[1],"#
      + #""data_offsets":[0,4]},"a":{"dtype":"U8","shape":[],"data_offsets":[4,5]}}  "#
    #expect(header.utf8.count == 144)
    var expected = SafetensorsSample.length(UInt64(header.utf8.count))
    expected.append(contentsOf: header.utf8)
    expected.append(contentsOf: [0x00, 0x00, 0x80, 0x3F, 0x2A])

    let encoded = try SafetensorsFile.encode(
      [
        ("a", TensorRecord(dtype: .uint8, shape: [], bytes: Data([42]))),
        ("z", SafetensorsSample.floats([1], shape: [1])),
      ],
      metadata: ["b": "\"2\"", "a": "1"])
    #expect(encoded == expected)
  }

  @Test("equal sizes go in the official order of dtypes, equal dtypes by the bytes of their names")
  func order() throws {
    let one = { (dtype: DType) in
      TensorRecord(dtype: dtype, shape: [1], bytes: Data(repeating: 0, count: dtype.byteCount))
    }
    // U+FF5E sorts before U+1F600 by UTF-8 bytes and after it by UTF-16 units.
    let names = ["\u{1F600}", "b", "\u{FF5E}", "a"]
    let file = try SafetensorsFile(
      SafetensorsFile.encode(
        names.map { ($0, one(.float32)) } + DType.allCases.map { ("t\($0.rawValue)", one($0)) }))
    #expect(
      file.names == [
        "t4", "t7", "a", "b", "t6", "\u{FF5E}", "\u{1F600}", "t3", "t15", "t5", "t2", "t1", "t0",
        "t11",
      ])
  }

  @Test("a file without tensors is legal, with and without metadata")
  func empty() throws {
    let bare = try SafetensorsFile.encode([])
    #expect(bare == SafetensorsSample.file(header: "{}      "))
    #expect(try SafetensorsFile(bare).names.isEmpty)
    let annotated = try SafetensorsFile(SafetensorsFile.encode([], metadata: ["k": "v"]))
    #expect(annotated.names.isEmpty)
    #expect(annotated.metadata == ["k": "v"])
  }

  @Test("keys and strings may be escaped, spaced and in any order")
  func lenientForms() throws {
    let header =
      "{ \"x\\u0041\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\\\\\"\" :\t{\"data_offsets\" :[ 2 , 3 ],"
      + "\r\n\"shape\":[],\"dtype\":\"\\u00558\"}, \"e\":{\"dtype\":\"F32\",\"shape\":[0],"
      + "\"data_offsets\":[2,2]},\"y\":{\"dtype\":\"I16\",\"shape\":[1,1,1],"
      + "\"data_offsets\":[0,2]} ,\"__metadata__\":{ } } \n"
    let file = try SafetensorsFile(SafetensorsSample.file(header: header, dataCount: 3))
    let odd = "xA\u{1F600}/\u{8}\u{C}\n\r\t\\\""
    #expect(file.names == ["y", "e", odd])
    #expect(file["y"] == TensorRecord(dtype: .int16, shape: [1, 1, 1], bytes: Data([0, 1])))
    #expect(file["e"] == TensorRecord(dtype: .float32, shape: [0], bytes: Data()))
    #expect(file[odd] == TensorRecord(dtype: .uint8, shape: [], bytes: Data([2])))
    #expect(file.metadata.isEmpty)
  }

  @Test("a slice of a larger buffer is read as a file of its own")
  func slices() throws {
    let encoded = try SafetensorsFile.encode(records)
    let buffer = Data([9, 9, 9]) + encoded
    let file = try SafetensorsFile(buffer.dropFirst(3))
    #expect(file["conv.weight"] == records[3].record)
    let record = TensorRecord(
      dtype: .bool, shape: [2], bytes: Data([7, 7, 0, 1, 7]).dropFirst(2).dropLast())
    #expect(try SafetensorsFile(SafetensorsFile.encode([("m", record)]))["m"] == record)
  }
}
