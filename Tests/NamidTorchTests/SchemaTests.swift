import Foundation
import NamidTorch
import Testing

@Suite(.serialized) struct SchemaTests {
  /// The version of torch that `Schemas.txt` was written with.
  let version = "2.13"

  /// The checked-in schemas by operator name.
  func list() throws -> [Substring: Substring] {
    let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Schemas.txt")
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    return Dictionary(lines.map { ($0.prefix { $0 != "(" }, $0) }) { first, _ in first }
  }

  @Test(arguments: Operator.allCases) func exists(_ op: Operator) {
    #expect(op.schema != nil, "this libtorch has no \(op.rawValue)")
  }

  @Test func schemasAreTheListedOnes() throws {
    let list = try list()
    let loaded = TorchEnvironment.read()
    let actual = loaded.loadedVersion ?? loaded.compiledVersion
    if !actual.hasPrefix("\(version).") {
      print("skipped: torch \(actual) is loaded, and the list is that of \(version)")
      return
    }
    for op in Operator.allCases {
      guard let schema = op.schema else { continue }
      let listed = list[Substring(op.rawValue)]
      #expect(listed.map(String.init) == schema, "Schemas.txt should have the line \(schema)")
    }
    let known = Set(Operator.allCases.map(\.rawValue))
    #expect(list.keys.filter { !known.contains(String($0)) } == [], "listed, but not called")
  }

  @Test func versionsAreNumbers() throws {
    let environment = TorchEnvironment.read()
    let parts = environment.compiledVersion.split(separator: ".")
    #expect(parts.count >= 3 && parts[0] == "2")
    if let loaded = environment.loadedVersion {
      #expect(loaded.split(separator: ".").prefix(2) == parts.prefix(2))
    }
    #expect(environment.threads >= 1)
    #expect(!environment.cpuCapability.isEmpty)
  }
}
