import Foundation
import NamidTestSupport
import Testing

/// A package of somebody else's: compiled with the tests against public declarations alone, and run.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct ExampleTests {
  @Test func ownPartsTrainAndAreMeasured() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let program = try #require(Tool.url).deletingLastPathComponent().appending(path: "OwnParts")
    let (status, output) = try run(program, [folder.path])
    #expect(status == 0, "\(output)")
    let lines = output.split(separator: "\n")
    #expect(lines.count == 4, "\(output)")
    #expect(output.contains("mixed training of tiny-bn (width 4"))
    #expect(output.contains("on 64 images of Stripes"))
    #expect(output.contains("2 steps: loss "))
    #expect(output.contains(", ce ") && output.contains(", ce_adv "))
    #expect(output.contains("clean: right on ") && output.contains("pgd-5: right on "))
    let config = try String(
      contentsOf: folder.appending(path: "run/config.yaml"), encoding: .utf8)
    #expect(config.contains("defense: mixed") && config.contains("mixed:\n  natural: 0.3"))
    // A second run into the same folder is refused as any other.
    let again = try run(program, [folder.path])
    #expect(again.status == 1 && again.output.contains("already holds a run"))
  }

  private func run(
    _ program: URL, _ arguments: [String]
  ) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = program
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
