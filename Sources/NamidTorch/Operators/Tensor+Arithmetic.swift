/// Elementwise arithmetic and matrix products, with broadcasting; names and meaning are PyTorch's.
extension Tensor {
  /// Elementwise sum.
  public static func + (a: Tensor, b: Tensor) -> Tensor { one(.add, a, b) }
  /// Sum with a number.
  public static func + (a: Tensor, b: some Scalar) -> Tensor { one(.addScalar, a, b) }
  /// Sum with a number.
  public static func + (a: some Scalar, b: Tensor) -> Tensor { one(.addScalar, b, a) }
  /// Elementwise difference.
  public static func - (a: Tensor, b: Tensor) -> Tensor { one(.sub, a, b) }
  /// Difference with a number.
  public static func - (a: Tensor, b: some Scalar) -> Tensor { one(.subScalar, a, b) }
  /// Difference from a number.
  public static func - (a: some Scalar, b: Tensor) -> Tensor { one(.rsub, b, a) }
  /// Elementwise product.
  public static func * (a: Tensor, b: Tensor) -> Tensor { one(.mul, a, b) }
  /// Product with a number.
  public static func * (a: Tensor, b: some Scalar) -> Tensor { one(.mulScalar, a, b) }
  /// Product with a number.
  public static func * (a: some Scalar, b: Tensor) -> Tensor { one(.mulScalar, b, a) }
  /// Elementwise quotient.
  public static func / (a: Tensor, b: Tensor) -> Tensor { one(.div, a, b) }
  /// Quotient by a number.
  public static func / (a: Tensor, b: some Scalar) -> Tensor { one(.divScalar, a, b) }
  /// A number divided by each element, as PyTorch computes it: the reciprocal times the number.
  public static func / (a: some Scalar, b: Tensor) -> Tensor { b.reciprocal() * a }
  /// Negation.
  public static prefix func - (a: Tensor) -> Tensor { one(.neg, a) }

  /// Sum with `alpha · other`; on most processors the product is not rounded before it is added.
  public func add(_ other: Tensor, alpha: some Scalar) -> Tensor { one(.add, self, other, alpha) }
  /// Absolute value.
  public func abs() -> Tensor { one(.abs, self) }
  /// -1, 0 or 1.
  public func sign() -> Tensor { one(.sign, self) }
  /// e to the power of each element.
  public func exp() -> Tensor { one(.exp, self) }
  /// Natural logarithm.
  public func log() -> Tensor { one(.log, self) }
  /// Natural logarithm of one plus each element.
  public func log1p() -> Tensor { one(.log1p, self) }
  /// Square root.
  public func sqrt() -> Tensor { one(.sqrt, self) }
  /// One over each element.
  public func reciprocal() -> Tensor { one(.reciprocal, self) }
  /// Square.
  public func square() -> Tensor { one(.square, self) }
  /// Each element to the power `exponent`.
  public func pow(_ exponent: some Scalar) -> Tensor { one(.pow, self, exponent) }
  /// log(1 + eˣ).
  public func softplus() -> Tensor { one(.softplus, self) }
  /// 1 / (1 + e⁻ˣ).
  public func sigmoid() -> Tensor { one(.sigmoid, self) }
  /// Hyperbolic tangent.
  public func tanh() -> Tensor { one(.tanh, self) }
  /// Inverse hyperbolic tangent.
  public func atanh() -> Tensor { one(.atanh, self) }
  /// Cosine.
  public func cos() -> Tensor { one(.cos, self) }
  /// The sine.
  public func sin() -> Tensor { one(.sin, self) }
  /// The largest integer not above each element.
  public func floor() -> Tensor { one(.floor, self) }
  /// The nearest integer, halves to even.
  public func round() -> Tensor { one(.round, self) }
  /// Remainder with the divisor's sign, as Python's `%`.
  public func remainder(_ divisor: some Scalar) -> Tensor { one(.remainder, self, divisor) }

  /// Each element brought into [min, max].
  public func clamp(min: Double? = nil, max: Double? = nil) -> Tensor {
    one(.clamp, self, min, max)
  }
  /// Each element brought into [min, max], elementwise.
  public func clamp(min: Tensor?, max: Tensor?) -> Tensor {
    one(.clampTensor, self, min, max)
  }
  /// The smaller of two, elementwise.
  public func minimum(_ other: Tensor) -> Tensor { one(.minimum, self, other) }
  /// The larger of two, elementwise.
  public func maximum(_ other: Tensor) -> Tensor { one(.maximum, self, other) }

  /// Elements of `self` where `condition` holds, of `other` elsewhere.
  public func `where`(_ condition: Tensor, else other: Tensor) -> Tensor {
    one(.where, condition, self, other)
  }

  /// Matrix product, as PyTorch's `matmul`.
  public func matmul(_ other: Tensor) -> Tensor { one(.matmul, self, other) }
  /// Batched matrix product of (B, N, K) and (B, K, M).
  public func bmm(_ other: Tensor) -> Tensor { one(.bmm, self, other) }
  /// Running sums along a dimension.
  public func cumsum(_ dimension: Int) -> Tensor { one(.cumsum, self, dimension) }
  /// p-distances between the rows of (…, N, D) and (…, M, D): (…, N, M).
  public func cdist(_ other: Tensor, p: Double = 2) -> Tensor { one(.cdist, self, other, p) }
  /// Sign and logarithm of the absolute value of the determinant of (…, N, N).
  public func slogdet() -> (sign: Tensor, logAbsDet: Tensor) {
    let results = invoke(.slogdet, self)
    return (results[0], results[1])
  }
}

/// Changes in place, marked by PyTorch's trailing underscore.
extension Tensor {
  /// Adds `alpha · other`.
  @discardableResult
  public func add_(_ other: Tensor, alpha: some Scalar = 1) -> Tensor {
    one(.addInPlace, self, other, alpha)
  }
  /// Adds a number.
  @discardableResult
  public func add_(_ other: some Scalar) -> Tensor { one(.addScalarInPlace, self, other) }
  /// Subtracts `alpha · other`.
  @discardableResult
  public func sub_(_ other: Tensor, alpha: some Scalar = 1) -> Tensor {
    one(.subInPlace, self, other, alpha)
  }
  /// Multiplies by `other`.
  @discardableResult
  public func mul_(_ other: Tensor) -> Tensor { one(.mulInPlace, self, other) }
  /// Multiplies by a number.
  @discardableResult
  public func mul_(_ other: some Scalar) -> Tensor { one(.mulScalarInPlace, self, other) }
  /// Divides by `other`.
  @discardableResult
  public func div_(_ other: Tensor) -> Tensor { one(.divInPlace, self, other) }
  /// Takes over the values of `source`, broadcast and converted.
  @discardableResult
  public func copy_(_ source: Tensor) -> Tensor { one(.copyInPlace, self, source) }
  /// Sets all elements to zero.
  @discardableResult
  public func zero_() -> Tensor { one(.zeroInPlace, self) }
  /// Sets all elements to one value.
  @discardableResult
  public func fill_(_ value: some Scalar) -> Tensor { one(.fillInPlace, self, value) }
  /// Brings each element into [min, max].
  @discardableResult
  public func clamp_(min: Double? = nil, max: Double? = nil) -> Tensor {
    one(.clampInPlace, self, min, max)
  }
  /// Moves towards `end` by the fraction `weight`.
  @discardableResult
  public func lerp_(_ end: Tensor, weight: Double) -> Tensor {
    one(.lerpInPlace, self, end, weight)
  }
}
