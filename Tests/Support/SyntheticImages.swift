import Foundation
import NamidData
import NamidTorch

/// Small images that a small network learns within seconds: a bright bar whose place tells the class, in noise.
public enum SyntheticImages {
  /// Rows and columns of every image.
  public static let size = 12
  /// The names of the classes.
  public static let classNames = ["left", "middle", "right"]

  /// Images in memory, the classes in turn.
  public static func set(
    _ count: Int, split: Split = .train, size: Int = size, seed: Int = 0
  ) -> ImageSet {
    let labels = (0..<count).map { $0 % classNames.count }
    let stream = RandomStream(seed: seed).keyed(split.rawValue)
    let pixels = labels.indices.flatMap {
      image(label: labels[$0], size: size, stream: stream.keyed($0))
    }
    return ImageSet(
      name: "synthetic", title: "Synthetic", split: split, height: size, width: size, channels: 3,
      classNames: classNames, pixels: pixels, labels: labels, layout: "memory")
  }

  /// Writes `train/CLASS/*.png`, and `test/CLASS/*.png` unless `test` is 0.
  ///
  /// - Returns: The name under which the data set is found.
  @discardableResult
  public static func write(
    to folder: URL, train: Int = 192, test: Int = 60, size: Int = size
  ) throws -> String {
    for (split, count) in [(Split.train, train), (.test, test)] where count > 0 {
      let images = set(count, split: split, size: size)
      for name in classNames {
        try FileManager.default.createDirectory(
          at: folder.appending(path: "\(split.rawValue)/\(name)"),
          withIntermediateDirectories: true)
      }
      for index in 0..<count {
        let png = try PNG.encode(
          pixels: Array(images.image(at: index)), height: size, width: size, channels: 3)
        let name = classNames[images.labels[index]]
        let number = String(1000 + index)
        try png.write(to: folder.appending(path: "\(split.rawValue)/\(name)/\(number).png"))
      }
    }
    return "folder:\(folder.path)"
  }

  private static func image(label: Int, size: Int, stream: RandomStream) -> [UInt8] {
    var stream = stream
    let bar = size / classNames.count
    return (0..<size * size).flatMap { place -> [UInt8] in
      let isBright = (place % size) / bar == label
      return (0..<3).map { _ in UInt8((isBright ? 100 : 60) + stream.integer(below: 90)) }
    }
  }
}
