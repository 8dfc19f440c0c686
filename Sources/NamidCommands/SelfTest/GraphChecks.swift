import NamidAttacks
import NamidDefenses
import NamidNetworks
import NamidSettings
import NamidTorch
import NamidTraining

/// Work that is recorded once and repeated, beside the same work asked for step by step.
enum GraphChecks {
  /// Adds how far images crafted by a recording are from those crafted in the ordinary way, batch by batch.
  static func run(
    _ subject: SelfTestSubject, on device: Device, into report: inout SelfTestReport
  ) throws {
    guard device != .cpu, Graph.isAvailable else { return }
    let network = try subject.network(on: device)
    let attack = TrainingAttack(
      PGD(in: ThreatModel(epsilon: Fraction(8, over: 255))) {
        $0.steps = 4
        $0.start = .uniform
      })
    let craft = { attack.craft(on: network, batch: $0, streams: $1) as Tensor? }
    for precision in [Precision.float32, .bfloat16] {
      let graphs = BatchRecordings<Tensor>(on: device)
      var largest = 0.0
      for number in 0..<8 {
        let images = subject.batch(16 * (number + 1), on: device)
        let rows = Tensor.arange(16, device: device) + 16 * number
        let batch = Batch(
          images: images.images.indexSelect(rows).contiguous(.channelsLast),
          labels: images.labels.indexSelect(rows), indices: Array(0..<16))
        let streams = RandomStreams((0..<16).map { RandomStream(seed: number).keyed($0) })
        try withPrecision(precision, on: device) {
          let expected = craft(batch, streams)
          let actual = try graphs.run(batch, streams: streams, stage: 0, craft)
          if let actual, let expected {
            largest = max(largest, share(of: actual, apartFrom: expected))
          }
        }
      }
      report.add(
        SelfTestReport.Row(
          part: "graphs", name: "crafted images, \(precision.rawValue)", difference: largest,
          limit: 0.01, unit: "of the values"))
    }
  }

  /// The share of values that differ by more than rounding: a sign that differs moves a value by a whole step.
  private static func share(of a: Tensor, apartFrom b: Tensor) -> Double {
    withoutGrad { ((a - b).abs() .> 1e-5).to(.float32).mean().item() }
  }
}
