import Namid

/// A robust accuracy in float32.
struct EvaluationWork: MeasuredWork {
  private let network: Network
  private let data: ImageTensors
  private let attack: PGD
  private let batchSize: Int
  private let usesWholeBudget: Bool
  private(set) var facts: [String: Double] = [:]

  /// Prepares an evaluation and makes the first one.
  ///
  /// - Parameters:
  ///   - inputs: The network and the images, which are bytes divided by 255.
  ///   - batchSize: Images at once.
  ///   - steps: Steps of PGD.
  ///   - usesWholeBudget: True where samples go on after they are fooled, as they do in other programs.
  init(_ inputs: WorkInputs, batchSize: Int, steps: Int, usesWholeBudget: Bool) {
    network = inputs.network
    self.batchSize = batchSize
    self.usesWholeBudget = usesWholeBudget
    attack = PGD(in: TrainingWork.threat) {
      $0.steps = steps
      $0.start = .uniform
    }
    let shape = inputs.images.shape
    let labels = inputs.labels.ints()
    let pixels = (inputs.images * 255).round().permute([0, 2, 3, 1]).to(.uint8).contiguous()
      .to(Device.cpu)
    let set = ImageSet(
      name: "suite", title: "Suite", split: .test, height: shape[2], width: shape[3],
      channels: shape[1], classNames: (0..<network.classCount).map(String.init),
      pixels: pixels.array(of: UInt8.self), labels: labels, layout: "memory")
    data = ImageTensors(set, device: inputs.device)
    facts["clean_share"] =
      Evaluator(network, on: data, batchSize: batchSize, seed: 0).run(NoAttack()).report
      .robustAccuracy
    facts["robust_share"] = share()
  }

  func run() { _ = share() }

  private func share() -> Double {
    guard usesWholeBudget else {
      return Evaluator(network, on: data, batchSize: batchSize, seed: 0).run(attack).report
        .robustAccuracy
    }
    let robust = data.batches(of: batchSize).reduce(0) { sum, indices in
      let batch = data.batch(indices)
      let root = RandomStream(seed: 0)
      let result = attack.run(
        on: network, images: batch.images, labels: batch.labels,
        streams: indices.map { root.keyed($0) }, goal: .strongest)
      return sum + result.fooled.count { !$0 }
    }
    return Double(robust) / Double(data.count)
  }
}
