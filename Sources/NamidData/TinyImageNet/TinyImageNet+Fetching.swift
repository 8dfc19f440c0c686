import Foundation
import NamidTerminal

/// The archive of Tiny-ImageNet.
package struct TinyImageNetArchive: Sendable {
  package let address: String
  package let bytes: Int
  package let md5: String

  package init(address: String, bytes: Int, md5: String) {
    self.address = address
    self.bytes = bytes
    self.md5 = md5
  }

  var fileName: String { address.split(separator: "/").last.map(String.init) ?? address }

  /// The makers publish no checksum; length and MD5 are those that several other libraries check.
  package static let official = TinyImageNetArchive(
    address: "http://cs231n.stanford.edu/tiny-imagenet-200.zip", bytes: 248_100_043,
    md5: "90528d7ca1a48142e341f4ef8d21d0de")
}

extension TinyImageNet {
  /// Writes advice to fetch the set, to unpack it, or to name its folder.
  public func advice(for directory: URL) -> String {
    "Fetch \(name) into \(directory.path), or \(byHand(in: directory)), or name the directory where "
      + "it lies."
  }

  private func byHand(in directory: URL) -> String {
    "download \(archive.address) and unpack it with "
      + "“unzip -q \(archive.fileName) -d \(directory.path)”"
  }

  /// Gets the archive from its makers and unpacks it with `unzip`.
  ///
  /// An archive that lies in the directory already is used before it is downloaded. A folder that
  /// is there and not whole is left alone: it may be somebody's subset.
  public func fetch(into directory: URL, say: (String) -> Void) throws {
    if try isThere(in: directory, say: say) { return }
    let local = directory.appendingPathComponent(archive.fileName)
    let places: [URL?] = Files.isFile(local) ? [local, nil] : [nil]
    try Fetching.run(
      name, from: places.map { fetchOrigin(at: $0, in: directory) }, into: directory,
      remedy: """
        By hand: \(byHand(in: directory)).
        Without unzip, “python3 -m zipfile -e \(archive.fileName) \(directory.path)” does the same.
        """,
      say: say)
  }

  /// True where there is nothing to fetch; throws where something else is in the way.
  private func isThere(in directory: URL, say: (String) -> Void) throws -> Bool {
    let target = directory.appendingPathComponent(Self.folderName)
    let present = locate(in: directory)?.folder
    guard let folder = present ?? (Files.isDirectory(target) ? target : nil) else { return false }
    if let reason = whyNotWhole(folder) {
      throw DatasetError.fetchFailed(
        name: name, reasons: ["\(folder.path) is there and not the whole set: \(reason)"],
        remedy: "It was left as it is. Move it away to get the whole set, or use it as it is.")
    }
    say("\(name): is in \(folder.path) already")
    return true
  }

  private func whyNotWhole(_ folder: URL) -> String? {
    for split in [Split.train, .test] {
      do {
        let count = try TinyImageNetFiles(split, in: folder).paths.count
        if let whole = expectedCounts[split], count != whole {
          return "\(thousands(count)) of \(thousands(whole)) images in \(split.rawValue)"
        }
      } catch {
        return "\(error)"
      }
    }
    return nil
  }

  private func fetchOrigin(at local: URL?, in directory: URL) -> FetchOrigin {
    let archive = archive
    return FetchOrigin(
      name: local?.path ?? "\(archive.address), \(archive.bytes >> 20) MiB", published: [],
      target: directory.appendingPathComponent(Self.folderName), isWholeFolder: true
    ) { aside, say in
      let file = local ?? aside.appendingPathComponent(archive.fileName)
      if local == nil {
        try Fetching.download(
          archive.address, to: file, atMost: archive.bytes, say: say)
      }
      // Before anything is unpacked: unzip shall never see a stranger's archive.
      try PublishedFile(name: archive.fileName, digest: .md5(archive.md5)).check(file)
      say("unpacking \(archive.fileName)")
      try Command.run("unzip", ["-q", file.path, "-d", aside.path], in: aside)
      let folder = aside.appendingPathComponent(Self.folderName)
      if let reason = whyNotWhole(folder) { throw Command.Failure(description: reason) }
      return folder
    }
  }
}
