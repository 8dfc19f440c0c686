import Foundation
import Testing

@testable import NamidData

/// A small Tiny-ImageNet in its official layout: three classes, eight training images, five others.
struct TinyImageNetFolder {
  let root: URL
  /// Not in their order, as in the official file.
  static let classes = ["n00000030", "n00000010", "n00000020"]
  /// In the order that the set has them: classes and files by their names' bytes.
  static let train = [
    "n00000010/images/n00000010_0.JPEG", "n00000010/images/n00000010_10.JPEG",
    "n00000010/images/n00000010_2.JPEG", "n00000020/images/n00000020_0.JPEG",
    "n00000020/images/n00000020_1.JPEG", "n00000030/images/n00000030_0.JPEG",
    "n00000030/images/n00000030_1.JPEG", "n00000030/images/n00000030_7.JPEG",
  ].map { "train/" + $0 }
  static let trainLabels = [0, 0, 0, 1, 1, 2, 2, 2]
  /// The third is gray.
  static func colour(_ index: Int) -> [UInt8] {
    index == 2 ? [77] : [UInt8(10 * index), UInt8(255 - index), UInt8(3 * index + 1)]
  }

  init(in folder: URL) throws {
    root = folder.appendingPathComponent("tiny-imagenet-200")
    try write(Self.classes.map { $0 + "\n" }.joined(), to: "wnids.txt")
    try write("n00000010\tgoldfish, Carassius auratus\n", to: "words.txt")
    for (index, path) in Self.train.enumerated() {
      try root.write(flatJPEG(Self.colour(index)), to: path)
    }
    for name in Self.classes {
      try write("\(name)_0.JPEG\t0\t10\t63\t58\n", to: "train/\(name)/\(name)_boxes.txt")
    }
    for index in 0..<5 { try root.write(flatJPEG(Self.colour(index)), to: Self.val(index)) }
    try annotate(["n00000020", "n00000030", "n00000010", "n00000030", "n00000020"])
    for index in 0..<2 { try root.write(flatJPEG([1]), to: "test/images/test_\(index).JPEG") }
  }

  static func val(_ index: Int) -> String { "val/images/val_\(index).JPEG" }

  /// Writes a line for each image: those of the last come first.
  func annotate(_ classes: [String]) throws {
    let lines = classes.enumerated().reversed().map { "val_\($0).JPEG\t\($1)\t0\t32\t44\t62\n" }
    try write(lines.joined(), to: "val/val_annotations.txt")
  }

  @discardableResult
  func write(_ text: String, to path: String) throws -> URL {
    try root.write(text.utf8, to: path)
  }

  func file(_ path: String) -> URL { root.appendingPathComponent(path) }

  /// The pixels of images of some colours.
  static func pixels(_ colours: [[UInt8]]) -> [UInt8] {
    colours.flatMap { colour -> [UInt8] in
      let pixel = colour.count == 1 ? [UInt8](repeating: colour[0], count: 3) : colour
      return [[UInt8]](repeating: pixel, count: 64 * 64).flatMap { $0 }
    }
  }

  /// The content of every training image, in order.
  static let trainPixels = pixels(train.indices.map(colour))
}

/// A set that keeps decoded images nowhere but under `folder`.
func tinyImageNet(in folder: URL, train: Int = 100_000, test: Int = 10_000) -> TinyImageNet {
  TinyImageNet(
    train: train, test: test, otherCacheFolder: folder.appendingPathComponent("other caches"))
}

/// The images of a split and the news that came with them.
func loadWithNews(
  _ source: TinyImageNet, _ split: Split, in folder: URL
) throws -> (set: ImageSet, news: [String]) {
  var news: [String] = []
  return (try source.load(split, in: folder) { news.append($0) }, news)
}
