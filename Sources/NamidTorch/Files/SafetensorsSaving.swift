import Foundation
import NamidFiles

extension SafetensorsFile {
  /// Writes tensors so that the file at `url` is either the old one or the whole new one.
  ///
  /// Throws a ``SafetensorsError`` for tensors that the format cannot hold, and the error of the
  /// file system where the disk refuses.
  public static func write(
    _ records: [(name: String, record: TensorRecord)], metadata: [String: String] = [:],
    to url: URL
  ) throws {
    let plan: Plan
    do {
      plan = try Plan(records, metadata)
    } catch {
      throw SafetensorsError(error, .writing, url.path)
    }
    try AtomicFile.write(to: url) { writer in
      try writer.write(plan.head)
      for record in plan.records { try writer.write(record.bytes) }
    }
  }
}
