import Foundation

/// One place that a data set can be had from.
struct FetchOrigin {
  /// The place, for people.
  let name: String
  /// The files that must come, with checksums; none where they are too many to be named: their folder becomes the
  /// target as a whole.
  let published: [PublishedFile]
  /// Files that may come with them.
  var extras: [String] = []
  /// The folder that they go to.
  let target: URL
  /// Gets the files into an empty folder, or below it, and says where they are.
  let bring: (_ aside: URL, _ say: (String) -> Void) throws -> URL
}

/// Getting of data sets without ever losing one.
///
/// Every file is brought aside, compared with its checksum, written through to the disk and only
/// then renamed into place. Whatever fails before leaves all as it was.
enum Fetching {
  /// Tries one origin after the other, best first.
  ///
  /// When no place has the set, the error names a reason for each, and `remedy`, the way to do it by hand.
  static func run(
    _ name: String, from origins: [FetchOrigin], into directory: URL, remedy: String,
    say: (String) -> Void
  ) throws {
    try makeFolder(directory)
    removeLeftovers(in: directory)
    let workspace = directory.appendingPathComponent(asidePrefix + UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: workspace) }

    var reasons: [String] = []
    for (index, origin) in origins.enumerated() {
      say("\(name): trying \(origin.name)")
      let aside = workspace.appendingPathComponent("\(index)")
      try makeFolder(aside)
      do {
        let folder = try origin.bring(aside, say)
        say("\(name): checking")
        for file in origin.published {
          try file.check(folder.appendingPathComponent(file.name))
        }
        if origin.published.isEmpty {
          try move(folder, to: origin.target)
        } else {
          let extras = origin.extras.filter { Files.isFile(folder.appendingPathComponent($0)) }
          try install(origin.published.map(\.name) + extras, from: folder, into: origin.target)
        }
        say("\(name): is in \(origin.target.path)")
        return
      } catch let error as DatasetError {
        if case .unwritable = error { throw error }
        reasons.append("\(origin.name): \(error.description)")
      } catch {
        reasons.append("\(origin.name): \(error)")
      }
      try? FileManager.default.removeItem(at: aside)
    }
    throw DatasetError.fetchFailed(name: name, reasons: reasons, remedy: remedy)
  }

  /// Downloads a file with curl, which resumes nothing and is given up when nothing comes.
  static func download(
    _ address: String, to file: URL, atMost bytes: Int, say: (String) -> Void
  ) throws {
    let name = file.lastPathComponent
    try Command.run(
      "curl",
      [
        "--fail", "--location", "--silent", "--show-error", "--connect-timeout", "20",
        "--retry", "2", "--speed-limit", "1024", "--speed-time", "60",
        "--max-filesize", "\(bytes)", "--output", file.path, address,
      ],
      in: file.deletingLastPathComponent(),
      meanwhile: {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
        let size = (attributes?[.size] as? NSNumber)?.intValue ?? 0
        say("\(name): \(size >> 20) of \(bytes >> 20) MiB")
      })
  }

  // MARK: - Files

  private static let asidePrefix = ".namid-fetch-"

  private static func makeFolder(_ folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw DatasetError.unwritable(file: folder.path, reason: Files.reason(error))
    }
  }

  /// A fetch that was killed leaves its folder behind; one of yesterday is nobody's any more.
  private static func removeLeftovers(in directory: URL) {
    let manager = FileManager.default
    for name in (try? Files.names(in: directory)) ?? [] where name.hasPrefix(asidePrefix) {
      let folder = directory.appendingPathComponent(name)
      let attributes = try? manager.attributesOfItem(atPath: folder.path)
      guard let date = attributes?[.modificationDate] as? Date,
        date.timeIntervalSinceNow < -86_400
      else { continue }
      try? manager.removeItem(at: folder)
    }
  }

  /// Moves checked files into place, each in one step over what was there.
  private static func install(_ names: [String], from folder: URL, into target: URL) throws {
    try makeFolder(target)
    for name in names { try sync(folder.appendingPathComponent(name)) }
    for name in names {
      try rename(folder.appendingPathComponent(name), to: target.appendingPathComponent(name))
    }
    try sync(target)
  }

  /// Gives a folder of many files its name in one step; a folder that is there stays.
  private static func move(_ folder: URL, to target: URL) throws {
    // One call for the whole disk: a hundred thousand files one by one would take minutes.
    Foundation.sync()
    try rename(folder, to: target)
    try sync(target.deletingLastPathComponent())
  }

  private static func rename(_ source: URL, to target: URL) throws {
    if Foundation.rename(source.path, target.path) != 0 { throw unwritable(target) }
  }

  private static func sync(_ place: URL) throws {
    let descriptor = open(place.path, O_RDONLY)
    guard descriptor >= 0 else { throw unwritable(place) }
    defer { close(descriptor) }
    if fsync(descriptor) != 0 { throw unwritable(place) }
  }

  /// The error for a place, with the reason of the system call that has just failed.
  private static func unwritable(_ place: URL) -> DatasetError {
    .unwritable(file: place.path, reason: String(cString: strerror(errno)))
  }
}

extension DatasetSource {
  /// True where the published files are all there, so that there is nothing to fetch.
  func isWhole(in directory: URL, say: (String) -> Void) -> Bool {
    guard let location = locate(in: directory) else { return false }
    let published = publishedFiles(of: location.layout)
    guard !published.isEmpty else { return false }
    for file in published {
      do {
        try file.check(location.folder.appendingPathComponent(file.name))
      } catch {
        say("\(name): fetching anew, because \(error)")
        return false
      }
    }
    say("\(name): is in \(location.folder.path) already")
    return true
  }
}
