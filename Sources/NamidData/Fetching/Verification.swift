import Foundation
import NamidTerminal

/// The findings of a check of a data set's files.
public struct Verification: Sendable, CustomStringConvertible {
  /// A split that could be read.
  public struct Part: Sendable, Equatable {
    /// The split.
    public let split: Split
    /// The number of its images.
    public let count: Int
    /// The fingerprint of its images.
    public let fingerprint: String
    /// The number of files that were passed over.
    public let ignoredFiles: Int
  }

  /// The set's name for people.
  public let title: String
  /// The folder of the set.
  public let location: DatasetLocation
  /// The splits that could be read.
  public internal(set) var parts: [Part] = []
  /// The reasons for which splits could not be used; empty when all is well.
  public internal(set) var problems: [String] = []
  /// The differences from the published files.
  public internal(set) var differences: [String] = []
  /// True where there are published checksums to compare with.
  public let hasPublishedFiles: Bool

  /// True where every split can be read and has the right number of images.
  public var isUsable: Bool { problems.isEmpty && !parts.isEmpty }
  /// True where the files are, byte for byte, what the makers published.
  public var isOfficial: Bool { isUsable && hasPublishedFiles && differences.isEmpty }

  /// One line for each split, problem and difference, and a verdict.
  public var description: String {
    var lines = ["\(title) in \(location)"]
    for part in parts {
      let passedOver =
        part.ignoredFiles == 0 ? "" : ", \(part.ignoredFiles) other files passed over"
      lines.append(
        "  \(part.split.rawValue): \(part.count) images, fingerprint \(part.fingerprint)\(passedOver)"
      )
    }
    lines += problems.map { "  problem: \($0)" }
    lines += differences.map { "  differs: \($0)" }
    if !isUsable {
      lines.append("  not usable as it is")
    } else if !hasPublishedFiles, differences.isEmpty {
      lines.append("  usable; there are no published checksums for this layout")
    } else if isOfficial {
      lines.append("  usable, and the published content")
    } else {
      lines.append("  usable, but not the published files: say so beside every figure")
    }
    return lines.joined(separator: "\n")
  }
}

extension DatasetSource {
  /// Reads every split and compares the files with the published ones.
  ///
  /// - Parameters:
  ///   - directory: The data directory, or the set's own folder.
  ///   - say: Takes one line of news at a time.
  /// - Returns: The findings.
  /// - Throws: `DatasetError.missing` when the set is not there.
  public func verify(
    in directory: URL, say: (String) -> Void = { _ in }
  ) throws -> Verification {
    let location = try find(in: directory)
    let published = publishedFiles(of: location.layout)
    var result = Verification(
      title: title, location: location, hasPublishedFiles: !published.isEmpty)
    for split in try splits(in: location) {
      say("reading \(split.rawValue)")
      do {
        // From the files, not from what an earlier reading kept.
        let set = try counted(split, in: location) { try read(split, from: location) }
        if let whole = expectedCounts[split], set.count < whole {
          result.differences.append(
            "\(split.rawValue): a subset, \(thousands(set.count)) of \(thousands(whole)) images")
        }
        result.parts.append(
          Verification.Part(
            split: split, count: set.count, fingerprint: set.fingerprint,
            ignoredFiles: set.ignoredFiles))
      } catch let error as DatasetError {
        result.problems.append(error.description)
      }
    }
    for file in published {
      say("comparing \(file.name)")
      do {
        try file.check(location.folder.appendingPathComponent(file.name))
      } catch let error as DatasetError {
        result.differences.append(error.description)
      }
    }
    return result
  }
}
