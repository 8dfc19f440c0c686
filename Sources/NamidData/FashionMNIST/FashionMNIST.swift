import Foundation

/// Fashion-MNIST: 70,000 gray images of 28×28, ten kinds of clothing.
///
/// H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
/// learning algorithms", 2017.
public struct FashionMNIST: DatasetSource {
  /// `fashion-mnist`.
  public let name = "fashion-mnist"
  /// `Fashion-MNIST`.
  public let title = "Fashion-MNIST"
  /// The makers' repository.
  public let origin = "https://github.com/zalandoresearch/fashion-mnist (Zalando Research)"
  /// The licence in the makers' repository.
  public let licence = "MIT"
  /// 60,000 and 10,000 images.
  public let expectedCounts: [Split: Int]

  /// The set as it was published.
  public init() { self.init(train: 60_000, test: 10_000) }

  init(train: Int, test: Int) { expectedCounts = [.train: train, .test: test] }

  static let classNames = [
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
    "ankle boot",
  ]
  private static let side = 28

  /// `fashion-mnist`, the place that other libraries use, and the directory itself.
  public func candidates(in directory: URL) -> [URL] {
    places(["fashion-mnist", "FashionMNIST/raw", "."], in: directory)
  }

  /// `idx.gz` or `idx`, by the first of the four files that is there.
  public func layout(of folder: URL) -> String? {
    for base in Self.files.map(\.base) {
      if Files.isFile(folder.appendingPathComponent(base + ".gz")) { return "idx.gz" }
      if Files.isFile(folder.appendingPathComponent(base)) { return "idx" }
    }
    return nil
  }

  /// Reads the two files of a split.
  public func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    let stem = split == .train ? "train" : "t10k"
    let count = expectedCounts[split] ?? 0
    let area = Self.side * Self.side
    let imageFile = file("\(stem)-images-idx3-ubyte", in: location.folder)
    let images = try IDX.read(imageFile, rank: 3, limit: 16 + count * area)
    guard images.shape[1...] == [Self.side, Self.side] else {
      throw DatasetError.foreign(
        file: imageFile.path, expected: "images of 28×28",
        found: "images of \(images.shape[1])×\(images.shape[2])")
    }
    let labelFile = file("\(stem)-labels-idx1-ubyte", in: location.folder)
    let labels = try IDX.read(labelFile, rank: 1, limit: 8 + count).values.map(Int.init)
    guard labels.count == images.shape[0] else {
      throw DatasetError.wrongCount(
        what: labelFile.path + ", in labels,", expected: images.shape[0], found: labels.count)
    }
    if let index = labels.firstIndex(where: { !Self.classNames.indices.contains($0) }) {
      throw DatasetError.labelOutOfRange(
        file: labelFile.path, index: index, label: labels[index], classes: Self.classNames.count)
    }
    return ImageSet(
      name: name, title: title, split: split, height: Self.side, width: Self.side, channels: 1,
      classNames: Self.classNames, pixels: images.values, labels: labels,
      layout: location.layout)
  }

  /// A file, gzipped or plain.
  private func file(_ base: String, in folder: URL) -> URL {
    let plain = folder.appendingPathComponent(base)
    return Files.isFile(plain) ? plain : folder.appendingPathComponent(base + ".gz")
  }
}

// MARK: - Fetching

extension FashionMNIST {
  // SHA-256 of the content. The makers publish MD5 of their gzip files; Debian packs the content
  // anew without the file names in gzip's header. With those names and the makers' dates put back,
  // Debian's four files have the makers' MD5: the content is the same.
  private static let files: [(base: String, bytes: Int, sha256: String)] = [
    (
      "train-images-idx3-ubyte", 47_040_016,
      "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
    ),
    (
      "train-labels-idx1-ubyte", 60_008,
      "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
    ),
    (
      "t10k-images-idx3-ubyte", 7_840_016,
      "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
    ),
    (
      "t10k-labels-idx1-ubyte", 10_008,
      "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
    ),
  ]
  private static let addresses = [
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
  ]
  private static let package = "dataset-fashion-mnist"

  /// The four files; their content is compared, however it was packed.
  public func publishedFiles(of layout: String) -> [PublishedFile] {
    Self.files.map {
      PublishedFile(
        name: layout == "idx" ? $0.base : $0.base + ".gz",
        digest: .unpackedSHA256($0.sha256, bytes: $0.bytes))
    }
  }

  /// Gets the set from Debian's package, without root, or from its makers.
  public func fetch(into directory: URL, say: (String) -> Void) throws {
    if isWhole(in: directory, say: say) { return }
    let target = directory.appendingPathComponent(name)
    let published = publishedFiles(of: "idx.gz")
    func origin(
      _ name: String, _ bring: @escaping (URL, (String) -> Void) throws -> URL
    ) -> FetchOrigin {
      FetchOrigin(name: name, published: published, target: target, bring: bring)
    }
    let installed = URL(fileURLWithPath: "/usr/share/datasets/fashion-mnist")
    var origins: [FetchOrigin] = []
    if Files.isDirectory(installed) {
      origins.append(
        origin(installed.path) { aside, _ in
          for file in published {
            try FileManager.default.copyItem(
              at: installed.appendingPathComponent(file.name),
              to: aside.appendingPathComponent(file.name))
          }
          return aside
        })
    }
    origins.append(
      origin("Debian's package \(Self.package), 30 MiB, no root needed", Self.bringFromDebian))
    for address in Self.addresses {
      origins.append(
        origin(address) { aside, say in
          for file in published {
            try Fetching.download(
              "\(address)/\(file.name)", to: aside.appendingPathComponent(file.name),
              atMost: 32 << 20, say: say)
          }
          return aside
        })
    }
    try Fetching.run(
      name, from: origins, into: directory,
      remedy: """
        By hand: download \(published.map(\.name).joined(separator: ", "))
        from \(Self.addresses[1]) and put them into \(target.path).
        """,
      say: say)
  }

  private static func bringFromDebian(
    aside: URL, say: (String) -> Void
  ) throws -> URL {
    try Command.run(
      "apt-get",
      [
        "download", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20",
        "-o", "Acquire::Retries=1", package,
      ],
      in: aside)
    guard let deb = try Files.names(in: aside).first(where: { $0.hasSuffix(".deb") }) else {
      throw Command.Failure(description: "apt-get download left no package")
    }
    try Command.run("dpkg-deb", ["-x", deb, "unpacked"], in: aside)
    let unpacked = aside.appendingPathComponent("unpacked")
    let wanted = files[0].base + ".gz"
    let paths = FileManager.default.enumerator(at: unpacked, includingPropertiesForKeys: nil)
    while let file = paths?.nextObject() as? URL {
      if file.lastPathComponent == wanted { return file.deletingLastPathComponent() }
    }
    throw Command.Failure(description: "the package \(package) does not hold \(wanted)")
  }
}
