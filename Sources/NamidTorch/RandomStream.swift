import Foundation

/// A stream of random numbers that depends only on its key.
///
/// A key says what the numbers are for: a seed, a purpose, a sample's index, a restart, a step. Streams with
/// different keys are independent, so results do not depend on batch size, order, dropped samples or a resume.
/// Numbers come from SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) started at a hash of the key.
public struct RandomStream: Hashable, Sendable {
  private(set) var state: UInt64

  /// The stream of a run's seed.
  public init(seed: Int) {
    state = Self.mix(UInt64(bitPattern: Int64(seed)) &+ 0x6e61_6d69_6400)
  }

  /// The generator as published, started at a number instead of at a key.
  package init(state: UInt64) { self.state = state }

  /// The stream for one purpose within this one.
  public func keyed(_ purpose: String) -> RandomStream { keyed(bits: Self.bits(of: purpose)) }

  /// The stream with one number (a sample, a restart, a step) within this one.
  public func keyed(_ index: Int) -> RandomStream { keyed(bits: Self.bits(of: index)) }

  /// The stream under several keys, the first of them outermost.
  func keyed(all keys: [UInt64]) -> RandomStream { keys.reduce(self) { $0.keyed(bits: $1) } }

  /// The key of a purpose: its FNV-1a hash.
  static func bits(of purpose: String) -> UInt64 {
    purpose.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// The key of a number.
  static func bits(of index: Int) -> UInt64 { UInt64(bitPattern: Int64(index)) }

  private func keyed(bits: UInt64) -> RandomStream {
    var copy = self
    copy.state = Self.mix(state ^ Self.mix(bits &+ Self.increment)) &+ 0x5851_f42d_4c95_7f2d
    return copy
  }

  /// The increment of SplitMix64's state for each number.
  static let increment: UInt64 = 0x9e37_79b9_7f4a_7c15
  /// The two factors of its finalizer.
  static let factors: (UInt64, UInt64) = (0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb)

  /// The finalizer of SplitMix64.
  package static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* factors.0
    z = (z ^ (z >> 27)) &* factors.1
    return z ^ (z >> 31)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state = state &+ Self.increment
    return Self.mix(state)
  }

  /// The next number in [0, 1), a multiple of 2⁻²⁴.
  public mutating func uniform() -> Float {
    Float(next() >> 40) * 0x1p-24
  }

  /// The next integer in 0 ..< bound (multiply-shift; bias below bound / 2³²).
  public mutating func integer(below bound: Int) -> Int {
    Int(((next() >> 32) &* UInt64(bound)) >> 32)
  }

  /// The numbers 0 ..< count in random order.
  public func permutation(_ count: Int) -> [Int] {
    var stream = self
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, stream.integer(below: last + 1))
    }
    return order
  }

  /// Fills `buffer` with uniform numbers in [low, high]; rounding can reach `high` about once in 2²⁴ draws.
  func fillUniform(_ buffer: UnsafeMutableBufferPointer<Float>, low: Float, high: Float) {
    var stream = self
    for i in buffer.indices { buffer[i] = low + (high - low) * stream.uniform() }
  }

  /// Fills `buffer` with standard normal numbers (Box and Muller).
  func fillNormal(_ buffer: UnsafeMutableBufferPointer<Float>) {
    var stream = self
    var i = 0
    while i < buffer.count {
      let radius = (-2 * log(1 - stream.uniform())).squareRoot()
      let angle = 2 * Float.pi * stream.uniform()
      buffer[i] = radius * cos(angle)
      if i + 1 < buffer.count { buffer[i + 1] = radius * sin(angle) }
      i += 2
    }
  }
}

extension Tensor {
  /// Uniform numbers in [low, high], one stream per sample; the result has shape (streams, shape…).
  public static func uniform(
    _ streams: [RandomStream], shape: [Int], low: Double = 0, high: Double = 1
  ) -> Tensor {
    random(streams, shape: shape) { $0.fillUniform($1, low: Float(low), high: Float(high)) }
  }

  /// Standard normal numbers, one stream per sample; the result has shape (streams, shape…).
  public static func normal(_ streams: [RandomStream], shape: [Int]) -> Tensor {
    random(streams, shape: shape) { $0.fillNormal($1) }
  }

  private static func random(
    _ streams: [RandomStream], shape: [Int],
    fill: (RandomStream, UnsafeMutableBufferPointer<Float>) -> Void
  ) -> Tensor {
    let each = shape.reduce(1, *)
    let values = [Float](unsafeUninitializedCapacity: streams.count * each) { buffer, count in
      for (i, stream) in streams.enumerated() {
        fill(stream, UnsafeMutableBufferPointer(rebasing: buffer[i * each..<(i + 1) * each]))
      }
      count = streams.count * each
    }
    return Tensor(values, shape: [streams.count] + shape)
  }
}
