import Foundation

/// A distribution of CIFAR-10 as one file.
package struct CIFARArchive: Sendable {
  package let layout: String
  package let address: String
  package let bytes: Int
  package let sha256: String
  /// The folder inside.
  package let folder: String
  package let files: [PublishedFile]
  package let extras: [String]

  package init(
    layout: String, address: String, bytes: Int, sha256: String, folder: String,
    files: [PublishedFile], extras: [String]
  ) {
    self.layout = layout
    self.address = address
    self.bytes = bytes
    self.sha256 = sha256
    self.folder = folder
    self.files = files
    self.extras = extras
  }

  var fileName: String { address.split(separator: "/").last.map(String.init) ?? address }

  /// The maker's page gives MD5 of the archives; SHA-256 and the files' MD5 are those that several
  /// other libraries check for.
  static let official = [
    CIFARArchive(
      layout: "binary", address: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      bytes: 170_052_171,
      sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
      folder: "cifar-10-batches-bin",
      files: md5([
        "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
        "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
        "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
        "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
        "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
        "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
      ]),
      extras: ["batches.meta.txt", "readme.html"]),
    CIFARArchive(
      layout: "python", address: "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
      bytes: 170_498_071,
      sha256: "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
      folder: "cifar-10-batches-py",
      files: md5([
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
        "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
      ]),
      extras: ["readme.html"]),
  ]

  private static func md5(_ files: KeyValuePairs<String, String>) -> [PublishedFile] {
    files.map { PublishedFile(name: $0.key, digest: .md5($0.value)) }
  }

  /// The archive as a place to get the set from: a file that is here already, or a download.
  func origin(at local: URL?, in directory: URL) -> FetchOrigin {
    FetchOrigin(
      name: local?.path ?? "\(address), \(bytes >> 20) MiB", published: files, extras: extras,
      target: directory.appendingPathComponent(folder)
    ) { aside, say in
      let archive = local ?? aside.appendingPathComponent(fileName)
      if local == nil {
        try Fetching.download(address, to: archive, atMost: bytes, say: say)
      }
      // Before anything is unpacked: tar shall never see a stranger's archive.
      try PublishedFile(name: fileName, digest: .sha256(sha256)).check(archive)
      say("unpacking \(fileName)")
      try Command.run(
        "tar", ["-xzf", archive.path, "--no-same-owner", "-C", aside.path], in: aside)
      return aside.appendingPathComponent(folder)
    }
  }
}
