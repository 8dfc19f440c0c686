import Foundation
import NamidTestSupport
import NamidTorch
@testable import NamidAttacks

/// Exact answers about transport of mass on one small image, by plain loops in float64.
struct TransportOracle {
  let window: TransportWindow
  let (height, width): (Int, Int)
  /// What each pixel has.
  let mass: [Double]
  let limit: Double
  let distances: [Double]

  init(_ image: [Double], height: Int, width: Int, side: Int, radius: Double) {
    window = TransportWindow(side: side)
    (self.height, self.width) = (height, width)
    mass = image
    limit = radius * image.reduce(0, +)
    distances = window.distances
  }

  /// The pixel that an offset leads to, or nil outside the image.
  func destination(_ pixel: Int, _ offset: Int) -> Int? {
    let before = window.side / 2
    let y = pixel / width + offset / window.side - before
    let x = pixel % width + offset % window.side - before
    return (0..<height).contains(y) && (0..<width).contains(x) ? y * width + x : nil
  }

  /// Per pixel, its inner offsets with a value for the pixel that each leads to.
  func reachable(_ values: [Double]) -> [[(offset: Int, value: Double)]] {
    mass.indices.map { pixel in
      distances.indices.compactMap { offset in
        destination(pixel, offset).map { (offset, values[$0]) }
      }
    }
  }

  /// The largest gain of any plan within the budget, where a unit of mass gains `values` at its destination.
  ///
  /// By duality the least of λ·limit + Σ x·max(G − λC) over λ ≥ 0, which is reached at 0 or where two offsets of a
  /// pixel become equally good: all of these are tried.
  func largestGain(_ values: [Double]) -> Double {
    let rows = reachable(values)
    var prices = [0.0]
    for row in rows {
      for a in row {
        for b in row where distances[a.offset] > distances[b.offset] {
          let price = (a.value - b.value) / (distances[a.offset] - distances[b.offset])
          if price > 0 { prices.append(price) }
        }
      }
    }
    return prices.map { price in
      zip(rows, mass).reduce(price * limit) { sum, pixel in
        let best = pixel.0.map { $0.value - price * distances[$0.offset] }.max() ?? 0
        return sum + pixel.1 * best
      }
    }.min() ?? 0
  }

  /// The least price, by bisection, at which masses made for a price cost no more than the budget.
  private func affordable(_ masses: (_ price: Double) -> [[Double]]) -> [[Double]] {
    func cost(_ masses: [[Double]]) -> Double {
      masses.reduce(0) { sum, row in sum + zip(row, distances).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    let free = masses(0)
    if cost(free) <= limit { return free }
    var (low, high) = (0.0, 100.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cost(masses(middle)) <= limit { high = middle } else { low = middle }
    }
    return masses(high)
  }

  /// The plan (pixels, offsets) of the largest gain plus γ·entropy.
  func entropic(_ values: [Double], gamma: Double) -> [[Double]] {
    let rows = reachable(values)
    return affordable { price in
      zip(rows, mass).map { row, mass in
        let powers = row.map { ($0.value - price * distances[$0.offset]) / gamma }
        let top = powers.max() ?? 0
        let sum = powers.reduce(0) { $0 + exp($1 - top) }
        var result = [Double](repeating: 0, count: distances.count)
        for (place, power) in zip(row, powers) {
          result[place.offset] = mass * exp(power - top) / sum
        }
        return result
      }
    }
  }

  /// The plan nearest to `target` (pixels, offsets).
  func projection(_ target: [[Double]]) -> [[Double]] {
    affordable { price in
      mass.indices.map { pixel in
        let inner = distances.indices.filter { destination(pixel, $0) != nil }
        let shifted = inner.map { target[pixel][$0] - price * distances[$0] }
        var (low, high) = ((shifted.min() ?? 0) - mass[pixel], shifted.max() ?? 0)
        for _ in 0..<60 {
          let middle = (low + high) / 2
          let sum = shifted.reduce(0) { $0 + max($1 - middle, 0) }
          if sum <= mass[pixel] { high = middle } else { low = middle }
        }
        var result = [Double](repeating: 0, count: distances.count)
        for (offset, value) in zip(inner, shifted) { result[offset] = max(value - high, 0) }
        return result
      }
    }
  }
}
