import Foundation
import NamidTestSupport
import Testing

@testable import NamidTorch

@Suite("Messages about safetensors")
struct SafetensorsMessageTests {
  private func message(_ data: Data) -> String? {
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(data, named: "w.safetensors") }?
      .description
  }

  private func header(
    _ dtype: String, _ shape: String, _ offsets: String, name: String = "conv1.weight"
  ) -> String {
    "{\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
  }

  @Test("name the file, the tensor, what was expected, what was found and what to do")
  func wording() {
    #expect(
      message(SafetensorsSample.file(header: header("F32", "[2, 3]", "[0,20]"), dataCount: 20))
        == "cannot read w.safetensors: tensor \"conv1.weight\": expected 24 bytes for shape [2, 3] "
        + "of F32, found 20. The file is damaged or no safetensors file; fetch or export it again.")
    #expect(
      message(SafetensorsSample.file(header: header("F8_E4M3", "[1]", "[0,1]"), dataCount: 1))
        == "cannot read w.safetensors: tensor \"conv1.weight\": expected a dtype of BOOL, U8, I8, "
        + "I16, F16, BF16, I32, F32, F64, I64, found \"F8_E4M3\". "
        + "Convert the tensor to a supported dtype where the file was made.")
    #expect(
      message(SafetensorsSample.file(header: header("F32", "[-1]", "[0,4]"), dataCount: 4))
        == "cannot read w.safetensors: tensor \"conv1.weight\": expected a whole number from 0 to "
        + "9223372036854775807 for shape[0], found -1, which is negative. "
        + "The file is damaged or no safetensors file; fetch or export it again.")
  }

  @Test("escape control characters in names, and cut long names and shapes")
  func hostileNames() throws {
    let hostile = try #require(
      message(SafetensorsSample.file(header: header("F32", "[1]", "[0,0]", name: #"\u001b[2J"#))))
    #expect(!hostile.unicodeScalars.contains("\u{1B}"))
    #expect(hostile.contains(#""\u{1B}[2J""#))
    let twice = try #require(
      message(SafetensorsSample.file(header: #"{"\u001b[2J":1,"\u001b[2J":1}"#)))
    #expect(!twice.unicodeScalars.contains("\u{1B}") && twice.contains("occurs twice"))

    let name = String(repeating: "n", count: 5000)
    let shape = "[" + Array(repeating: "1", count: 5000).joined(separator: ",") + "]"
    let long = try #require(
      message(SafetensorsSample.file(header: header("F32", shape, "[0,0]", name: name))))
    #expect(long.count < 400)
    #expect(long.contains("nnn…\""))
    #expect(long.contains("1, 1, …]"))
  }

  @Test("say for a missing file, a folder and an empty file what is wrong")
  func unreadable() throws {
    try withTemporaryFolder { folder in
      let absent = folder.appendingPathComponent("absent.safetensors")
      for url in [absent, folder] {
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile.read(url) }
        guard case .unreadable = error?.problem else {
          Issue.record("expected an unreadable file, found \(String(describing: error))")
          return
        }
        #expect(error?.file == url.path)
        #expect(error?.description.hasSuffix("Check the path and its permissions.") == true)
      }
      try Data().write(to: absent)
      let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile.read(absent) }
      #expect(error?.problem == .shorterThanLengthField(byteCount: 0))
    }
  }
}
