import Foundation

/// One file that holds a whole data set, as its makers publish it.
struct DatasetArchive {
  var address: String
  var bytes: Int
  /// The checksum of the archive.
  var digest: PublishedFile.Digest
  /// The folder inside, and its name in the data directory.
  var folder: String
  /// The layout of the folder.
  var layout: String
  /// The files that must be inside; none where they are too many to be named.
  var files: [PublishedFile] = []
  /// Files that may be inside.
  var extras: [String] = []

  var fileName: String { address.split(separator: "/").last.map(String.init) ?? address }

  /// Gets a set from the first of some archives that can be had; `origin` names its page where there are none.
  static func fetch(
    _ name: String, from archives: [DatasetArchive], origin: String, into directory: URL,
    say: (String) -> Void
  ) throws {
    try Fetching.run(
      name, from: origins(of: archives, in: directory), into: directory,
      remedy: """
        By hand: download \(archives.first?.address ?? origin)
        on a machine that can reach it, put the file into \(directory.path) as it is, and run this \
        again: it will be checked and unpacked.
        """,
      say: say)
  }

  /// Lists the places to get a set from: archives that lie in the directory already, then downloads.
  ///
  /// `check` throws where an unpacked folder is not the set.
  static func origins(
    of archives: [DatasetArchive], in directory: URL,
    check: @escaping (URL) throws -> Void = { _ in }
  ) -> [FetchOrigin] {
    let local = archives.compactMap { archive -> FetchOrigin? in
      let file = directory.appendingPathComponent(archive.fileName)
      return Files.isFile(file) ? archive.origin(at: file, in: directory, check) : nil
    }
    return local + archives.map { $0.origin(at: nil, in: directory, check) }
  }

  private func origin(
    at local: URL?, in directory: URL, _ check: @escaping (URL) throws -> Void
  ) -> FetchOrigin {
    FetchOrigin(
      name: local?.path ?? "\(address), \(bytes >> 20) MiB", published: files, extras: extras,
      target: directory.appendingPathComponent(folder)
    ) { aside, say in
      let archive = local ?? aside.appendingPathComponent(fileName)
      if local == nil {
        try Fetching.download(address, to: archive, atMost: bytes, say: say)
      }
      // Before anything is unpacked: no unpacker shall ever see a stranger's archive.
      try PublishedFile(name: fileName, digest: digest).check(archive)
      say("unpacking \(fileName)")
      if fileName.hasSuffix(".zip") {
        try Command.run("unzip", ["-q", archive.path, "-d", aside.path], in: aside)
      } else {
        try Command.run(
          "tar", ["-xzf", archive.path, "--no-same-owner", "-C", aside.path], in: aside)
      }
      let unpacked = aside.appendingPathComponent(folder)
      try check(unpacked)
      return unpacked
    }
  }
}
