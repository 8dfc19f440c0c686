import Foundation
import NamidDefenses
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidInformation
@testable import NamidTraining

/// The collapse of the paper's letter on a small network, and the rules against it.
@Suite(.serialized) struct CollapseTests {
  private func tiny(_ name: String, _ defense: DefenseName, in root: URL, epochs: Int) throws
    -> TinyRun
  {
    var run = try TinyRun(name, in: root, defense: defense)
    run.configuration.data.augmentation = .init(cropPadding: 0, flip: false)
    run.configuration.data.validation = 40
    run.configuration.model.width = 8
    run.configuration.threat.epsilon = 0.06
    run.configuration.attack.steps = 3
    run.configuration.optimizer.kind = .adam
    run.configuration.optimizer.learningRate = 3e-3
    run.configuration.optimizer.weightDecay = 0
    run.configuration.schedule.kind = .constant
    run.configuration.training.epochs = epochs
    run.configuration.training.batchSize = 38
    run.configuration.training.averageDecay = nil
    run.configuration.training.precision = .float32
    return run
  }

  private func column(_ lines: [JSONObject], _ key: String) -> [Double] {
    lines.compactMap { $0[key]?.doubleValue }
  }

  /// From a half-trained network, with estimators of a trained one, at the paper's α = 5 and λ = 0.1.
  @Test func thePapersLetterCollapsesAndTheCapDoesNot() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let (trained, half) = (
      try tiny("trained", .standard, in: root, epochs: 10),
      try tiny("half", .standard, in: root, epochs: 5)
    )
    try trained.train()
    try half.train()
    var estimators = try TinyEstimatorRun(in: root)
    estimators.configuration.target = trained.folder.path
    estimators.configuration.data = trained.configuration.data
    estimators.configuration.threat = trained.configuration.threat
    estimators.configuration.objective = .eq4
    estimators.configuration.units = 16
    estimators.configuration.epochs = 6
    estimators.configuration.batchSize = 38
    estimators.configuration.precision = .float32
    try estimators.train()
    var found: [Balance: (lines: [JSONObject], warnings: [String])] = [:]
    for rule in [Balance.none, .cap] {
      var run = try tiny(rule.rawValue, .namid, in: root, epochs: 8)
      run.configuration.initial = half.folder.path
      run.configuration.estimators = estimators.folder.path
      run.configuration.namid.balance = rule
      #expect(run.configuration.namid.alpha == 5 && run.configuration.namid.lambda == 0.1)
      var warnings: [String] = []
      try run.train { if case .warning(let text) = $0 { warnings.append(text) } }
      found[rule] = (try metrics(of: run.folder), warnings)
    }
    let (letter, cap) = (try #require(found[.none]), try #require(found[.cap]))
    // The letter: a gradient many times the loss's, then no sample is selected and one class is left.
    #expect(column(letter.lines, "train/ratio").max() ?? 0 > 3)
    let selected = column(letter.lines, "train/selected")
    #expect(selected.last ?? 1 < 0.5 * (selected.max() ?? 0))
    #expect(column(letter.lines, "train/top_class").last ?? 0 > 0.9)
    #expect(column(letter.lines, "validation/clean_accuracy").last ?? 1 < 0.5)
    #expect(letter.warnings.count == 1)
    for part in ["constant output", "namid.balance=cap", "one class", "selected samples fell"] {
      #expect(letter.warnings.first?.contains(part) == true, "\(letter.warnings)")
    }
    // The cap: the same term, held to half of the loss's gradient.
    #expect(column(cap.lines, "train/ratio").max() ?? 0 > 3)
    #expect(column(cap.lines, "train/ratio_balanced").allSatisfy { $0 <= 0.5 + 1e-5 })
    #expect(column(cap.lines, "train/ratio_balanced").max() ?? 0 > 0.3)
    #expect(column(cap.lines, "train/selected").max() ?? 0 > 0.1)
    #expect(column(cap.lines, "train/top_class").last ?? 1 < 0.6)
    #expect(column(cap.lines, "validation/clean_accuracy").last ?? 0 > 0.5)
    #expect(cap.warnings.isEmpty)
  }

