import Foundation
import Testing
@testable import NamidTorch

@Suite("Safetensors and Python")
struct SafetensorsPythonTests {
  // Written by `safetensors.torch.save` 0.8.0 from the tensors below.
  private static let frozen = """
    GAMAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdFx0w6kifSwibmV0Lmk2NCI6eyJkdHlwZSI6Ikk2NC
    IsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMCw4XX0sIm5ldC5mNjQiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6
    WzFdLCJkYXRhX29mZnNldHMiOls4LDE2XX0sImEgXCJxXCJcXFxuXHUwMDAxw6kiOnsiZHR5cGUiOiJGMzIiLCJzaG
    FwZSI6WzFdLCJkYXRhX29mZnNldHMiOlsxNiwyMF19LCJuZXQuZW1wdHkiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6
    WzAsM10sImRhdGFfb2Zmc2V0cyI6WzIwLDIwXX0sIm5ldC5mMzIiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzEsM1
    0sImRhdGFfb2Zmc2V0cyI6WzIwLDMyXX0sIm5ldC5pMzIiOnsiZHR5cGUiOiJJMzIiLCJzaGFwZSI6WzIsMV0sImRh
    dGFfb2Zmc2V0cyI6WzMyLDQwXX0sIm5ldC5iZjE2Ijp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbMV0sImRhdGFfb2
    Zmc2V0cyI6WzQwLDQyXX0sIm5ldC5mMTYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMi
    Ols0Miw0NF19LCJuZXQuaTE2Ijp7ImR0eXBlIjoiSTE2Iiwic2hhcGUiOlsxXSwiZGF0YV9vZmZzZXRzIjpbNDQsND
    ZdfSwibmV0Lmk4Ijp7ImR0eXBlIjoiSTgiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls0Niw0OF19LCJuZXQu
    dTgiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbMSwyXSwiZGF0YV9vZmZzZXRzIjpbNDgsNTBdfSwibmV0LmJvb2wiOn
    siZHR5cGUiOiJCT09MIiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbNTAsNTNdfX0gICAgICAHAAAAAAAAAJqZ
    mZmZmbk/AACAP83MzD0AAAC/5rFhfwEAAAD+////IMAAPv7/gH8A/wEAAQ==
    """

  static var file: Data? {
    Data(base64Encoded: frozen, options: .ignoreUnknownCharacters)
  }

  private static func record(_ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) -> TensorRecord {
    TensorRecord(dtype: dtype, shape: shape, bytes: Data(bytes))
  }

  private let metadata = ["format": "pt\té"]
  private let records: [(name: String, record: TensorRecord)] = [
    ("net.bool", record(.bool, [3], [1, 0, 1])),
    ("net.u8", record(.uint8, [1, 2], [0, 255])),
    ("net.i8", record(.int8, [2], [0x80, 0x7F])),
    ("net.i16", record(.int16, [1], [0xFE, 0xFF])),  // -2
    ("net.i32", record(.int32, [2, 1], [1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF])),  // 1, -2
    ("net.i64", record(.int64, [], [7, 0, 0, 0, 0, 0, 0, 0])),
    ("net.f16", record(.float16, [1], [0x00, 0x3E])),  // 1.5
    ("net.bf16", record(.bfloat16, [1], [0x20, 0xC0])),  // -2.5
    ("net.f32", SafetensorsSample.floats([0.1, -0.5, 3e38], shape: [1, 3])),
    ("net.f64", record(.float64, [1], [0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F])),  // 0.1
    ("net.empty", record(.float32, [0, 3], [])),
    ("a \"q\"\\\n\u{1}é", SafetensorsSample.floats([1], shape: [1])),
  ]

  @Test("a file that Python wrote is read")
  func readsPython() throws {
    let file = try SafetensorsFile(#require(Self.file))
    #expect(file.metadata == metadata)
    #expect(Set(file.names) == Set(records.map(\.name)))
    for (name, record) in records { #expect(file[name] == record) }
  }

  @Test("the same tensors give the same bytes as in Python, so Python reads them")
  func writesLikePython() throws {
    #expect(try SafetensorsFile.encode(records, metadata: metadata) == Self.file)
    #expect(try SafetensorsFile.encode(records.reversed(), metadata: metadata) == Self.file)
  }
}
