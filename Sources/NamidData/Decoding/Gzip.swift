import CNamidImaging
import Foundation

/// Reading of gzip files.
enum Gzip {
  /// True for bytes that start like a gzip file.
  static func isGzip(_ data: Data) -> Bool {
    data.starts(with: [0x1F, 0x8B])
  }

  /// Inflates a gzip file of one or more members to at most `limit` bytes; a small file can hold very many.
  ///
  /// - Throws: `ImagingError`, of kind `truncated` when the file ends early and of kind `tooLarge`
  ///   when it holds more than `limit` bytes.
  static func inflate(_ data: Data, limit: Int) throws -> [UInt8] {
    let (content, failure) = try inflateWhatIsThere(data, limit: limit)
    if let failure { throw failure }
    return content
  }

  /// Inflates a file that may end early: what came out, and the error unless that is all.
  static func inflateWhatIsThere(
    _ data: Data, limit: Int
  ) throws -> (content: [UInt8], truncated: ImagingError?) {
    precondition(limit >= 0, "a limit of \(limit) bytes")
    var content = cimg_bytes()
    defer { cimg_free(content.bytes) }
    var truncated: ImagingError?
    do {
      try withCMessage { message, capacity in
        data.withUnsafeBytes { bytes in
          cimg_inflate_gzip(
            bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, limit, &content, message,
            capacity)
        }
      }
    } catch let error as ImagingError where error.kind == .truncated {
      truncated = error
    }
    return (Array(UnsafeBufferPointer(start: content.bytes, count: content.count)), truncated)
  }
}
