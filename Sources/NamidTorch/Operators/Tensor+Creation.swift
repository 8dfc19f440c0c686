/// New tensors; names and meaning are PyTorch's.
extension Tensor {
  /// Zeros.
  public static func zeros(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    one(.zeros, shape, dtype, Int?.none, device)
  }

  /// Ones.
  public static func ones(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    one(.ones, shape, dtype, Int?.none, device)
  }

  /// One value everywhere.
  public static func full(
    _ shape: [Int], _ value: some Scalar, dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    one(.full, shape, value, dtype, Int?.none, device)
  }

  /// The integers from 0 up to, not including, `end`.
  public static func arange(
    _ end: Int, dtype: DType = .int64, device: Device = .cpu
  ) -> Tensor {
    one(.arange, end, dtype, Int?.none, device)
  }

  /// A tensor of rank 0.
  public static func scalar(
    _ value: some Scalar, dtype: DType = .float32, device: Device = .cpu
  ) -> Tensor {
    full([], value, dtype: dtype, device: device)
  }

  /// Zeros with this tensor's shape, element type, device and memory format.
  public func zerosLike() -> Tensor { one(.zerosLike, self) }

  /// Ones with this tensor's shape, element type, device and memory format.
  public func onesLike() -> Tensor { one(.onesLike, self) }

  /// One value everywhere, with this tensor's shape, element type, device and memory format.
  public func fullLike(_ value: some Scalar) -> Tensor { one(.fullLike, self, value) }
}
