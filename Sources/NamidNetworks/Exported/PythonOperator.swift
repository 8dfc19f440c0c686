import Foundation

/// The operators of Python that a graph applies to sizes.
enum PythonOperator: String, Sendable {
  case add
  case sub
  case mul
  case floordiv
  case mod
  case truediv
  case pow
  case neg
  case pos
  case eq
  case ne
  case lt
  case le
  case gt
  case ge
  case and_
  case or_
  case not
  case min
  case max
  case int
  case float
  case trunc
  case ite

  /// The number of operands.
  var arity: Int {
    switch self {
    case .neg, .pos, .not, .int, .float, .trunc: 1
    case .ite: 3
    default: 2
    }
  }

  /// A number or truth value.
  enum Value: Equatable, Sendable {
    case integer(Int)
    case real(Double)
    case boolean(Bool)

    /// The value as a real number.
    var real: Double {
      switch self {
      case .integer(let value): Double(value)
      case .real(let value): value
      case .boolean(let value): value ? 1 : 0
      }
    }

    /// The value as Python counts it, where it is whole.
    var integer: Int? {
      switch self {
      case .integer(let value): value
      case .real: nil
      case .boolean(let value): value ? 1 : 0
      }
    }

    /// True unless it is zero.
    var truth: Bool { real != 0 }
  }

  /// The result, or nil where there is none: a division by zero or a number beyond 64 bits.
  func callAsFunction(_ operands: [Value]) -> Value? {
    guard operands.count == arity else { return nil }
    switch self {
    case .neg: return PythonOperator.sub([.integer(0), operands[0]])
    case .pos: return operands[0]
    case .not: return .boolean(!operands[0].truth)
    case .float: return .real(operands[0].real)
    case .int, .trunc:
      if let whole = operands[0].integer { return .integer(whole) }
      return Int(exactly: operands[0].real.rounded(.towardZero)).map { .integer($0) }
    case .ite: return operands[0].truth ? operands[1] : operands[2]
    case .and_, .or_: return logical(operands[0], operands[1])
    case .eq, .ne, .lt, .le, .gt, .ge: return .boolean(compare(operands[0].real, operands[1].real))
    case .min: return operands[1].real < operands[0].real ? operands[1] : operands[0]
    case .max: return operands[1].real > operands[0].real ? operands[1] : operands[0]
    case .add, .sub, .mul, .floordiv, .mod, .truediv, .pow:
      if self != .truediv, let a = operands[0].integer, let b = operands[1].integer {
        return whole(a, b).map { .integer($0) }
      }
      return real(operands[0].real, operands[1].real).map { .real($0) }
    }
  }

  private func compare(_ a: Double, _ b: Double) -> Bool {
    switch self {
    case .eq: a == b
    case .ne: a != b
    case .lt: a < b
    case .le: a <= b
    case .gt: a > b
    default: a >= b
    }
  }

  private func logical(_ a: Value, _ b: Value) -> Value? {
    if case .boolean(let a) = a, case .boolean(let b) = b {
      return .boolean(self == .and_ ? a && b : a || b)
    }
    guard let a = a.integer, let b = b.integer else { return nil }
    return .integer(self == .and_ ? a & b : a | b)
  }

  private func whole(_ a: Int, _ b: Int) -> Int? {
    let result: (partialValue: Int, overflow: Bool)
    switch self {
    case .add: result = a.addingReportingOverflow(b)
    case .sub: result = a.subtractingReportingOverflow(b)
    case .mul: result = a.multipliedReportingOverflow(by: b)
    case .floordiv, .mod:
      let quotient = a.dividedReportingOverflow(by: b)
      guard !quotient.overflow else { return nil }
      // Python rounds down where Swift rounds towards zero.
      let rest = a % b
      let isBelow = rest != 0 && (rest < 0) != (b < 0)
      if self == .mod { return isBelow ? rest + b : rest }
      return isBelow ? quotient.partialValue - 1 : quotient.partialValue
    case .pow:
      guard (0...64).contains(b) else { return nil }
      result = (0..<b).reduce((1, false)) { power, _ in
        let (product, overflow) = power.0.multipliedReportingOverflow(by: a)
        return (product, power.1 || overflow)
      }
    default: return nil
    }
    return result.overflow ? nil : result.partialValue
  }

  private func real(_ a: Double, _ b: Double) -> Double? {
    switch self {
    case .add: a + b
    case .sub: a - b
    case .mul: a * b
    case .truediv: b == 0 ? nil : a / b
    case .floordiv: b == 0 ? nil : (a / b).rounded(.down)
    case .mod: b == 0 ? nil : a - b * (a / b).rounded(.down)
    case .pow: Foundation.pow(a, b)
    default: nil
    }
  }
}
