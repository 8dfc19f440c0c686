/// An array of NumPy as it lies in a pickle.
public struct PickledArray: Sendable, Equatable {
  /// The length of every axis.
  public let shape: [Int]
  /// NumPy's code of the element type without the byte order, such as `f4` or `u1`.
  public let code: String
  /// True where the most significant byte comes first.
  public let isBigEndian: Bool
  /// True where the first axis runs fastest.
  public let isColumnMajor: Bool
  /// The elements.
  public let bytes: [UInt8]
}

extension Pickle {
  /// The names that a pickled array needs.
  public static let arrayNames: Set = [
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray",
    "numpy.dtype", "_codecs.encode",
  ]

  /// An array of NumPy whose bytes fit its shape; nil for other values.
  ///
  /// NumPy pickles an empty array and then its state: version, shape, element type, order of axes, bytes.
  public func array(_ value: Value) -> PickledArray? {
    guard let object = object(value), let call = call(value), let state = object.state,
      call.name.hasSuffix("core.multiarray._reconstruct"),
      call.arguments.first.flatMap(name) == "numpy.ndarray",
      let fields = elements(state), fields.count == 5, let sizes = elements(fields[1]),
      let type = dtype(fields[2]), let bytes = byteString(fields[4])
    else { return nil }
    let shape = sizes.compactMap(integer)
    guard shape.count == sizes.count, let width = Int(type.code.dropFirst()),
      byteCount(shape, width: width) == bytes.count
    else { return nil }
    return PickledArray(
      shape: shape, code: type.code, isBigEndian: type.isBigEndian,
      isColumnMajor: fields[3] == .bool(true) || fields[3] == .integer(1), bytes: bytes)
  }

  private func dtype(_ value: Value) -> (code: String, isBigEndian: Bool)? {
    guard let call = call(value), call.name == "numpy.dtype",
      let code = call.arguments.first.flatMap(text)
    else { return nil }
    let order = object(value)?.state.flatMap(elements)?.dropFirst().first.flatMap(text)
    return (code, order == ">")
  }

  /// The bytes of an array, or nil for a shape that no array can have.
  private func byteCount(_ shape: [Int], width: Int) -> Int? {
    var total = width
    for size in shape {
      let (product, overflow) = total.multipliedReportingOverflow(by: size)
      guard size >= 0, !overflow else { return nil }
      total = product
    }
    return total
  }
}
