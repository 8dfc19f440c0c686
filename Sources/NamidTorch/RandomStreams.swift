import Foundation

/// One random stream per sample of a batch, all derived with the same keys.
///
/// On the CPU the numbers are drawn there, sample by sample. On an accelerator they are computed from the streams'
/// states with whole-number operators: uniform numbers are equal bit for bit, normal ones up to the last digits of its
/// logarithm and cosine. The states of all samples of a `Bank` are uploaded once for each list of keys, so that
/// the batches of an epoch draw without an upload of their own.
public struct RandomStreams {
  /// Streams of many samples, such as all of an epoch, and their states on a device.
  public final class Bank {
    fileprivate let roots: [RandomStream]
    private var states: [[UInt64]: Tensor] = [:]

    /// A bank of one stream per sample.
    public init(_ roots: [RandomStream]) {
      self.roots = roots
    }

    /// A bank of given streams alone, which has whatever states of theirs lie on a device already in memory of its own.
    ///
    /// - Parameter streams: Some streams of another bank, under no key.
    public convenience init(copying streams: RandomStreams) {
      precondition(streams.keys.isEmpty, "copying streams under keys")
      self.init(streams.each)
      states = withoutGrad {
        streams.bank.states.mapValues { $0.slice(streams.range).clone() }
      }
    }

    /// The streams of some neighbouring samples.
    public func streams(_ range: Range<Int>) -> RandomStreams {
      RandomStreams(bank: self, range: range, keys: [])
    }

    /// The states of all streams under some keys, int64 (samples).
    fileprivate func states(under keys: [UInt64], on device: Device) -> Tensor {
      if let known = states[keys], known.device == device { return known }
      let values = roots.map { Int(bitPattern: UInt($0.keyed(all: keys).state)) }
      let made = Tensor(values, shape: [values.count]).to(device)
      states[keys] = made
      return made
    }

    /// Overwrites the states that lie on a device with those of other streams, in the same memory: recorded work
    /// then draws what they would.
    ///
    /// - Parameter other: A bank with the same number of streams.
    public func refill(from other: RandomStreams) {
      for (keys, tensor) in states {
        tensor.copy_(other.with(keys: keys).states(on: tensor.device))
      }
    }
  }

  private let bank: Bank
  private let range: Range<Int>
  private let keys: [UInt64]

  /// The number of streams.
  public var count: Int { range.count }

  /// The streams themselves.
  public var each: [RandomStream] { bank.roots[range].map { $0.keyed(all: keys) } }

  /// The streams for one purpose within these.
  public func keyed(_ purpose: String) -> RandomStreams {
    with(keys: [RandomStream.bits(of: purpose)])
  }

  /// The streams with one number (a restart, a step) within these.
  public func keyed(_ index: Int) -> RandomStreams {
    with(keys: [RandomStream.bits(of: index)])
  }

  private func with(keys more: [UInt64]) -> RandomStreams {
    RandomStreams(bank: bank, range: range, keys: keys + more)
  }

  /// The streams' states, int64 (count).
  private func states(on device: Device) -> Tensor {
    bank.states(under: keys, on: device).slice(range)
  }

  // MARK: Numbers on a device

  /// The first `draws` numbers of every stream, uniform in [0, 1): float32 (count, draws).
  func uniforms(_ draws: Int, on device: Device) -> Tensor {
    withoutGrad {
      let counters = (Tensor.arange(draws, device: device) + 1) * RandomStream.increment.asInt
      return RandomStream.mix(states(on: device).unsqueeze(1) + counters)
        .shiftedRight(40).to(.float32) * 0x1p-24
    }
  }

  /// The first `draws` standard normal numbers of every stream: float32 (count, draws).
  func normals(_ draws: Int, on device: Device) -> Tensor {
    withoutGrad {
      let pairs = (draws + 1) / 2
      let u = uniforms(2 * pairs, on: device).view([count, pairs, 2])
      let radius = ((1 - u.select(2, 0)).log() * -2.0).sqrt()
      let angle = u.select(2, 1) * Double(2 * Float.pi)
      return Tensor.stack([radius * angle.cos(), radius * angle.sin()], dim: 2)
        .view([count, 2 * pairs]).slice(0..<draws, dim: 1)
    }
  }
}

extension RandomStreams {
  /// Streams that are given one by one.
  public init(_ streams: [RandomStream]) {
    self.init(bank: Bank(streams), range: streams.indices, keys: [])
  }
}

extension Tensor {
  /// Uniform numbers in [low, high], one stream per sample; the result has shape (streams, shape…).
  public static func uniform(
    _ streams: RandomStreams, shape: [Int], low: Double = 0, high: Double = 1, device: Device
  ) -> Tensor {
    if device == .cpu { return uniform(streams.each, shape: shape, low: low, high: high) }
    let (low, high) = (Float(low), Float(high))
    return
      (streams.uniforms(shape.reduce(1, *), on: device) * Double(high - low) + Double(low))
      .view([streams.count] + shape)
  }

  /// Standard normal numbers, one stream per sample; the result has shape (streams, shape…).
  public static func normal(_ streams: RandomStreams, shape: [Int], device: Device) -> Tensor {
    if device == .cpu { return normal(streams.each, shape: shape) }
    return streams.normals(shape.reduce(1, *), on: device).reshape([streams.count] + shape)
  }

  /// Each int64 moved right by some bits, zeros from the left: libtorch's own shift keeps the sign.
  fileprivate func shiftedRight(_ bits: Int) -> Tensor {
    one(.bitwiseAnd, one(.bitwiseRightShift, self, bits), Int((1 << (64 - UInt64(bits))) - 1))
  }
}

extension RandomStream {
  /// `mix` of each element of an int64 tensor; products wrap as UInt64's do.
  fileprivate static func mix(_ values: Tensor) -> Tensor {
    var z = values
    z = one(.bitwiseXor, z, z.shiftedRight(30)) * factors.0.asInt
    z = one(.bitwiseXor, z, z.shiftedRight(27)) * factors.1.asInt
    return one(.bitwiseXor, z, z.shiftedRight(31))
  }
}

extension UInt64 {
  /// The Int of the same bits.
  fileprivate var asInt: Int { Int(Int64(bitPattern: self)) }
}
