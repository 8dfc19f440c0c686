import Foundation
import NamidFiles

/// Named tensors in safetensors files.
public enum Weights {
  /// Writes tensors aside and renames the file into place.
  public static func write(
    _ state: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to url: URL
  ) throws {
    try AtomicFile.write(to: url) { try write(state, metadata: metadata, with: $0) }
  }

  /// Writes tensors as the content of a file; only one of them at a time is copied.
  package static func write(
    _ state: [(name: String, tensor: Tensor)], metadata: [String: String] = [:],
    with writer: FileWriter
  ) throws {
    let plan: SafetensorsFile.Plan
    do {
      plan = try .init(state.map { ($0.name, $0.tensor.dtype, $0.tensor.shape) }, metadata)
    } catch {
      throw SafetensorsError(file: writer.path, operation: .writing, problem: error)
    }
    try writer.write(plan.head)
    for place in plan.order { try writer.write(state[place].tensor.record.bytes) }
  }

  /// Reads all tensors of a file onto a device.
  public static func read(_ url: URL, device: Device = .cpu) throws(SafetensorsError) -> [String:
    Tensor]
  {
    let file = try SafetensorsFile.read(url)
    var state: [String: Tensor] = [:]
    for name in file.names {
      if let record = file[name] { state[name] = Tensor(record).to(device) }
    }
    return state
  }
}

extension Tensor {
  /// The elements in row-major order with what is needed to read them back.
  public var record: TensorRecord {
    var bytes = Data(count: count * dtype.byteCount)
    bytes.withUnsafeMutableBytes { copyBytes(to: $0) }
    return TensorRecord(dtype: dtype, shape: shape, bytes: bytes)
  }

  /// A CPU tensor with a record's elements.
  public convenience init(_ record: TensorRecord) {
    let handle = record.bytes.withUnsafeBytes {
      Tensor.make(bytes: $0, shape: record.shape, dtype: record.dtype)
    }
    self.init(owning: handle)
  }
}