  @Test func theWatchSpeaksOnceAndOnlyWhenAllSignsAreThere() {
    func watch(_ epochs: [[String: Double]]) -> [Bool] {
      var watch = CollapseWatch(key: "namid")
      return epochs.map { watch.warning(after: $0.map { ($0.key, $0.value) }) != nil }
    }
    let good = ["ratio_balanced": 2.0, "selected": 0.2, "top_class": 0.7]
    let bad = ["ratio_balanced": 4.0, "selected": 0.1, "top_class": 0.7]
    #expect(watch([good, bad, bad]) == [false, true, false])
    #expect(watch([good, good.merging(["selected": 0.1]) { $1 }]) == [false, false])
    #expect(watch([good, bad.merging(["top_class": 0.5]) { $1 }]) == [false, false])
    #expect(watch([bad, bad.merging(["selected": 0.3]) { $1 }]) == [false, false])
    // Where nothing is selected any more there is no ratio: the last one counts.
    #expect(
      watch([good.merging(["ratio_balanced": 9]) { $1 }, ["selected": 0, "top_class": 1]])
        == [false, true])
  }

  // MARK: Starting points and steps

  @Test func aRunStartsFromAnothersWeights() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let first = try TinyRun("first", in: root, defense: .natural)
    try first.train()
    var next = try TinyRun("next", in: root, defense: .standard, isShort: true)
    next.configuration.initial = first.folder.path
    next.configuration.training.averageDecay = nil
    let job = try TrainingRun(next.configuration, in: next.folder, data: root)
    #expect(try job.network.fingerprint == SavedNetwork(run: first.folder).network.fingerprint)
    try next.train()
    // A run that is there goes on from its own weights.
    let again = try TrainingRun(next.configuration, in: next.folder, data: root, resume: true)
    #expect(try again.network.fingerprint == SavedNetwork(run: next.folder).network.fingerprint)
    next.configuration.model.width = 3
    let text = message {
      _ = try TrainingRun(next.configuration, in: root.appending(path: "other"), data: root)
    }
    #expect(text?.contains("width 2") == true && text?.contains("width 3") == true, "\(text ?? "")")
  }

  @Test func theWholeGradientIsClipped() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let norms: [Double?] = [nil, 1e6, 1e-6]
    var weights: [[Float]] = []
    for (place, norm) in norms.enumerated() {
      var run = try TinyRun("run\(place)", in: root, isShort: true)
      run.configuration.optimizer.clipNorm = norm
      run.configuration.optimizer.weightDecay = 0
      try run.train()
      let line = try #require(try metrics(of: run.folder).first)
      let length = line["train/grad_norm"]?.doubleValue
      #expect(norm == nil ? length == nil : length ?? 0 > 0.01)
      let tensors = try run.checkpoints.tensors(.latest, file: RunFolder.weightsFile)
      weights.append(try #require(tensors["fc2.weight"]).floats())
    }
    #expect(!weights[0].isEmpty && weights[0] == weights[1] && weights[0] != weights[2])
  }

  // MARK: Estimators

  @Test func theScaleOfScoresIsKeptWithTheEstimators() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyEstimatorRun(in: root, isShort: true)
    run.configuration.scoreScale = .sqrtUnits
    try run.train()
    let saved = try TrainedEstimators(run: run.folder)
    let pair = try saved.pair(in: run.folder.path)
    #expect(pair.natural.scoreScale == .sqrtUnits && pair.adversarial.scoreScale == .sqrtUnits)
    let logits = Tensor((0..<12).map { Float($0) / 3 }, shape: [4, 3])
    let scaled = withoutGrad { pair.natural.outputs(logits) }
    pair.natural.scoreScale = .none
    let plain = withoutGrad { pair.natural.outputs(logits) }
    expectClose(scaled * 8.0.squareRoot(), plain, rtol: 1e-5, atol: 1e-6)
  }
}
