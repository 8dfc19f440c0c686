import Foundation
import NamidTorch
import Testing

/// Numbers from PyTorch, as `Tests/Golden/README.md` describes them.
public enum Golden {
  /// The repository's root, found from where this file lies.
  public static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A golden file by its name.
  public static func url(_ name: String) -> URL {
    root.appending(path: "Tests/Golden").appending(path: name)
  }

  /// A file of the large data beside the repository; nil, with a printed reason, where there is none.
  public static func shared(_ path: String) -> URL? {
    let url = root.deletingLastPathComponent().appending(path: "shared").appending(path: path)
    if FileManager.default.fileExists(atPath: url.path) { return url }
    print("skipped: there is no \(url.path)")
    return nil
  }

  /// The contents of a golden JSON file.
  public static func json<Value: Decodable>(
    _ name: String, as _: Value.Type = Value.self
  ) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: url("\(name).json")))
  }

  /// The tensors of a golden file, floating-point ones converted.
  public static func tensors(_ name: String, dtype: DType = .float64) throws -> GoldenTensors {
    GoldenTensors(file: name, tensors: try Weights.read(url("\(name).safetensors")), dtype: dtype)
  }
}

/// The tensors of a golden file, or those of them below one name.
public struct GoldenTensors {
  /// Names without the common beginning.
  public var names: [String] { tensors.keys.sorted() }
  private let file: String
  private let tensors: [String: Tensor]
  private let dtype: DType

  init(file: String, tensors: [String: Tensor], dtype: DType) {
    self.file = file
    self.tensors = tensors
    self.dtype = dtype
  }

  /// The tensor of a name; throws when the file has none.
  public subscript(_ name: String) -> Tensor {
    get throws {
      guard let tensor = tensors[name] else { throw Missing(name: name, file: file) }
      return tensor.dtype.isFloatingPoint ? tensor.to(dtype) : tensor
    }
  }

  /// The tensor of a name, or nil.
  public func find(_ name: String) -> Tensor? { try? self[name] }

  /// The tensors whose names begin with `CASE/`, without that beginning.
  public func below(_ name: String) -> GoldenTensors {
    let prefix = "\(name)/"
    let inside = tensors.filter { $0.key.hasPrefix(prefix) }
    return GoldenTensors(
      file: "\(file): \(name)",
      tensors: Dictionary(
        uniqueKeysWithValues: inside.map { (String($0.key.dropFirst(prefix.count)), $0.value) }),
      dtype: dtype)
  }

  /// The same with some tensors exchanged, as for leaves whose gradients are wanted.
  public func replacing(_ others: [String: Tensor]) -> GoldenTensors {
    GoldenTensors(file: file, tensors: tensors.merging(others) { $1 }, dtype: dtype)
  }

  struct Missing: Error, CustomStringConvertible {
    let name: String
    let file: String
    var description: String { "the golden file \(file) has no \"\(name)\"" }
  }
}

/// Records a failure unless a result agrees with PyTorch's: the largest difference may be `tolerance` times the
/// largest expected value.
///
/// - Parameters:
///   - actual: The result of this library.
///   - expected: PyTorch's result in float64.
///   - name: Stands before the message.
///   - tolerance: 1e-10 in float64 and 1e-5 in float32 unless given.
///   - sourceLocation: The place at which the failure is reported.
/// - Returns: True where they agree.
@discardableResult
public func expectGolden(
  _ actual: Tensor, _ expected: Tensor, _ name: String = "", tolerance: Double? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  let isDouble = actual.dtype == .float64
  let tolerance = tolerance ?? (isDouble ? 1e-10 : 1e-5)
  // Gradients that vanish in exact arithmetic keep only rounding.
  let floor = isDouble ? 1e-4 : 0.01
  let largest = expected.doubles.map { Swift.abs($0) }.max() ?? 0
  return expectClose(
    actual, expected, rtol: 0, atol: tolerance * Swift.max(largest, floor), name,
    sourceLocation: sourceLocation)
}
