/// Elementwise comparisons, written with a leading dot; results are tensors of truth values.
extension Tensor {
  /// Elementwise equality.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { one(.eq, a, b) }
  /// Equality with a number.
  public static func .== (a: Tensor, b: some Scalar) -> Tensor { one(.eqScalar, a, b) }
  /// Elementwise inequality.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { one(.ne, a, b) }
  /// Inequality with a number.
  public static func .!= (a: Tensor, b: some Scalar) -> Tensor { one(.neScalar, a, b) }
  /// Elementwise greater-than.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { one(.gt, a, b) }
  /// Greater than a number.
  public static func .> (a: Tensor, b: some Scalar) -> Tensor { one(.gtScalar, a, b) }
  /// Elementwise less-than.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { one(.lt, a, b) }
  /// Less than a number.
  public static func .< (a: Tensor, b: some Scalar) -> Tensor { one(.ltScalar, a, b) }
  /// Elementwise at-least.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { one(.ge, a, b) }
  /// A mask of the elements that are at least a number.
  public static func .>= (a: Tensor, b: some Scalar) -> Tensor { one(.geScalar, a, b) }
  /// Elementwise at-most.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { one(.le, a, b) }
  /// A mask of the elements that are at most a number.
  public static func .<= (a: Tensor, b: some Scalar) -> Tensor { one(.leScalar, a, b) }

  /// Elementwise and.
  public static func .& (a: Tensor, b: Tensor) -> Tensor { one(.logicalAnd, a, b) }
  /// Elementwise or.
  public static func .| (a: Tensor, b: Tensor) -> Tensor { one(.logicalOr, a, b) }
  /// Elementwise not.
  public func logicalNot() -> Tensor { one(.logicalNot, self) }

  /// A mask of the elements that are neither NaN nor infinite.
  public func isfinite() -> Tensor { one(.isfinite, self) }
  /// True where at least one element is true or not zero, as a tensor of rank 0.
  public func any() -> Tensor { one(.any, self) }
  /// True where all elements are true or not zero, as a tensor of rank 0.
  public func all() -> Tensor { one(.all, self) }
}
