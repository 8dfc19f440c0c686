import NamidData
import NamidTestSupport
import NamidTraining
import Testing

@testable import NamidCommands

/// The first look at a network from a file.
@Suite(.serialized) struct ModelCheckTests {
  /// Gray images of ten classes under the name of a set whose usual normalisation is tried.
  private let set = ImageSet(
    name: "cifar10", title: "Gray", split: .test, height: 32, width: 32, channels: 3,
    classNames: (0..<10).map { "class \($0)" },
    pixels: [UInt8](repeating: 128, count: 20 * 3 * 32 * 32), labels: (0..<20).map { $0 % 10 },
    layout: "memory")

  /// One of them normalises its images itself and takes no other normalisation.
  @Test(arguments: ["models/resnet18.pt", "exported/resnet.pt2", "scripted/traced.pt"])
  func everyFormatHasOne(_ name: String) throws {
    let saved = try SavedNetwork(opening: Golden.url("published/\(name)"))
    var lines: [String] = []
    try ModelCheck(saved, on: set)?.say { lines.append($0) }
    let first = lines.first ?? ""
    #expect(first.contains("right on") && first.contains("of 20 images"), "\(lines)")
    // Twenty images say nothing about chance.
    #expect(!lines.contains { $0.contains("hardly better than chance") })
  }
}
