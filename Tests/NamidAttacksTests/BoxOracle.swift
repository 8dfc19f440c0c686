import Foundation
@testable import NamidAttacks

/// The shortest way from a point to a hyperplane within the box, for one row on the host in float64.
///
/// Sizes by bisection, for L1 by spending on the largest weights first.
struct BoxOracle {
  let normal: [Double]
  let point: [Double]
  /// The function's value at the point.
  let value: Double

  var weights: [Double] { normal.map { Swift.abs($0) } }
  var rooms: [Double] {
    zip(normal, point).map { $0 * value > 0 ? $1 : 1 - $1 }
  }

  func displacement(_ norm: Norm) -> [Double] {
    let (weights, rooms) = (weights, rooms)
    let target = Swift.abs(value)
    let reach = zip(weights, rooms).reduce(0) { $0 + $1.0 * $1.1 }
    var sizes = rooms
    if reach > target {
      if norm == .l1 {
        sizes = rooms.map { _ in 0 }
        var rest = target
        for i in weights.indices.sorted(by: { weights[$0] > weights[$1] }) where rest > 0 {
          sizes[i] = min(rooms[i], rest / weights[i])
          rest -= sizes[i] * weights[i]
        }
      } else {
        func at(_ level: Double) -> [Double] {
          zip(weights, rooms).map { min(level * (norm == .l2 ? $0 : 1), $1) }
        }
        var (low, high) = (0.0, 1e6)
        for _ in 0..<90 {
          let middle = (low + high) / 2
          let sum = zip(weights, at(middle)).reduce(0) { $0 + $1.0 * $1.1 }
          if sum < target { low = middle } else { high = middle }
        }
        sizes = at(high)
      }
    }
    return zip(normal, sizes).map { -($0 * value).sign(times: $1) }
  }

  /// The length of the way, infinite where all of the box is on one side.
  func distance(_ norm: Norm) -> Double {
    let way = displacement(norm)
    let gain = zip(normal, way).reduce(0) { $0 + $1.0 * $1.1 }
    if Swift.abs(value + gain) > 1e-9 { return .infinity }
    return switch norm {
    case .linf: way.map { Swift.abs($0) }.max() ?? 0
    case .l2: way.reduce(0) { $0 + $1 * $1 }.squareRoot()
    case .l1: way.reduce(0) { $0 + Swift.abs($1) }
    }
  }
}

extension Double {
  /// A size with this number's sign; 0 for 0.
  fileprivate func sign(times size: Double) -> Double { self > 0 ? size : self < 0 ? -size : 0 }
}
