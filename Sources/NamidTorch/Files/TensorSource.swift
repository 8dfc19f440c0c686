/// A file of named tensors that are read one at a time, so that a file and what is made of it are not in memory at once.
public protocol TensorSource {
  /// The names of the tensors, in the order of the file.
  var names: [String] { get }
  /// Type and shape of a tensor, or nil where there is none; reads none of its bytes.
  func layout(of name: String) -> (dtype: DType, shape: [Int])?
  /// A tensor on the CPU, or nil where there is none of the name.
  func tensor(_ name: String) throws -> Tensor?
}

extension SafetensorsFile: TensorSource {
  /// A tensor on the CPU, or nil where there is none of the name.
  public func tensor(_ name: String) -> Tensor? { self[name].map { Tensor($0) } }
}
