import Foundation
import NamidAttacks
import NamidData
import NamidDefenses
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidTraining

/// Training on an accelerator: counted on the fake one, so that nothing waits for a card.
@Suite(.serialized, .enabled(if: FakeAccelerator.loaded != nil)) struct AcceleratorTests {
  private let accelerator: FakeAccelerator
  private let device = Device.cuda()

  init() throws {
    accelerator = try #require(FakeAccelerator.loaded)
  }

  /// The uploads, downloads and questions of ten steps in the middle of an epoch.
  private func costOfTenSteps(
    _ fit: ((TrainingEvent) -> Void) throws -> Void
  ) rethrows -> [FakeAccelerator.Field: Int] {
    var costs: [FakeAccelerator.Field: Int] = [:]
    try fit { event in
      guard case .progress(let epoch, _, let batch, _, _) = event, epoch == 2 else { return }
      if batch == 10 { accelerator.reset() }
      if batch == 20 {
        for field in [FakeAccelerator.Field.uploads, .downloads, .questions] {
          costs[field] = accelerator.count(field)
        }
      }
    }
    return costs
  }

  /// Terms of ten steps come back in one message; nothing else crosses between host and device.
  @Test(arguments: ["natural", "standard", "trades", "mart"] as [DefenseName])
  func aStepNeverWaits(_ defense: DefenseName) throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, defense: defense)
    run.configuration.training.epochs = 2
    let costs = try costOfTenSteps { try run.train(device: device, report: $0) }
    #expect(costs == [.uploads: 0, .downloads: 1, .questions: 0])
  }

  /// NAMID's loss is over the samples that the attack flipped: how many these are is asked once a step.
  @Test(arguments: ["namid", "namid-t", "namid-m", "wmim"] as [DefenseName])
  func stepsWithEstimatorsAskOnce(_ defense: DefenseName) throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var estimators = try TinyEstimatorRun(in: root)
    estimators.configuration.epochs = 1
    if defense == .wmim { estimators.configuration.kind = .standard }
    try estimators.train()
    var run = try TinyRun(in: root, defense: defense)
    run.configuration.training.epochs = 2
    run.configuration.estimators = estimators.folder.path
    run.configuration.namid.warmUpEpochs = 0
    let costs = try costOfTenSteps { try run.train(device: device, report: $0) }
    #expect(costs == [.uploads: 0, .downloads: 1, .questions: defense == .wmim ? 0 : 10])
  }

  /// A run on the accelerator ends with the weights of one on the CPU, but for rounding of the noise.
  @Test func trainingComesToTheSame() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var weights: [[Tensor]] = []
    for device in [Device.cpu, device] {
      var run = try TinyRun("run-\(device.kind)", in: root, isShort: true)
      run.configuration.training.precision = .float32
      let job = try TrainingRun(run.configuration, in: run.folder, data: root, device: device)
      // Backward runs in a thread of its own, whose number of threads is not this one's.
      try withOneThread { try job.fit() }
      weights.append(job.network.store.parameters.map { $0.detach().to(.cpu) })
    }
    for (a, b) in zip(weights[0], weights[1]) { expectClose(b, a, rtol: 1e-3, atol: 1e-4) }
  }

  /// ResNet-18 with folded weights: casting these anew at every step would make it 180 in bfloat16.
  @Test(arguments: [Precision.float32, .bfloat16])
  func anAttackStepHasFewKernels(_ precision: Precision) throws {
    let network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: 2, classCount: 3, imageHeight: 12, imageWidth: 12),
      stream: RandomStream(seed: 1), device: device)
    let batch = ImageTensors(SyntheticImages.set(12), device: device).batch(Array(0..<12))
    func kernels(steps: Int) -> Int {
      let attack = TrainingAttack(
        PGD(threat: ThreatModel(epsilon: Fraction(1, over: 10)), steps: steps))
      let streams = RandomStreams((0..<12).map { RandomStream(seed: 5).keyed($0) })
      accelerator.reset()
      withPrecision(precision, on: device) {
        _ = attack.craft(on: network, batch: batch, streams: streams)
      }
      return accelerator.count(.kernels)
    }
    #expect(kernels(steps: 10) - kernels(steps: 9) <= 140)
  }

  /// Recorded once and repeated, an attack or a whole step comes to what it comes to call by call.
  @Test(arguments: ["standard", "trades", "mart", "natural"] as [DefenseName])
  func recordedWorkComesToTheSame(_ defense: DefenseName) throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var weights: [[Tensor]] = []
    for graphs in GraphUse.allCases {
      var run = try TinyRun("run-\(graphs)", in: root, defense: defense)
      run.configuration.training.graphs = graphs
      run.configuration.training.precision = .float32
      // Rates that float32 has exactly: a recorded step reads its rate from a tensor.
      run.configuration.optimizer.learningRate = 0.0625
      run.configuration.schedule.kind = .constant
      let job = try TrainingRun(run.configuration, in: run.folder, data: root, device: device)
      // Backward runs in a thread of its own, whose number of threads is not this one's.
      try withOneThread { try job.fit() }
      weights.append(job.network.store.parameters.map { $0.detach().to(.cpu) })
    }
    for other in weights.dropFirst() {
      for (a, b) in zip(weights[0], other) { expectIdentical(a, b) }
    }
  }

  @Test func graphsAreRefusedWhereThereAreNone() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, isShort: true)
    run.configuration.training.graphs = .attack
    let text = try #require(message(of: { try run.train() }))
    #expect(text.contains("training.graphs") && text.contains("CPU"))
  }

  /// A recorded step is one replay, whatever its attack costs otherwise.
  @Test func aRecordedStepIsOneCall() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root)
    run.configuration.training.epochs = 2
    run.configuration.training.graphs = .step
    var kernels = 0
    try run.train(device: device) { event in
      guard case .progress(2, _, let batch, _, _) = event else { return }
      if batch == 10 { accelerator.reset() } else { kernels = accelerator.count(.kernels) }
    }
    // Ten batches are cut and copied, ten rates written, and four sums of terms each.
    #expect(kernels > 0 && kernels <= 10 * 30)
  }
}
