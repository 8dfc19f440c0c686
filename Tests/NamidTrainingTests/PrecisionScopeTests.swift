import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Synchronization
import Testing

@testable import NamidTraining

/// The kernels and products that a training allows, and those that it judges with.
@Suite(.serialized) struct PrecisionScopeTests {
  /// The permissions of a network, pass by pass.
  final class Notes: Sendable {
    struct Pass: Equatable {
      var allowsTF32: Bool
      var triesKernels: Bool
    }
    let passes = Mutex<[Pass]>([])
  }

  private struct Watched: Module {
    let notes: Notes
    let linear: Linear

    func callAsFunction(_ input: Tensor) -> Tensor {
      let environment = TorchEnvironment.read()
      let pass = Notes.Pass(
        allowsTF32: environment.allowsTF32, triesKernels: environment.triesKernels)
      notes.passes.withLock { $0.append(pass) }
      return linear(input.adaptiveAvgPool2d(2).flatten(1))
    }
  }

  private func catalog(_ notes: Notes) -> Catalog {
    var catalog = Catalog.standard
    catalog.architectures.append(
      Architecture(name: "watched", summary: "notes what it is allowed") { specification, path in
        Watched(
          notes: notes,
          linear: Linear(specification.channels * 4, specification.classCount, at: path / "linear"))
      })
    return catalog
  }

  /// The passes of one epoch of training, and those of the validation after it.
  private func passes(
    _ change: (inout RunConfiguration) -> Void
  ) throws -> (training: [Notes.Pass], validation: [Notes.Pass]) {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root)
    run.configuration.model.architecture = "watched"
    run.configuration.training.epochs = 1
    change(&run.configuration)
    let notes = Notes()
    let job = try TrainingRun(
      run.configuration, in: run.folder, data: root, catalog: catalog(notes))
    notes.passes.withLock { $0 = [] }
    var count = 0
    try job.fit { event in
      // The last report of an epoch's batches comes after its last step.
      if case .progress(_, _, let batch, let batches, _) = event, batch == batches {
        count = notes.passes.withLock { $0.count }
      }
    }
    let all = notes.passes.withLock { $0 }
    return (Array(all[..<count]), Array(all[count...]))
  }

  @Test(arguments: [Precision.tf32, .float32, .bfloat16])
  func judgingIsFloat32AndTakesNoTimedKernels(_ precision: Precision) throws {
    let (training, validation) = try passes { $0.training.precision = precision }
    #expect(training.count >= 60 && validation.count > 2)
    let isTF32 = precision == .tf32
    #expect(training.allSatisfy { $0 == .init(allowsTF32: isTF32, triesKernels: true) })
    #expect(validation.allSatisfy { $0 == .init(allowsTF32: false, triesKernels: false) })
    #expect(!TorchEnvironment.read().allowsTF32)
  }

  /// Whatever is allowed around it, an evaluator judges in IEEE float32, and so does the attack.
  @Test func anEvaluatorAllowsNothing() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root)
    run.configuration.model.architecture = "watched"
    let notes = Notes()
    let job = try TrainingRun(
      run.configuration, in: run.folder, data: root, catalog: catalog(notes))
    // A trained network has images to be attacked.
    try job.fit()
    let images = try TrainingData(
      run.configuration.data, directory: root, seed: 0, catalog: .standard
    ).training
    let evaluator = Evaluator(job.network, on: ImageTensors(images), seed: 0)
    notes.passes.withLock { $0 = [] }
    for attack in [NoAttack(), PGD(threat: run.configuration.threat, steps: 2)] as [any Attack] {
      withPrecision(.tf32) { _ = evaluator.run(attack) }
    }
    let passes = notes.passes.withLock { $0 }
    #expect(passes.count >= 5 && passes.allSatisfy { !$0.allowsTF32 }, "\(passes.count)")
  }

  /// Validation takes what suits the device, but not many more images at once than a step of training.
  @Test func validationFitsWhereTrainingDoes() {
    var configuration = RunConfiguration()
    configuration.training.batchSize = 1024
    #expect(configuration.validationBatch(.cuda()) == 1024)
    #expect(configuration.validationBatch(.cpu) == 128)
    configuration.training.batchSize = 256
    #expect(configuration.validationBatch(.cuda()) == 256)
    configuration.training.batchSize = 16
    #expect(configuration.validationBatch(.cuda()) == 128)
  }

  @Test func gradientsOfScoresMayBeTF32() {
    var configuration = RunConfiguration()
    #expect(configuration.gradientPrecision == .float32)
    configuration.namid.scorePrecision = .tf32
    #expect(configuration.gradientPrecision == .tf32)
    var estimators = EstimatorConfiguration()
    #expect(estimators.gradientPrecision == .float32)
    estimators.scorePrecision = .tf32
    #expect(estimators.gradientPrecision == .tf32)
  }

  @Test func scoresAreNeverBfloat16() {
    var configuration = EstimatorConfiguration()
    configuration.scorePrecision = .bfloat16
    let text = message { try configuration.validate() }
    #expect(text == "scorePrecision must be float32 or tf32")
  }
}
