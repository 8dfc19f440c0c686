import Foundation

/// What is known about a data set without reading its images.
public struct DatasetInfo: Sendable, CustomStringConvertible {
  /// The name for command lines.
  public let name: String
  /// The name for people.
  public let title: String
  /// Where the set comes from.
  public let origin: String
  /// The terms of use.
  public let licence: String
  /// How many images each split has; empty where that is not known.
  public let expectedCounts: [Split: Int]
  /// Where the set lies; nil where it was not found.
  public let location: DatasetLocation?

  init(of source: any DatasetSource, in directory: URL) {
    name = source.name
    title = source.title
    origin = source.origin
    licence = source.licence
    expectedCounts = source.expectedCounts
    location = source.locate(in: directory)
  }

  /// One line for each thing that is known.
  public var description: String {
    let counts = Split.allCases.compactMap { split in
      expectedCounts[split].map { "\($0) \(split.rawValue)" }
    }
    let place = location.map { "\($0.folder.path) (\($0.layout))" } ?? "not found"
    return [
      "\(name): \(title)",
      "  images   " + (counts.isEmpty ? "as many as there are" : counts.joined(separator: ", ")),
      "  origin   \(origin)",
      "  licence  \(licence)",
      "  here     \(place)",
    ].joined(separator: "\n")
  }
}
