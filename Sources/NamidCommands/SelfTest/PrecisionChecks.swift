import NamidAttacks
import NamidTorch

/// Logits and random numbers in each precision that training may use, and in the one that judges.
enum PrecisionChecks {
  /// Adds the distance of a device's logits from the CPU's, for each precision, and that of its random numbers.
  static func run(
    _ subject: SelfTestSubject, on device: Device, into report: inout SelfTestReport
  ) throws {
    let (network, reference) = (try subject.network(on: device), try subject.network(on: .cpu))
    let (batch, images) = (subject.batch(64, on: device), subject.batch(64, on: .cpu).images)
    let expected = withoutGrad { reference.logits(images) }
    func add(_ name: String, _ limit: Double, _ logits: () -> Tensor) {
      report.add(
        SelfTestReport.Row(
          part: "precision", name: name,
          difference: relativeDistance(withoutGrad(logits), expected), limit: limit,
          unit: "relative"))
    }
    add("logits in float32", 1e-4) { network.logits(batch.images) }
    add("logits in float32, normalisation folded", 1e-4) {
      network.frozen { network.logits(batch.images) }
    }
    add("logits in bfloat16", 0.1) {
      withPrecision(.bfloat16, on: device) { network.logits(batch.images) }
    }
    add("logits in TF32", 0.02) {
      withPrecision(.tf32, on: device) { network.logits(batch.images) }
    }
    add("logits in float32 after training in lower precision", 1e-4) {
      network.logits(batch.images)
    }
    noise(on: device, into: &report)
  }

  private static func noise(on device: Device, into report: inout SelfTestReport) {
    let streams = RandomStreams((0..<16).map { RandomStream(seed: 5).keyed($0) })
    let pairs: [(String, Double, (Device) -> Tensor)] = [
      ("uniform random numbers", 0, { Tensor.uniform(streams, shape: [3, 9, 9], device: $0) }),
      ("normal random numbers", 1e-5, { Tensor.normal(streams, shape: [3, 9, 9], device: $0) }),
    ]
    for (name, limit, draw) in pairs {
      report.add(
        SelfTestReport.Row(
          part: "random", name: name, difference: relativeDistance(draw(device), draw(.cpu)),
          limit: limit, unit: "relative"))
    }
  }
}
