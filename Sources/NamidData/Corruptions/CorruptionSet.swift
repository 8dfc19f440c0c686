import Foundation
import NamidFiles

/// Test images that were corrupted in many ways, each at five severities: CIFAR-10-C or CIFAR-100-C.
///
/// D. Hendrycks, T. Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations", 2019
/// (https://zenodo.org/records/2535967). A folder holds `NAME.npy` for each corruption, bytes (5 N, H, W, 3) in the
/// order of the severities, and `labels.npy`.
///
/// ```swift
/// let set = try CorruptionSet(URL(filePath: "CIFAR-10-C"))
/// for name in set.corruptions {
///   for severity in set.severities { let images = try set.images(name, severity: severity) … }
/// }
/// ```
public struct CorruptionSet: Sendable {
  /// The folder.
  public let folder: URL
  /// The folder's name.
  public var title: String { folder.lastPathComponent }
  /// The names of the corruptions: the fifteen of the benchmark in its order, then others.
  public let corruptions: [String]
  /// The severities, 1 to 5.
  public let severities = 1...5
  /// The number of images of each severity.
  public let count: Int
  /// The names of the classes.
  public let classNames: [String]
  /// The labels of a severity's images: those of the clean test images.
  public let labels: [Int]
  private let files: [String: NPYArray]

  /// The corruptions over which the benchmark's means are taken, in its order.
  public static let standard = [
    "gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur",
    "zoom_blur", "snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate",
    "jpeg_compression",
  ]

  /// Looks at a folder; labels are read, images are not yet.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - classNames: The names of the classes; by the number of labels those of CIFAR-10 or CIFAR-100 when nil.
  /// - Throws: `DatasetError` or `NPYError` for a file that is not as it must be.
  public init(_ folder: URL, classNames: [String]? = nil) throws {
    self.folder = folder.standardizedFileURL
    guard Files.isDirectory(folder) else {
      throw DatasetError.missing(
        what: folder.lastPathComponent, lookedIn: [folder.path],
        remedy: "Name a folder of CIFAR-10-C or CIFAR-100-C, with labels.npy.")
    }
    let names = try Files.names(in: folder).filter { $0.hasSuffix(".npy") && !$0.hasPrefix(".") }
      .map { String($0.dropLast(4)) }.filter { $0 != "labels" }
    corruptions =
      Self.standard.filter(names.contains) + names.filter { !Self.standard.contains($0) }
    guard let first = corruptions.first else {
      throw DatasetError.empty(
        place: folder.path, expected: "files NAME.npy, one for each corruption, and labels.npy")
    }
    var files: [String: NPYArray] = [:]
    for name in corruptions { files[name] = try Self.images(of: name, in: folder) }
    let shape = files[first]?.shape ?? []
    for name in corruptions where files[name]?.shape != shape {
      throw DatasetError.unfit(
        file: folder.appendingPathComponent(name + ".npy").path,
        problem: "images of shape \(StoredArray.text(of: files[name]?.shape ?? [])), where "
          + "\(first).npy has \(StoredArray.text(of: shape))",
        remedy: "All corruptions have the same number of images.")
    }
    self.files = files
    count = shape[0] / severities.count
    labels = try Self.labels(in: folder, count: count, severities: severities.count)
    let largest = labels.max() ?? 0
    self.classNames =
      classNames ?? (largest < 10 ? CIFARLayout.classNames : CIFAR100.fineNames)
    if let index = labels.firstIndex(where: { !self.classNames.indices.contains($0) }) {
      throw DatasetError.labelOutOfRange(
        file: folder.appendingPathComponent("labels.npy").path, index: index, label: labels[index],
        classes: self.classNames.count)
    }
  }

  /// Reads the images of a corruption at a severity; no others are in memory.
  ///
  /// - Parameters:
  ///   - corruption: A name in `corruptions`.
  ///   - severity: 1 to 5.
  /// - Returns: The images, in the order of the clean test images.
  /// - Throws: `DatasetError` for a corruption that is not there, `FileError` where its file cannot be read.
  public func images(_ corruption: String, severity: Int) throws -> ImageSet {
    guard severities.contains(severity) else {
      throw DatasetError.unfit(
        file: folder.path, problem: "there is no severity \(severity)",
        remedy: "Severities go from 1 to 5.")
    }
    guard let file = files[corruption] else {
      throw DatasetError.foreign(
        file: folder.path, expected: "one of \(corruptions.joined(separator: ", "))",
        found: corruption)
    }
    let rows = (severity - 1) * count..<severity * count
    return ImageSet(
      name: "\(title)/\(corruption)-\(severity)", title: "\(title), \(corruption) \(severity)",
      split: .test, height: file.shape[1], width: file.shape[2], channels: 3,
      classNames: classNames, pixels: try file.bytes(rows: rows), labels: labels, layout: "npy")
  }

  private static func images(of name: String, in folder: URL) throws -> NPYArray {
    let array = try NPYArray(folder.appendingPathComponent(name + ".npy"))
    guard array.element == .uint8, array.shape.count == 4, array.shape[3] == 3, array.count > 0,
      array.shape[0].isMultiple(of: 5)
    else {
      throw DatasetError.foreign(
        file: array.name, expected: "uint8 (5 N, H, W, 3), five severities one after the other",
        found: "\(array.element.title) \(StoredArray.text(of: array.shape))")
    }
    return array
  }

  private static func labels(in folder: URL, count: Int, severities: Int) throws -> [Int] {
    let file = folder.appendingPathComponent("labels.npy")
    guard Files.isFile(file) else {
      throw DatasetError.missing(
        what: "labels.npy", lookedIn: [folder.path], remedy: "It comes with the images.")
    }
    let array = try NPYArray(file)
    guard array.shape.count == 1, [count, severities * count].contains(array.count),
      let values = try array.integers()
    else {
      throw DatasetError.foreign(
        file: file.path, expected: "\(severities * count) whole numbers",
        found: "\(array.element.title) \(StoredArray.text(of: array.shape))")
    }
    let labels = Array(values.prefix(count))
    for (index, label) in values.enumerated() where label != labels[index % count] {
      throw DatasetError.unfit(
        file: file.path,
        problem:
          "label \(label) of image \(index) is \(labels[index % count]) in the first severity",
        remedy: "Every severity has the same images in the same order.")
    }
    return labels
  }
}
