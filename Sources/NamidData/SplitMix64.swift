/// A small random stream for drawing images, independent of the engine's streams.
///
/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): a
/// counter through a mixing function, the same on every platform.
package struct SplitMix64: Sendable {
  private var state: UInt64

  /// Starts the stream with a number out of the many that one seed has.
  package init(seed: UInt64, stream: UInt64 = 0) {
    state = seed
    if stream > 0 { state = Self.mix(seed &+ Self.mix(stream)) }
  }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// A number from 0 to `bound - 1`, each equally likely.
  package mutating func next(below bound: UInt64) -> UInt64 {
    precondition(bound > 0, "no number lies below 0")
    // Draws under 2^64 mod bound are thrown away: the rest is a multiple of the bound.
    let floor = (0 &- bound) % bound
    while true {
      let draw = next()
      if draw >= floor { return draw % bound }
    }
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
