import Foundation

/// The images of a split of Tiny-ImageNet in their official places, before any is read.
///
/// Only files of the official names count; all others are passed over.
struct TinyImageNetFiles {
  /// The folder of `wnids.txt`, `train` and `val`.
  let root: URL
  /// The WordNet names out of `wnids.txt`, sorted: a class's label is its place among them.
  let classNames: [String]
  /// The images below `root`.
  private(set) var paths: [String] = []
  /// One label per image.
  private(set) var labels: [Int] = []
  /// The number of other files.
  private(set) var ignored = 0

  /// Lists `train`, or `val` for the split `test`.
  init(_ split: Split, in root: URL) throws {
    self.root = root
    classNames = try Self.classNames(root.appendingPathComponent("wnids.txt"))
    let folder = root.appendingPathComponent(split == .train ? "train" : "val")
    guard Files.isDirectory(folder) else {
      throw DatasetError.noSuchSplit(
        name: root.path, split: split, available: [split == .train ? .test : .train])
    }
    try split == .train ? listTrain(folder) : listVal(folder)
    guard !paths.isEmpty else {
      let example = split == .train ? "\(classNames[0])/images/\(classNames[0])" : "images/val"
      throw DatasetError.empty(
        place: folder.path, expected: "files named as the official \(example)_0.JPEG")
    }
  }

  private static func classNames(_ file: URL) throws -> [String] {
    let lines = try Files.lines(of: file, limit: 1 << 20)
    for (number, text) in lines where !isWordNetName(text) {
      throw DatasetError.foreign(
        file: file.path, expected: "one WordNet name such as n01443537 in each line",
        found: "“\(text.prefix(40))” in line \(number)")
    }
    let names = Set(lines.map { String($0.text) })
    guard names.count == lines.count, !names.isEmpty else {
      throw DatasetError.foreign(
        file: file.path, expected: "the names of the classes, each once",
        found: "\(lines.count) lines with \(names.count) names")
    }
    return names.sorted()
  }

  private static func isWordNetName(_ text: Substring) -> Bool {
    text.utf8.count == 9 && text.hasPrefix("n") && isNumber(text.dropFirst())
  }

  private static func isNumber(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func isImage(_ name: String, of stem: String) -> Bool {
    name.hasPrefix(stem + "_") && name.hasSuffix(".JPEG")
      && isNumber(name.dropFirst(stem.count + 1).dropLast(".JPEG".count))
  }

  // MARK: - train

  /// `train/CLASS/images/CLASS_N.JPEG`, classes and images in the order of their names' bytes.
  private mutating func listTrain(_ folder: URL) throws {
    var unknown: [String] = []
    for name in try Files.names(in: folder) {
      let own = folder.appendingPathComponent(name)
      if let label = classNames.firstIndex(of: name), Files.isDirectory(own) {
        try listClass(own, name, label)
      } else if Self.isWordNetName(name[...]), Files.isDirectory(own) {
        unknown.append(name)
      } else {
        ignored += 1
      }
    }
    guard unknown.isEmpty else {
      throw DatasetError.foreign(
        file: folder.path, expected: "only classes that wnids.txt names",
        found: firstOf(unknown))
    }
  }

  private mutating func listClass(_ folder: URL, _ className: String, _ label: Int) throws {
    for entry in try Files.names(in: folder) where entry != "\(className)_boxes.txt" {
      let images = folder.appendingPathComponent(entry)
      guard entry == "images", Files.isDirectory(images) else {
        ignored += 1
        continue
      }
      for name in try Files.names(in: images) {
        guard Self.isImage(name, of: className) else {
          ignored += 1
          continue
        }
        paths.append("train/\(className)/images/\(name)")
        labels.append(label)
      }
    }
  }

  // MARK: - val

  /// `val/images/val_N.JPEG`, in the order of `val/val_annotations.txt`.
  private mutating func listVal(_ folder: URL) throws {
    let images = folder.appendingPathComponent("images")
    guard Files.isDirectory(images) else {
      throw DatasetError.missing(
        what: "val/images", lookedIn: [folder.path],
        remedy: "If val was sorted into folders of classes, unpack the official archive again.")
    }
    let names = try Files.names(in: images)
    var waiting = Set(names.filter { Self.isImage($0, of: "val") })
    ignored += names.count - waiting.count
    ignored += try Files.names(in: folder).count {
      !["images", "val_annotations.txt"].contains($0)
    }

    let file = folder.appendingPathComponent("val_annotations.txt")
    let labelOf = Dictionary(uniqueKeysWithValues: zip(classNames, classNames.indices))
    var classOf: [Substring: Substring] = [:]
    var unknown: [String] = []
    for (number, text) in try Files.lines(of: file, limit: 16 << 20) {
      let fields = text.split(separator: "\t", maxSplits: 2)
      guard fields.count >= 2 else {
        throw DatasetError.foreign(
          file: file.path, expected: "an image's name, a tab and its class in each line",
          found: "“\(text.prefix(40))” in line \(number)")
      }
      let earlier = classOf.updateValue(fields[1], forKey: fields[0])
      guard earlier == nil || earlier == fields[1] else {
        throw DatasetError.foreign(
          file: file.path, expected: "one class for each image",
          found: "a second one for \(fields[0]) in line \(number)")
      }
      // A line without an image is one of a subset.
      guard let name = waiting.remove(String(fields[0])) else { continue }
      if let label = labelOf[String(fields[1])] {
        paths.append("val/images/\(name)")
        labels.append(label)
      } else {
        unknown.append("\(fields[1]) for \(name) in line \(number)")
      }
    }
    guard unknown.isEmpty else {
      throw DatasetError.foreign(
        file: file.path, expected: "only classes that wnids.txt names", found: firstOf(unknown))
    }
    guard waiting.isEmpty else {
      throw DatasetError.foreign(
        file: file.path, expected: "a line for each image of \(images.path)",
        found: "none for " + firstOf(waiting.sorted()))
    }
  }
}
