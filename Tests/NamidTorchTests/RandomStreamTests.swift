import NamidTestSupport
import Testing

@testable import NamidTorch

@Suite(.serialized) struct RandomStreamTests {
  let root = RandomStream(seed: 11)

  func numbers(_ stream: RandomStream, _ count: Int = 8) -> [UInt64] {
    var stream = stream
    return (0..<count).map { _ in stream.next() }
  }

  @Test func numbersDependOnTheKeyAlone() {
    #expect(
      numbers(root.keyed("a").keyed(3)) == numbers(RandomStream(seed: 11).keyed("a").keyed(3)))
    var used = root
    for _ in 0..<5 { _ = used.next() }
    #expect(numbers(root) == numbers(RandomStream(seed: 11)))
    #expect(numbers(used) != numbers(root))
  }

  /// The published generator, seeded with 1234567.
  @Test func aStreamIsItsReference() {
    #expect(
      numbers(RandomStream(state: 1_234_567), 3)
        == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
  }

  @Test func differentKeysDiffer() {
    var streams = [root, RandomStream(seed: 12), RandomStream(seed: -11)]
    streams += ["", "a", "b", "ab", "ba", "start", "radius"].map(root.keyed)
    streams += [-1, 0, 1, 2, .max, .min].map(root.keyed)
    streams += [root.keyed("a").keyed("b"), root.keyed("b").keyed("a")]
    streams += [root.keyed(1).keyed(2), root.keyed(2).keyed(1), root.keyed("a").keyed(1)]
    let all = streams.flatMap { numbers($0) }
    #expect(Set(all).count == all.count)
  }

  @Test func streamsOfNeighbouringSamplesAreUncorrelated() {
    let values = Tensor.normal((0..<256).map(root.keyed), shape: [512])
    let scaled = values - values.mean([1], keepdim: true)
    let unit = scaled / scaled.norm(2, [1], keepdim: true)
    let correlations = unit.matmul(unit.transpose(0, 1))
    let others = correlations.maskedFill(
      Tensor.arange(256).view([256, 1]) .== Tensor.arange(256), 0)
    // 32,640 pairs with a standard deviation of 1/√512 = 0.044: 6 of them are 0.265.
    #expect(others.abs().max().item() < 0.265)
    expectClose(others.square().sum().item() / Double(256 * 255), 1.0 / 512, rtol: 0.05)
  }

  @Test func samplesDoNotDependOnTheirBatch() {
    let streams = (0..<10).map { root.keyed("noise").keyed($0) }
    for draw in [
      { Tensor.normal($0, shape: [3, 5, 1]) },
      { Tensor.uniform($0, shape: [3, 5, 1], low: -2, high: 3) },
    ] as [([RandomStream]) -> Tensor] {
      let all = draw(streams)
      #expect(all.shape == [10, 3, 5, 1] && all.dtype == .float32)
      let some = [7, 2, 9, 0]
      let picked = draw(some.map { streams[$0] })
      expectIdentical(picked, all.indexSelect(Tensor(some, shape: [4])))
      for i in 0..<10 { expectIdentical(draw([streams[i]]), all.slice(i..<i + 1)) }
    }
  }

  /// An accelerator's whole-number operators, here on the CPU, against the host's own numbers.
  @Test func operatorsDrawWhatTheHostDraws() {
    let each = (0..<9).map { root.keyed("attack").keyed($0 * 7919) }
    let bank = RandomStreams.Bank(each)
    for range in [0..<9, 2..<5] {
      let streams = bank.streams(range).keyed("start").keyed(3)
      #expect(streams.each == each[range].map { $0.keyed("start").keyed(3) })
      let draws = streams.uniforms(501, on: .cpu)
      expectIdentical(draws, Tensor.uniform(streams.each, shape: [501]))
      let scaled = draws * Double(Float(0.3) - Float(-0.1)) + Double(Float(-0.1))
      expectIdentical(scaled, Tensor.uniform(streams.each, shape: [501], low: -0.1, high: 0.3))
      for count in [500, 501] {
        expectClose(
          streams.normals(count, on: .cpu), Tensor.normal(streams.each, shape: [count]),
          rtol: 1e-5, atol: 1e-6)
      }
    }
  }

  @Test func statesAreUploadedOncePerEpoch() {
    let bank = RandomStreams.Bank((0..<12).map { root.keyed($0) })
    let counts = CallCounter.count {
      for batch in 0..<3 {
        _ = bank.streams(4 * batch..<4 * batch + 4).keyed("start").keyed(0).uniforms(5, on: .cpu)
      }
    }
    #expect(counts.uploads == 1)
  }

  @Test func uniformNumbersFillTheirRange() {
    let values = Tensor.uniform([root], shape: [200_000], low: -3, high: 1)
      .flatten().to(.float64)
    #expect(values.min().item() >= -3 && values.max().item() <= 1)
    #expect(values.min().item() < -2.999 && values.max().item() > 0.999)
    // Six standard errors of mean and variance.
    expectClose(values.mean().item(), -1, rtol: 0, atol: 6 * 1.1547 / 447.2)
    expectClose(values.variance([0]).item(), 16.0 / 12, rtol: 0.012)
  }

  @Test func normalNumbersHaveTheirMoments() {
    let values = Tensor.normal([root], shape: [200_001]).flatten().to(.float64)
    #expect(values.isfinite().all().bools() == [true])
    expectClose(values.mean().item(), 0, rtol: 0, atol: 6 / 447.2)
    expectClose(values.variance([0]).item(), 1, rtol: 0, atol: 6 * 2.0.squareRoot() / 447.2)
    expectClose(values.pow(3).mean().item(), 0, rtol: 0, atol: 6 * 15.0.squareRoot() / 447.2)
    expectClose(values.pow(4).mean().item(), 3, rtol: 0, atol: 6 * 96.0.squareRoot() / 447.2)
    let beyond = (values.abs() .> 1.959964).to(.float64).mean().item()
    expectClose(beyond, 0.05, rtol: 0, atol: 6 * 0.218 / 447.2)
  }

  @Test func aPermutationHasEveryNumberOnce() {
    for count in [0, 1, 2, 17, 1000] {
      let order = root.permutation(count)
      #expect(order.sorted() == Array(0..<count))
    }
    #expect(root.permutation(50) == root.permutation(50))
    #expect(root.permutation(50) != root.keyed(1).permutation(50))
    #expect(root.permutation(50) != Array(0..<50))
  }

  @Test func everyOrderIsEquallyLikely() {
    var counts: [[Int]: Int] = [:]
    for i in 0..<6000 { counts[root.keyed(i).permutation(3), default: 0] += 1 }
    #expect(counts.count == 6)
    // Standard deviation 28.9.
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 6 * 29 })
  }

  @Test func integersCoverTheirRange() {
    var stream = root
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<7000 { counts[stream.integer(below: 7)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 1000) < 6 * 30 })
    #expect((0..<100).allSatisfy { _ in stream.integer(below: 1) == 0 })
  }

  /// Values from an independent implementation; a change of these would break resumed runs.
  @Test func numbersStayWhatTheyAre() {
    #expect(
      numbers(RandomStream(seed: 0), 3)
        == [12_722_019_707_024_413_443, 6_482_042_710_234_394_400, 16_022_063_694_087_932_693])
    #expect(
      numbers(RandomStream(seed: -7).keyed("weights").keyed(3), 3)
        == [9_418_749_441_150_496_660, 13_811_161_221_241_232_263, 109_979_664_289_579_253])
    #expect(
      Tensor.uniform([RandomStream(seed: 1).keyed("start").keyed(0)], shape: [4]).floats()
        == [0.6544111967086792, 0.7743681073188782, 0.949286699295044, 0.9124772548675537])
    #expect(RandomStream(seed: 2024).permutation(10) == [9, 7, 6, 3, 0, 5, 2, 8, 1, 4])
    var crop = RandomStream(seed: 5).keyed("crop")
    #expect(
      (0..<12).map { _ in crop.integer(below: 9) } == [3, 4, 5, 7, 0, 4, 1, 2, 6, 3, 5, 8])
    expectClose(
      Tensor.normal([RandomStream(seed: 3).keyed("noise")], shape: [4]).doubles,
      [-1.294015451992321, -0.6444841590301236, 0.8606795359113479, -0.22720514724121638],
      rtol: 0, atol: 1e-6)
  }
}
