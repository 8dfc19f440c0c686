import Foundation
import NamidFiles

/// One's own images as arrays: safetensors, NPZ or NPY.
///
/// One file of `images` and `labels` is the test split: a set to measure on. Two are training and test images. A file
/// or a folder whose arrays are called `x_train`, `y_train`, `x_test`, `y_test` has both.
struct OwnArrays: OwnData {
  let places: [URL]
  let title: String
  let problem: DatasetError?
  private let optionText: String
  /// The number of classes, where the name states it.
  private let classes: Int?

  /// The arrays of a split, before they are read.
  private struct Part {
    var container: ArrayContainer
    var names: ArrayNames
  }

  init(_ name: OwnName) {
    places = name.paths
    optionText = name.optionText
    var (problem, classes): (DatasetError?, Int?) = (nil, nil)
    do {
      try name.check(known: ["classes"])
      classes = try name.number("classes", in: 1...ArrayImages.mostClasses)
      guard [1, 2, 4].contains(places.count), places.count < 4 || Self.areNPY(places) else {
        throw DatasetError.unfit(
          file: Datasets.filePrefix + places.map(\.lastPathComponent).joined(separator: ","),
          problem: "\(places.count) files",
          remedy: "Name one file, two (training, test), or four NPY files "
            + "(x_train, y_train, x_test, y_test).")
      }
    } catch {
      problem = error as? DatasetError
    }
    self.problem = problem
    self.classes = classes
    // The test images give the set its title: alone or with training images they are the same.
    let last = places.last ?? URL(fileURLWithPath: "/")
    title =
      Self.areNPY(places)
      ? last.deletingLastPathComponent().lastPathComponent
      : last.deletingPathExtension().lastPathComponent
  }

  private static func areNPY(_ places: [URL]) -> Bool {
    places.allSatisfy { $0.pathExtension.lowercased() == "npy" }
  }

  var place: URL { places[0] }
  var name: String {
    Datasets.filePrefix + places.map(\.lastPathComponent).joined(separator: ",") + optionText
  }

  /// The kind of container, where every file is there.
  func layout(of folder: URL) -> String? {
    guard places.allSatisfy({ Files.isFile($0) || Files.isDirectory($0) }) else { return nil }
    if places.count > 1, Self.areNPY(places) { return "npy" }
    return Files.isDirectory(place)
      ? "npy"
      : ["npz", "npy"].first { place.pathExtension.lowercased() == $0 } ?? "safetensors"
  }

  /// The first place, or all that are missing.
  func candidates(in directory: URL) -> [URL] {
    let missing = places.filter { FileKind(of: $0) == nil }
    return missing.isEmpty ? [place] : missing
  }

  /// True for a folder of NPY files that has no folders of images.
  static func isFolder(_ place: URL) -> Bool {
    guard Files.isDirectory(place), ImageFolders.splits(in: place).isEmpty,
      let container = try? ArrayContainer(place)
    else { return false }
    return Split.allCases.contains {
      ArrayNames.first(of: ArrayNames.of($0), in: container.names) != nil
    }
  }

  /// The splits of which there are arrays.
  func splits(in location: DatasetLocation) throws -> [Split] {
    let parts = try parts()
    return Split.allCases.filter { parts[$0] != nil }
  }

