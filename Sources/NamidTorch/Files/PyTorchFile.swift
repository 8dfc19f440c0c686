import Foundation
import NamidFiles

/// A file of PyTorch that cannot be read, with what to do.
public struct PyTorchFileError: Error, CustomStringConvertible, Sendable {
  /// The file's path.
  public let file: String
  /// The fault, as a sentence without its end.
  public let reason: String
  /// The remedy, as one or more sentences.
  public let remedy: String

  /// The fault and what to do.
  public var description: String { "cannot read \(file): \(reason). \(remedy)" }
}

/// The named tensors of a file that `torch.save` has written: a `state_dict`, alone or among other values.
///
/// Nothing of what the file names is run or looked up: the functions that rebuild tensors are known here by name, and
/// every other object is left alone. Both formats are read, the zip archives and the older row of pickles, with storages
/// of either byte order, shared storages, views and strides.
public struct PyTorchFile: TensorSource {
  /// The file's path.
  public let path: String
  /// The place of the tensors among the file's values, such as `model.ema`; empty for the outermost value.
  public let key: String
  /// The names of the tensors, in the order of the file.
  public let names: [String]
  /// Values beside the tensors that are no tensors, by name: `None`, numbers, objects.
  public let others: [String]

  private let tensors: [String: PyTorchValues.Stored]
  private let storages: StoredBytes

  /// Reads the structure of a file; tensors are read when they are asked for.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - key: The place of the tensors, such as `model_state_dict`; nil finds it.
  /// - Throws: `PyTorchFileError`, also where several places hold weights and `key` is nil.
  public init(_ url: URL, key: String? = nil) throws {
    try self.init(RandomAccessFile(url), key: key)
  }

  init(_ file: RandomAccessFile, key: String?) throws {
    let archive = try PyTorchArchive(file)
    let reader = PyTorchValues(archive)
    let place = try reader.place(of: key)
    path = file.path
    self.key = place.key
    storages = archive.storages
    let content = try reader.tensors(in: place)
    (names, others) = (content.tensors.map(\.name), content.others)
    tensors = Dictionary(content.tensors.map { ($0.name, $0.tensor) }) { first, _ in first }
  }

  /// Type and shape of a tensor, or nil where there is none.
  public func layout(of name: String) -> (dtype: DType, shape: [Int])? {
    switch tensors[name] {
    case .view(let view): (view.dtype, view.shape)
    case .array(let dtype, let shape, _): (dtype, shape)
    case nil: nil
    }
  }

  /// A tensor on the CPU, or nil where there is none of the name.
  ///
  /// - Throws: An error where its bytes are damaged.
  public func tensor(_ name: String) throws -> Tensor? {
    guard let (dtype, shape) = layout(of: name) else { return nil }
    let bytes: [UInt8]
    switch tensors[name] {
    case .view(let view): bytes = try storages.rowMajorBytes(of: view)
    case .array(_, _, let own): bytes = own
    case nil: return nil
    }
    let record = TensorRecord(dtype: dtype, shape: shape, bytes: Data(bytes))
    if let (index, value) = TensorRecord.firstNonBoolean(in: record.bytes, dtype: dtype) {
      throw PyTorchFileError(
        file: path, reason: "\(name) holds the byte \(value) as truth value \(index)",
        remedy: "The file is damaged; fetch or save it again.")
    }
    return Tensor(record)
  }
}

/// A tensor as a view of a storage.
struct StoredView: Equatable {
  let dtype: DType
  let shape: [Int]
  let strides: [Int]
  /// The first element, counted from the storage's start.
  let offset: Int
  let storage: String

  var count: Int { shape.reduce(1, *) }

  /// The elements from the first to behind the last one that the view reads.
  var extent: Range<Int> {
    guard count > 0 else { return offset..<offset }
    return offset..<offset + zip(shape, strides).reduce(0) { $0 + ($1.0 - 1) * $1.1 } + 1
  }

  /// True where the elements lie one after another in row-major order.
  var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      if stride != expected { return false }
      expected *= size
    }
    return true
  }
}

/// The bytes of the storages of a file.
final class StoredBytes {
  enum Place {
    /// An entry of a zip archive.
    case entry(ZipArchive.Entry)
    /// Bytes of the file itself.
    case range(Range<Int>)

    var byteCount: Int {
      switch self {
      case .entry(let entry): entry.count
      case .range(let range): range.count
      }
    }
  }

  /// The file's length, to which the size of a view is compared.
  let fileLength: Int
  private let file: RandomAccessFile
  private let archive: ZipArchive?
  private let places: [String: Place]
  private let isBigEndian: Bool
  private var last: (storage: String, bytes: [UInt8])?

  init(
    _ file: RandomAccessFile, _ archive: ZipArchive?, _ places: [String: Place], isBigEndian: Bool
  ) {
    self.file = file
    self.archive = archive
    self.places = places
    self.isBigEndian = isBigEndian
    fileLength = file.count
  }

  /// The length of a storage in bytes; nil where the file has none of the name.
  func byteCount(of storage: String) -> Int? { places[storage]?.byteCount }

  /// The elements of a view in row-major order, in this machine's byte order.
  func rowMajorBytes(of view: StoredView) throws -> [UInt8] {
    let width = view.dtype.byteCount
    guard view.count > 0 else { return [] }
    let extent = view.extent
    let range = extent.lowerBound * width..<extent.upperBound * width
    var bytes = try read(view.storage, range)
    if !view.isContiguous { bytes = Self.gather(bytes, view) }
    if isBigEndian && width > 1 {
      for start in stride(from: 0, to: bytes.count, by: width) {
        bytes[start..<start + width].reverse()
      }
    }
    return bytes
  }

  private func read(_ storage: String, _ range: Range<Int>) throws -> [UInt8] {
    switch places[storage] {
    case .range(let place):
      return try file.read(
        place.lowerBound + range.lowerBound..<place.lowerBound + range.upperBound)
    case .entry(let entry):
      guard let archive else { return [] }
      // Several tensors may share a storage; each comes after the other then.
      if let last, last.storage == storage { return Array(last.bytes[range]) }
      let bytes = try archive.content(of: entry)
      if range == bytes.indices {
        last = nil
        return bytes
      }
      last = (storage, bytes)
      return Array(bytes[range])
    case nil: return []
    }
  }

  /// The elements of a view in row-major order; `bytes` begins with its first element.
  private static func gather(_ bytes: [UInt8], _ view: StoredView) -> [UInt8] {
    let width = view.dtype.byteCount
    var result: [UInt8] = []
    result.reserveCapacity(view.count * width)
    var place = [Int](repeating: 0, count: view.shape.count)
    var element = 0
    for _ in 0..<view.count {
      result += bytes[element * width..<(element + 1) * width]
      // The next place, the last axis fastest.
      var axis = view.shape.count - 1
      while axis >= 0 {
        place[axis] += 1
        element += view.strides[axis]
        if place[axis] < view.shape[axis] { break }
        element -= view.shape[axis] * view.strides[axis]
        place[axis] = 0
        axis -= 1
      }
    }
    return result
  }
}
