import Foundation

/// The tensors and the metadata of a safetensors file, every byte of which has been accounted for.
///
/// The whole header is checked when the file is read; the bytes of a tensor are copied out of the
/// mapped file when it is asked for. Files are replaced by renaming, never rewritten in place, so a
/// mapping stays valid while a new version is saved over it. Names are compared as Swift compares
/// strings: a file with two Unicode spellings of one name is refused.
public struct SafetensorsFile: Sendable {
  /// Free text that travels with the tensors, such as a configuration or its hash.
  public let metadata: [String: String]
  /// Names of the tensors, in the order of their data in the file.
  public let names: [String]

  private let entries: [String: SafetensorsHeader.Entry]
  private let data: Data
  private let bufferStart: Int

  /// Maps and checks the file at a URL.
  public static func read(_ url: URL) throws(SafetensorsError) -> SafetensorsFile {
    let data: Data
    do {
      data = try Data(contentsOf: url, options: .alwaysMapped)
    } catch {
      throw SafetensorsError(
        file: url.path, operation: .reading,
        problem: .unreadable(reason: error.localizedDescription))
    }
    return try SafetensorsFile(data, named: url.path)
  }

  /// Checks the contents of a file that are in memory; `name` stands for its path in errors.
  public init(_ data: Data, named name: String = "safetensors data") throws(SafetensorsError) {
    do {
      try self.init(checking: data)
    } catch {
      throw SafetensorsError(file: name, operation: .reading, problem: error)
    }
  }

  private init(checking data: Data) throws(SafetensorsError.Problem) {
    let headerLength = try Self.headerLength(of: data)
    let start = data.startIndex + SafetensorsHeader.offset
    let header = try SafetensorsHeader(
      data[start..<start + headerLength], bufferLength: data.count - 8 - headerLength)
    self.data = data
    bufferStart = start + headerLength
    metadata = header.metadata
    names = header.entries.map(\.name)
    entries = Dictionary(
      header.entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for entry in header.entries {
      if let (index, value) = TensorRecord.firstNonBoolean(in: slice(of: entry), dtype: entry.dtype)
      {
        throw .notBoolean(value, index: index, tensor: entry.name)
      }
    }
  }

  /// The tensor with a name, or nil where there is none; copies its bytes.
  public subscript(name: String) -> TensorRecord? {
    guard let entry = entries[name] else { return nil }
    return TensorRecord(dtype: entry.dtype, shape: entry.shape, bytes: Data(slice(of: entry)))
  }

  /// Type and shape of a tensor, or nil where there is none; touches none of its bytes.
  public func layout(of name: String) -> (dtype: DType, shape: [Int])? {
    entries[name].map { ($0.dtype, $0.shape) }
  }

  private func slice(of entry: SafetensorsHeader.Entry) -> Data {
    data[bufferStart + entry.range.lowerBound..<bufferStart + entry.range.upperBound]
  }

  private static func headerLength(of data: Data) throws(SafetensorsError.Problem) -> Int {
    guard data.count >= 8 else { throw .shorterThanLengthField(byteCount: data.count) }
    let declared = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard declared > 0 else { throw .emptyHeader }
    guard declared <= SafetensorsHeader.longest else {
      throw .headerTooLong(declared: declared, limit: SafetensorsHeader.longest)
    }
    let available = data.count - 8
    guard declared <= available else {
      throw .headerBeyondFile(declared: declared, available: available)
    }
    let first = data[data.startIndex + 8]
    guard first == UInt8(ascii: "{") else { throw .headerWithoutBrace(found: first) }
    return Int(declared)
  }
}