  func read(
    _ split: Split, from location: DatasetLocation, say: (String) -> Void
  ) throws -> ImageSet {
    let parts = try parts()
    guard parts[split] != nil else {
      if split == .train { throw DatasetError.noTrainingImages(name: name) }
      throw DatasetError.noSuchSplit(
        name: name, split: split, available: Split.allCases.filter { parts[$0] != nil })
    }
    // All splits are read: they share their number of classes, and no test image may be a training image.
    var sets: [Split: ImageSet] = [:]
    var arrays: [Split: ArrayImages] = [:]
    for split in Split.allCases {
      guard let part = parts[split] else { continue }
      arrays[split] = try ArrayImages(
        images: part.container.array(part.names.images),
        labels: part.container.array(part.names.labels), say: say)
    }
    if let least = arrays.values.flatMap(\.labels).min(), least > 0 {
      say("\(name): no image has the label 0; labels count from 0, the least is \(least)")
    }
    let classCount = try classCount(of: arrays, parts)
    for (split, array) in arrays {
      sets[split] = ImageSet(
        name: name, title: title, split: split, height: array.height, width: array.width,
        channels: array.channels, classNames: (0..<classCount).map { "class \($0)" },
        pixels: array.pixels, labels: array.labels, layout: location.layout)
    }
    guard let set = sets[split] else { throw DatasetError.noTrainingImages(name: name) }
    if let training = sets[.train] {
      for (other, images) in sets where other != .train && (split == .train || split == other) {
        try ImageOverlap(of: images, with: training).check(name, other, say: say)
      }
    }
    return set
  }

  /// The arrays of each split.
  private func parts() throws -> [Split: Part] {
    if places.count == 1 { return try parts(of: ArrayContainer(place)) }
    var parts: [Split: Part] = [:]
    if Self.areNPY(places) {
      let splits: [Split] = places.count == 2 ? [.test] : [.train, .test]
      for (index, split) in splits.enumerated() {
        let files = ["images": places[2 * index], "labels": places[2 * index + 1]]
        parts[split] = Part(
          container: .npy(files, path: places[2 * index].path), names: ArrayNames.plain[0])
      }
      return parts
    }
    for (split, place) in zip([Split.train, .test], places) {
      let container = try ArrayContainer(place)
      guard
        let names = ArrayNames.first(
          of: ArrayNames.plain + ArrayNames.of(split), in: container.names)
      else { throw foreign(container, ArrayNames.of(split)[0]) }
      parts[split] = Part(container: container, names: names)
    }
    return parts
  }

  /// The splits of a single container; a pair that names none is the test split.
  private func parts(of container: ArrayContainer) throws -> [Split: Part] {
    let names = container.names
    var parts: [Split: Part] = [:]
    for split in Split.allCases {
      if let pair = ArrayNames.first(of: ArrayNames.of(split), in: names) {
        parts[split] = Part(container: container, names: pair)
      }
    }
    if parts.isEmpty, let pair = ArrayNames.first(of: ArrayNames.plain, in: names) {
      parts[.test] = Part(container: container, names: pair)
    }
    guard !parts.isEmpty else { throw foreign(container, ArrayNames.of(.test)[0]) }
    return parts
  }

  private func foreign(_ container: ArrayContainer, _ other: ArrayNames) -> DatasetError {
    let names = container.names
    let shown = names.prefix(8).map(quotedForPeople).joined(separator: ", ")
    return .foreign(
      file: container.path,
      expected: "arrays images and labels, or \(other.images) and \(other.labels)",
      found: names.isEmpty ? "no arrays" : "\(names.count) arrays: \(shown)")
  }

  /// The number of classes: stated with the name or in a file, else the largest label of any split plus one.
  private func classCount(
    of arrays: [Split: ArrayImages], _ parts: [Split: Part]
  ) throws -> Int {
    let largest = arrays.values.flatMap(\.labels).max() ?? 0
    let stated = classes ?? parts.values.compactMap(\.container.statedClasses).max()
    guard let stated else { return largest + 1 }
    guard (1...ArrayImages.mostClasses).contains(stated) else {
      throw DatasetError.foreign(
        file: place.path, expected: "from 1 to \(ArrayImages.mostClasses) classes",
        found: "\(stated) classes")
    }
    for (split, array) in arrays {
      guard let index = array.labels.firstIndex(where: { $0 >= stated }) else { continue }
      throw DatasetError.labelOutOfRange(
        file: parts[split]?.container.path ?? place.path, index: index, label: array.labels[index],
        classes: stated)
    }
    return stated
  }

  func advice(for directory: URL) -> String {
    "Name a safetensors or NPZ file with images (N, C, H, W) and labels (N), or NPY files x_test.npy,y_test.npy; "
      + "two files are training and test images."
  }
}
