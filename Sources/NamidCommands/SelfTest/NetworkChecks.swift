import NamidAttacks
import NamidData
import NamidDefenses
import NamidEvaluation
import NamidNetworks
import NamidSettings
import NamidTorch
import NamidTraining

/// Attacks of every kind with small budgets: verdicts and costs on a device beside those on the CPU.
enum AttackChecks {
  private static let count = 32
  private static let budgets: [(norm: Norm, epsilon: Fraction, attacks: String)] = [
    (
      .linf, Fraction(3, over: 255),
      "pgd-10,pgd-5:start=uniform,apgd-ce-10,apgd-dlr-10,apgd-t-8:targets=2,fab:steps=5,"
        + "fab-t:steps=4:targets=2,square:queries=60,fmn-10,ti-dim-5,fwa-3"
    ),
    (
      .l2, Fraction(2, over: 10),
      "pgd-10,apgd-ce-10,apgd-t-8:targets=2,fab-t:steps=4:targets=2,square:queries=60,"
        + "cw-20:search_steps=2,ddn-10,fmn-10"
    ),
    (.l1, Fraction(3, over: 1), "apgd-ce-10,fab-t:steps=4:targets=2,square:queries=60,fmn-10"),
  ]

  /// Adds a row per attack and norm.
  ///
  /// Rounding differs between devices, so that an image at the very edge may fall on either side: one verdict in 32
  /// may differ.
  static func run(
    _ subject: SelfTestSubject, on device: Device, into report: inout SelfTestReport
  ) throws {
    for (norm, epsilon, list) in budgets {
      let threat = ThreatModel(norm: norm, epsilon: epsilon)
      for attack in try Parts.catalog.attacks(list, in: threat) {
        let outcomes = try [Device.cpu, device].map { place in
          Evaluator(
            try subject.network(on: place),
            on: ImageTensors(SelfTestSubject.images(count), device: place), seed: 0
          ).run(attack)
        }
        let differing = zip(outcomes[0].isRobust, outcomes[1].isRobust).count { $0 != $1 }
        let robust = outcomes.map { $0.isRobust.count { $0 } }
        report.add(
          "attacks", "\(attack.name) \(norm.rawValue)", Double(differing), atMost: 1,
          unit: "of \(count) verdicts",
          remark: "\(robust[0]) robust on the CPU, \(robust[1]) here")
      }
    }
  }
}

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
        "precision", name, relativeDistance(withoutGrad(logits), expected), atMost: limit)
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
      report.add("random", name, relativeDistance(draw(device), draw(.cpu)), atMost: limit)
    }
  }
}

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
        "graphs", "crafted images, \(precision.rawValue)", largest, atMost: 0.01,
        unit: "of the values")
    }
  }

  /// The share of values that differ by more than rounding: a sign that differs moves a value by a whole step.
  private static func share(of a: Tensor, apartFrom b: Tensor) -> Double {
    withoutGrad { ((a - b).abs() .> 1e-5).to(.float32).mean().item() }
  }
}
