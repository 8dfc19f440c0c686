import Foundation
import NamidFiles

extension PyTorchFile {
  /// Writes a `state_dict` that `torch.load(file, weights_only=True)` reads; the file is either the old one or the whole
  /// new one.
  ///
  /// - Parameters:
  ///   - state: The tensors with their names, which must differ.
  ///   - url: The file; its folder must exist.
  /// - Throws: `FileError` where the disk refuses.
  public static func write(_ state: [(name: String, tensor: Tensor)], to url: URL) throws {
    try AtomicFile.write(to: url) { writer in
      var zip = ZipWriter(writer)
      var pickle = PickledState()
      for (index, entry) in state.enumerated() {
        pickle.add(entry.name, entry.tensor.dtype, entry.tensor.shape, storage: "\(index)")
      }
      try zip.add("archive/data.pkl", pickle.finished)
      try zip.add("archive/byteorder", Array("little".utf8))
      for (index, entry) in state.enumerated() {
        try zip.add("archive/data/\(index)", entry.tensor.record.bytes)
      }
      try zip.add("archive/version", Array("3\n".utf8))
      try zip.finish()
    }
  }
}

/// A pickle of protocol 2 with an ordered dictionary of tensors, each in a storage of its own.
private struct PickledState {
  private static let dictionary = Array("ccollections\nOrderedDict\n)R".utf8)
  private var bytes: [UInt8] = [0x80, 2] + dictionary + Array("(".utf8)

  mutating func add(_ name: String, _ dtype: DType, _ shape: [Int], storage: String) {
    text(name)
    bytes += Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8)
    text("storage")
    bytes += Array("ctorch\n\(Self.storageClass(dtype))\n".utf8)
    text(storage)
    text("cpu")
    integer(shape.reduce(1, *))
    bytes += Array("tQ".utf8)
    integer(0)
    tuple(shape)
    // Row-major strides; an axis of length 0 counts as one of length 1.
    tuple(
      shape.indices.map { axis in shape[(axis + 1)...].reduce(1) { $0 * max($1, 1) } })
    // No gradient wanted, no hooks.
    bytes += [0x89] + Self.dictionary + Array("tR".utf8)
  }

  var finished: [UInt8] { bytes + Array("u.".utf8) }

  private mutating func text(_ text: String) {
    bytes.append(UInt8(ascii: "X"))
    bytes += littleEndian(text.utf8.count, 4) + Array(text.utf8)
  }

  private mutating func integer(_ value: Int) {
    if let small = UInt8(exactly: value) {
      bytes += [UInt8(ascii: "K"), small]
    } else if let middle = Int32(exactly: value) {
      bytes += [UInt8(ascii: "J")] + littleEndian(Int(middle), 4)
    } else {
      bytes += [0x8A, 8] + littleEndian(value, 8)
    }
  }

  private mutating func tuple(_ values: [Int]) {
    bytes.append(UInt8(ascii: "("))
    for value in values { integer(value) }
    bytes.append(UInt8(ascii: "t"))
  }

  private func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func storageClass(_ dtype: DType) -> String {
    switch dtype {
    case .uint8: "ByteStorage"
    case .int8: "CharStorage"
    case .int16: "ShortStorage"
    case .int32: "IntStorage"
    case .int64: "LongStorage"
    case .float16: "HalfStorage"
    case .float32: "FloatStorage"
    case .float64: "DoubleStorage"
    case .bool: "BoolStorage"
    case .bfloat16: "BFloat16Storage"
    }
  }
}
