import Foundation
import NamidAttacks
import NamidData
import NamidDefenses
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTorch
import NamidTraining

/// A step of every defense, and a run that is resumed.
enum TrainingChecks {
  /// Adds, for each defense, how far loss and weights are after one step from the CPU's.
  static func run(
    _ subject: SelfTestSubject, on device: Device, into report: inout SelfTestReport
  ) throws {
    let crafted = try attacked(subject)
    for entry in Parts.catalog.defenses {
      let (expected, actual) = (
        try step(of: entry, subject, crafted, on: .cpu),
        try step(of: entry, subject, crafted, on: device)
      )
      for (name, a, b) in [
        ("loss", actual.loss, expected.loss), ("gradient", actual.gradient, expected.gradient),
        ("weights", actual.weights, expected.weights),
      ] {
        report.add("defenses", "\(entry.name): \(name)", relativeDistance(a, b), atMost: 2e-3)
      }
    }
  }

  /// Attacked images made on the CPU, the same for both: a sign that differs in one pixel would hide all else.
  private static func attacked(_ subject: SelfTestSubject) throws -> Tensor {
    let batch = subject.batch(24, on: .cpu)
    return attack.craft(on: try subject.network(on: .cpu), batch: batch, streams: streams)
  }

  private static let attack = TrainingAttack(
    PGD(in: ThreatModel(epsilon: Fraction(16, over: 255))) {
      $0.steps = 3
      $0.start = .uniform
    })
  private static var streams: RandomStreams {
    RandomStreams((0..<24).map { RandomStream(seed: 7).keyed($0) })
  }

  private struct Step {
    var loss: Tensor
    var gradient: Tensor
    var weights: Tensor
  }

  private static func step(
    of entry: DefenseEntry, _ subject: SelfTestSubject, _ attacked: Tensor, on device: Device
  ) throws -> Step {
    let network = try subject.network(on: device)
    let specification = EstimatorSpecification(
      units: 16, classCount: SelfTestSubject.classCount, channels: 3)
    let settings = SettingsGroups()
    var estimators: NamidInformation.Estimators?
    if case .required(let kind) = entry.estimators(settings) {
      estimators = NamidInformation.Estimators(
        kind, specification, stream: RandomStream(seed: 9), device: device)
    }
    let defense = try entry.make(
      DefenseParts(network: network, attack: attack, estimators: estimators, settings: settings))
    let optimizer = SGD(network.store, momentum: 0.9, weightDecay: 2e-4)
    network.isTraining = true
    let epoch = 1000
    let batch = subject.batch(24, on: device)
    // Crafted as well, so that it is seen to work; the loss is taken on the same images everywhere.
    _ = defense.craft(on: network, batch: batch, streams: streams, epoch: epoch)
    let loss = defense.loss(of: network, batch: batch, attacked: attacked.to(device), epoch: epoch)
    loss.total.backward()
    let gradient = Tensor.cat(network.store.parameters.compactMap { $0.grad?.flatten() })
    optimizer.step(learningRate: 0.05)
    return Step(
      loss: loss.total.detach(), gradient: gradient,
      weights: .cat(network.store.parameters.map { $0.detach().flatten() }))
  }

  // MARK: Resuming

  /// Adds how far a run that was stopped after an epoch and resumed ends from one that was not.
  static func resume(on device: Device, into report: inout SelfTestReport) throws {
    let root = FileManager.default.temporaryDirectory
      .appending(path: "namid-selftest-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    var configuration = RunConfiguration()
    configuration.data.name = "folder:\(try SelfTestSubject.write(96, to: root).path)"
    configuration.data.validation = 16
    configuration.data.augmentation = Augmentation(cropPadding: 1)
    configuration.model.architecture = "small-cnn"
    configuration.model.width = 4
    configuration.attack.steps = 2
    configuration.training.epochs = 2
    configuration.training.batchSize = 16
    configuration.training.validationSteps = 1
    configuration.training.averageDecay = 0.9
    let (whole, copy) = (root.appending(path: "whole"), root.appending(path: "resumed"))
    func weights(of run: URL, resume: Bool, report: (TrainingEvent) -> Void = { _ in }) throws
      -> Tensor
    {
      let job = try TrainingRun(configuration, in: run, data: root, resume: resume, device: device)
      try job.fit(report)
      return .cat(job.network.store.parameters.map { $0.detach().flatten() })
    }
    // The folder as it stands after the first epoch is what a killed run leaves.
    let expected = try weights(of: whole, resume: false) { event in
      if case .epoch(let record) = event, record.epoch == 1 {
        try? FileManager.default.copyItem(at: whole, to: copy)
      }
    }
    let resumed = try weights(of: copy, resume: true)
    report.add(
      "resume", "weights of a run resumed after an epoch", relativeDistance(resumed, expected),
      atMost: device == .cpu ? 0 : 1e-2)
  }
}
