import Foundation
import NamidFiles
import NamidTorch

/// Numbers out of a file, in the byte order of this machine, the last axis fastest.
struct StoredArray {
  /// The file, and the array's name in it.
  var name: String
  var shape: [Int]
  var element: NPYElement
  var bytes: [UInt8]

  /// The type and the shape, for people.
  var kind: String { "\(element.title) \(Self.text(of: shape))" }

  /// A shape as people write it: `(N, 3, 32, 32)`.
  static func text(of shape: [Int]) -> String {
    "(\(shape.map(String.init).joined(separator: ", "))\(shape.count == 1 ? "," : ""))"
  }
}

/// A place of named arrays: a safetensors file, an NPZ archive, or NPY files.
enum ArrayContainer {
  case safetensors(SafetensorsFile, path: String)
  case npz(ZipArchive)
  /// Files by the names of their arrays, and the place that holds them.
  case npy([String: URL], path: String)

  /// Opens a file or a folder of NPY files.
  init(_ place: URL) throws {
    let kind = place.pathExtension.lowercased()
    if Files.isDirectory(place) {
      let names = try Files.names(in: place).filter { $0.lowercased().hasSuffix(".npy") }
      self = .npy(
        Dictionary(
          names.map { (String($0.dropLast(4)), place.appendingPathComponent($0)) },
          uniquingKeysWith: { first, _ in first }), path: place.path)
    } else if kind == "npz" {
      self = .npz(try ZipArchive(place))
    } else if kind == "npy" {
      self = .npy(try Self.pair(beside: place), path: place.path)
    } else {
      self = .safetensors(try SafetensorsFile.read(place), path: place.path)
    }
  }

  /// A file of images and the file of labels beside it, whose name follows from the first's.
  private static func pair(beside images: URL) throws -> [String: URL] {
    let stem = images.deletingPathExtension().lastPathComponent
    let others = [("x_", "y_"), ("X_", "y_"), ("x", "y"), ("X", "y"), ("images", "labels")]
      .compactMap { image, label -> URL? in
        guard let range = stem.range(of: image) else { return nil }
        let name = stem.replacingCharacters(in: range, with: label) + "." + images.pathExtension
        return images.deletingLastPathComponent().appendingPathComponent(name)
      }
    guard let labels = others.first(where: { Files.isFile($0) && $0 != images }) else {
      throw DatasetError.unfit(
        file: images.path, problem: "there are no labels beside it",
        remedy: "Name both files: file:\(stem).npy,LABELS.npy.")
    }
    return ["images": images, "labels": labels]
  }

  var path: String {
    switch self {
    case .safetensors(_, let path), .npy(_, let path): path
    case .npz(let archive): archive.path
    }
  }

  /// The kind of container, as reports name it.
  var layout: String {
    switch self {
    case .safetensors: "safetensors"
    case .npz: "npz"
    case .npy: "npy"
    }
  }

  /// The names of the arrays, sorted.
  var names: [String] {
    switch self {
    case .safetensors(let file, _): file.names.sorted()
    case .npz(let archive):
      archive.entries.map(\.name).filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
        .sorted()
    case .npy(let files, _): files.keys.sorted()
    }
  }

  /// The number of classes that the file itself states.
  var statedClasses: Int? {
    guard case .safetensors(let file, _) = self else { return nil }
    return file.metadata["classes"].flatMap(Int.init)
  }

  /// Reads an array.
  func array(_ name: String) throws -> StoredArray {
    switch self {
    case .safetensors(let file, let path):
      guard let record = file[name] else { throw missing(name) }
      return try Self.stored(record, named: "\(path): \(name)")
    case .npz(let archive):
      guard let entry = archive["\(name).npy"] else { throw missing(name) }
      return try Self.stored(
        NPYArray(archive.content(of: entry), named: "\(archive.path): \(name)"))
    case .npy(let files, _):
      guard let file = files[name] else { throw missing(name) }
      return try Self.stored(NPYArray(file))
    }
  }

  private func missing(_ name: String) -> DatasetError {
    .foreign(file: path, expected: "an array \(name)", found: names.joined(separator: ", "))
  }

  private static func stored(_ array: NPYArray) throws -> StoredArray {
    StoredArray(
      name: array.name, shape: array.shape, element: array.element, bytes: try array.bytes())
  }

  private static func stored(_ record: TensorRecord, named name: String) throws -> StoredArray {
    let element: NPYElement =
      switch record.dtype {
      case .uint8: .uint8
      case .int8: .int8
      case .int16: .int16
      case .int32: .int32
      case .int64: .int64
      case .float16: .float16
      case .float32, .bfloat16: .float32
      case .float64: .float64
      case .bool: .bool
      }
    if record.dtype == .bfloat16 {
      let wide = Tensor(record).to(.float32).array(of: Float.self)
      return StoredArray(
        name: name, shape: record.shape, element: element, bytes: wide.withUnsafeBytes(Array.init))
    }
    return StoredArray(
      name: name, shape: record.shape, element: element, bytes: [UInt8](record.bytes))
  }
}

/// The names that a split's arrays may have.
struct ArrayNames {
  var images: String
  var labels: String

  /// Names of a pair whose split its file decides.
  static let plain = [("images", "labels"), ("x", "y"), ("X", "y"), ("data", "labels")]
    .map(ArrayNames.init)

  /// Names of a pair of one split, those that most people write first.
  static func of(_ split: Split) -> [ArrayNames] {
    let words =
      switch split {
      case .train: ["train"]
      case .validation: ["val", "valid", "validation"]
      case .test: ["test"]
      }
    return words.flatMap { word in
      [
        ("x_\(word)", "y_\(word)"), ("X_\(word)", "y_\(word)"),
        ("\(word)_images", "\(word)_labels"), ("images_\(word)", "labels_\(word)"),
        ("x\(word)", "y\(word)"),
      ].map(ArrayNames.init)
    }
  }

  private init(_ pair: (String, String)) { (images, labels) = pair }

  /// The first pair of a list whose arrays are both there.
  static func first(of pairs: [ArrayNames], in names: [String]) -> ArrayNames? {
    pairs.first { names.contains($0.images) && names.contains($0.labels) }
  }
}
