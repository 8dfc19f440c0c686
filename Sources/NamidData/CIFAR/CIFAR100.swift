import Foundation

/// CIFAR-100: 60,000 colour images of 32×32 in a hundred classes, or in the twenty groups that these form.
///
/// A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009. Read from the binary or the Python
/// distribution.
public struct CIFAR100: DatasetSource {
  /// The labels of an image that count.
  public enum Labels: String, Sendable {
    /// A hundred classes, such as `maple_tree`.
    case fine
    /// Twenty groups of five classes, such as `trees`.
    case coarse
  }

  /// `cifar100` or `cifar100-coarse`.
  public let name: String
  /// `CIFAR-100`, with a remark where the coarse labels count.
  public let title: String
  /// The maker's page.
  public let origin = "https://www.cs.toronto.edu/~kriz/cifar.html (Alex Krizhevsky)"
  /// The terms on the maker's page.
  public let licence = "none stated; the makers ask to cite their technical report"
  /// 50,000 and 10,000 images.
  public let expectedCounts: [Split: Int]
  private let labels: Labels
  private let archives: [DatasetArchive]

  /// The set as it was published.
  public init(_ labels: Labels = .fine) {
    self.init(labels, train: 50_000, test: 10_000, archives: [Self.official])
  }

  init(_ labels: Labels, train: Int, test: Int, archives: [DatasetArchive] = []) {
    self.labels = labels
    name = labels == .fine ? "cifar100" : "cifar100-coarse"
    title = labels == .fine ? "CIFAR-100" : "CIFAR-100 (coarse labels)"
    expectedCounts = [.train: train, .test: test]
    self.archives = archives
  }

  /// The official folder names, `cifar100`, and the directory itself.
  public func candidates(in directory: URL) -> [URL] {
    let official = ["cifar-100-python", "cifar-100-binary"]
    return places(
      official + ["cifar100"] + official.map { "cifar100/\($0)" } + ["."], in: directory)
  }

  /// `binary` or `python`, by what is there; other sets have files called `train`, too.
  public func layout(of folder: URL) -> String? {
    func has(_ name: String) -> Bool { Files.isFile(folder.appendingPathComponent(name)) }
    if has("train.bin") || has("test.bin") { return "binary" }
    let isNamed = folder.lastPathComponent == "cifar-100-python" || has("meta")
    return isNamed && (has("train") || has("test")) ? "python" : nil
  }

  /// Reads a split.
  public func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    guard let count = expectedCounts[split] else {
      throw DatasetError.noSuchSplit(name: name, split: split, available: [.train, .test])
    }
    let stem = split == .train ? "train" : "test"
    let isBinary = location.layout == "binary"
    let file = location.folder.appendingPathComponent(isBinary ? stem + ".bin" : stem)
    try checkNames(in: location.folder, isBinary: isBinary)
    var (values, pixels): ([Int], [UInt8]) = ([], [])
    if isBinary {
      // The label of the group, then that of the class.
      try CIFARBinary.records(of: file, labelBytes: 2, count: count, pixels: &pixels) { _, bytes in
        values.append(Int(bytes[labels == .coarse ? 0 : 1]))
      }
      pixels = CIFARLayout.pixels(ofPlanes: [pixels[...]])
    } else {
      let batch = try CIFARPython.batch(
        file, labelsKey: "\(labels.rawValue)_labels", count: count)
      values = batch.labels
      pixels = CIFARLayout.pixels(ofPlanes: [batch.images])
    }
    for (index, label) in values.enumerated() {
      try CIFARLayout.checkLabel(label, index: index, file: file, classes: classNames.count)
    }
    return ImageSet(
      name: name, title: title, split: split, height: CIFARLayout.side, width: CIFARLayout.side,
      channels: 3, classNames: classNames, pixels: pixels, labels: values, layout: location.layout)
  }

  /// Compares the names of the classes with those that came with the files, where they did.
  private func checkNames(in folder: URL, isBinary: Bool) throws {
    let key = "\(labels.rawValue)_label_names"
    let file = folder.appendingPathComponent(isBinary ? key + ".txt" : "meta")
    guard Files.isFile(file) else { return }
    let found: [String]
    if isBinary {
      found = try Files.lines(of: file, limit: 65_536).map { String($0.text) }
    } else {
      found = try PickledBatch(file: file).texts(key)
    }
    try CIFARLayout.checkClassNames(found, file: file, expected: classNames)
  }

  /// The files of the Python distribution; the makers of the binary one published a checksum of its archive only.
  public func publishedFiles(of layout: String) -> [PublishedFile] {
    archives.first { $0.layout == layout }?.files ?? []
  }

  /// Gets the Python distribution.
  ///
  /// A copy that is there is kept; an archive that lies in the directory already is used before it is downloaded.
  public func fetch(into directory: URL, say: (String) -> Void) throws {
    if let location = locate(in: directory), location.layout == "binary" {
      say("\(name): is in \(location) already")
      return
    }
    if isWhole(in: directory, say: say) { return }
    try DatasetArchive.fetch(name, from: archives, origin: origin, into: directory, say: say)
  }

  /// SHA-256 and MD5 are those that several other libraries check for.
  private static let official = DatasetArchive(
    address: "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", bytes: 169_001_437,
    digest: .sha256("85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),
    folder: "cifar-100-python", layout: "python",
    files: [
      PublishedFile(name: "train", digest: .md5("16019d7e3df5f24257cddd939b257f8d")),
      PublishedFile(name: "test", digest: .md5("f0ef6b0ae62326f3e7ffdfab6717acfc")),
      PublishedFile(name: "meta", digest: .md5("7973b15100ade9c7d40fb424638fde48")),
    ])

  /// The names of the labels that count.
  var classNames: [String] { labels == .fine ? Self.fineNames : Self.coarseNames }

  /// The names of the hundred classes.
  static let fineNames = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly \
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile \
    cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp \
    lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree \
    orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum \
    rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider \
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train \
    trout tulip turtle wardrobe whale willow_tree wolf woman worm
    """.split(separator: " ").map(String.init)

  private static let coarseNames = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices \
    household_furniture insects large_carnivores large_man-made_outdoor_things \
    large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals \
    non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
    """.split(separator: " ").map(String.init)
}
