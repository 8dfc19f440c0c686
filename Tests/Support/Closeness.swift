import NamidTorch
import Testing

/// Records a failure unless two tensors have the same shape and |actual − expected| ≤ atol + rtol·|expected| in
/// every element.
///
/// Equal infinities are close; NaN is close to nothing, not even to NaN. Element types may differ.
///
/// - Returns: True where they are close, for tests that go on only then.
@discardableResult
public func expectClose(
  _ actual: Tensor, _ expected: Tensor, rtol: Double = 1e-5, atol: Double = 0, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  expectClose(
    actual.doubles, expected.doubles, shapes: (actual.shape, expected.shape), rtol: rtol,
    atol: atol, name, sourceLocation)
}

/// Records a failure unless two lists of numbers agree as `expectClose` of tensors says.
@discardableResult
public func expectClose<Number: BinaryFloatingPoint & Sendable>(
  _ actual: [Number], _ expected: [Number], rtol: Double = 1e-5, atol: Double = 0,
  _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  expectClose(
    actual.map { Double($0) }, expected.map { Double($0) },
    shapes: ([actual.count], [expected.count]), rtol: rtol, atol: atol, name, sourceLocation)
}

/// Records a failure unless two numbers agree as `expectClose` of tensors says.
@discardableResult
public func expectClose(
  _ actual: Double, _ expected: Double, rtol: Double = 1e-5, atol: Double = 0, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  expectClose(
    [actual], [expected], shapes: ([], []), rtol: rtol, atol: atol, name, sourceLocation)
}

/// Records a failure unless two tensors have the same shape, element type and bits, so that NaN equals itself.
@discardableResult
public func expectIdentical(
  _ actual: Tensor, _ expected: Tensor, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) -> Bool {
  let prefix = name.isEmpty ? "" : "\(name): "
  guard actual.shape == expected.shape, actual.dtype == expected.dtype else {
    Issue.record(
      """
      \(prefix)a tensor of \(actual.dtype)\(actual.shape) instead of \
      \(expected.dtype)\(expected.shape)
      """, sourceLocation: sourceLocation)
    return false
  }
  guard actual.record.bytes != expected.record.bytes else { return true }
  let worst = Difference(actual.doubles, expected.doubles, rtol: 0, atol: 0)
  Issue.record(
    "\(prefix)not identical; \(worst.text(shape: actual.shape))", sourceLocation: sourceLocation)
  return false
}

private func expectClose(
  _ actual: [Double], _ expected: [Double], shapes: (actual: [Int], expected: [Int]),
  rtol: Double, atol: Double, _ name: String, _ sourceLocation: SourceLocation
) -> Bool {
  let prefix = name.isEmpty ? "" : "\(name): "
  guard shapes.actual == shapes.expected else {
    Issue.record(
      "\(prefix)shape \(shapes.actual) instead of \(shapes.expected)",
      sourceLocation: sourceLocation)
    return false
  }
  let difference = Difference(actual, expected, rtol: rtol, atol: atol)
  guard difference.failures > 0 else { return true }
  Issue.record("\(prefix)\(difference.text(shape: shapes.actual))", sourceLocation: sourceLocation)
  return false
}

/// The places where two lists of equal length differ by more than is allowed.
struct Difference {
  private(set) var failures = 0
  private var largest = 0.0
  private var worst: (index: Int, excess: Double, actual: Double, expected: Double)?
  private let count: Int
  private let tolerances: (rtol: Double, atol: Double)

  init(_ actual: [Double], _ expected: [Double], rtol: Double, atol: Double) {
    count = actual.count
    tolerances = (rtol, atol)
    for (i, (a, e)) in zip(actual, expected).enumerated() where a != e {
      let isNumber = !a.isNaN && !e.isNaN
      let delta = isNumber ? abs(a - e) : .infinity
      // A share of infinity would allow anything, and nothing is near enough to NaN.
      let allowed = e.isFinite && isNumber ? atol + rtol * abs(e) : 0
      largest = max(largest, delta)
      guard delta > allowed else { continue }
      failures += 1
      // Furthest beyond its allowance: beside a large element that is close enough, a small one may be wrong.
      if delta - allowed > worst?.excess ?? -.infinity { worst = (i, delta - allowed, a, e) }
    }
  }

  func text(shape: [Int]) -> String {
    guard let worst else { return "all \(count) elements are close" }
    var rest = worst.index
    let position = shape.reversed().map { size in
      defer { rest /= size }
      return rest % size
    }
    return """
      \(failures) of \(count) elements differ (rtol \(tolerances.rtol), atol \(tolerances.atol)); \
      max |Δ| = \(largest), worst at \(Array(position.reversed())): \(worst.actual) \
      instead of \(worst.expected)
      """
  }
}

extension Tensor {
  /// The elements as `Double`, converted.
  public var doubles: [Double] { to(.float64).array() }
}
