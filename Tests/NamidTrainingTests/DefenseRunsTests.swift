import Foundation
import NamidAttacks
import NamidDefenses
import NamidFiles
import NamidInformation
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidTraining

/// Every defense in a whole run, with what can be added to any of them.
@Suite(.serialized) struct DefenseRunsTests {
  /// Estimators of a kind on the logits of a network that is trained first.
  private func estimators(
    _ kind: EstimatorKind, in root: URL, norm: Norm = .linf, control: EstimatorControl? = nil
  ) throws -> TinyEstimatorRun {
    var run = try TinyEstimatorRun(
      "\(kind.rawValue)-\(control?.rawValue ?? "trained")", in: root, isShort: true)
    run.configuration.kind = kind
    run.configuration.control = control
    // Takes part with every sample, also where none is selected.
    run.configuration.objective = .eq4
    run.configuration.threat.norm = norm
    if norm == .l2 { run.configuration.threat.epsilon = 1 }
    try run.train()
    return run
  }

  private func needs(_ defense: DefenseName) -> EstimatorKind? {
    switch defense {
    case .wmim: .standard
    case .namid, .namidT, .namidM: .pair
    default: nil
    }
  }

  private func run(
    _ name: String, _ defense: DefenseName, in root: URL, norm: Norm = .linf
  ) throws -> TinyRun {
    var run = try TinyRun(name, in: root, defense: defense, isShort: true)
    run.configuration.threat.norm = norm
    if norm == .l2 { run.configuration.threat.epsilon = 1 }
    if let kind = needs(defense) {
      run.configuration.estimators = try estimators(kind, in: root, norm: norm).folder.path
    }
    return run
  }

  private func weights(_ run: TinyRun) throws -> [String: [Float]] {
    try run.checkpoints.tensors(.latest, file: RunFolder.weightsFile)
      .filter { $0.value.dtype.isFloatingPoint }.mapValues { $0.array() }
  }

  private func fresh(_ run: TinyRun) throws -> [String: [Float]] {
    let specification = try RunFiles.specification(of: NetworkSpecification.self, in: run.folder)
    let network = try Network(specification, stream: RandomStream(seed: 0).keyed("weights"))
    return Dictionary(
      uniqueKeysWithValues: network.store.state.map { ($0.name, $0.tensor.array()) })
  }

  @Test(arguments: DefenseEntry.all.map(\.name), [Norm.linf, .l2])
  func everyDefenseTrains(_ name: String, _ norm: Norm) throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try run("run", DefenseName(rawValue: name), in: root, norm: norm)
    try run.train()
    let line = try #require(try metrics(of: run.folder).first)
    let terms = line.filter { $0.key.hasPrefix("train/") }
    #expect(terms.count >= 2 && terms.allSatisfy { $0.value.doubleValue?.isFinite == true })
    let (before, after) = (try fresh(run), try weights(run))
    #expect(before.keys.sorted() == after.keys.sorted())
    for (key, values) in after { #expect(values != before[key], "\(key)") }
    // What was written names the groups that this defense reads, and no others.
    let text = try String(
      contentsOf: run.folder.appending(path: "config.yaml"), encoding: .utf8)
    let groups = Set(DefenseEntry.all.flatMap(\.settings).map { $0.key })
    let entry = try Catalog.standard.defense(DefenseName(rawValue: name))
    for group in groups {
      #expect(text.contains("\n\(group):") == entry.settings.contains { $0.key == group })
    }
    let saved = try SavedNetwork(run: run.folder)
    #expect(saved.configuration == (try run.configuration.settled(Catalog.standard)))
  }

  @Test func jointWMIMTrainsItsEstimator() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, defense: .wmim)
    run.configuration.settings[WMIM.Settings.self].mode = .joint
    run.configuration.settings[WMIM.Settings.self].units = 8
    run.configuration.training.keep = 3
    try run.train()
    let states = try [1, 2].map {
      try run.checkpoints.tensors(.epoch($0), file: "standard.safetensors")
    }
    for (name, tensor) in states[0] where tensor.dtype.isFloatingPoint {
      let other = try #require(states[1][name])
      #expect(tensor.array(of: Float.self) != other.array(of: Float.self), "\(name)")
    }
    let files = try sortedNames(in: run.checkpoints.folder(.latest))
    #expect(files.contains("standard-optimizer.safetensors"))
  }

  @Test(arguments: DefenseEntry.all.map(\.name)) func modifiersGoWithEveryDefense(_ name: String)
    throws
  {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let defense = DefenseName(rawValue: name)
    let plain = try run("plain", defense, in: root)
    try plain.train()
    let reference = try weights(plain)
    let changes: [(String, (inout RunConfiguration) -> Void)] = [
      ("perturbation", { $0.weightPerturbation = .init() }),
      ("smoothing", { $0.training.labelSmoothing = 0.3 }),
    ]
    for (what, change) in changes {
      var changed = try TinyRun(what, in: root, defense: defense, isShort: true)
      changed.configuration = plain.configuration
      change(&changed.configuration)
      if what == "perturbation" { changed.configuration.weightPerturbation?.warmUpEpochs = 0 }
      try changed.train()
      #expect(try weights(changed) != reference, "\(what)")
      #expect(try weights(changed).allSatisfy { $0.value.allSatisfy(\.isFinite) }, "\(what)")
    }
    var mode = try TinyRun("mode", in: root, defense: defense, isShort: true)
    mode.configuration = plain.configuration
    mode.configuration.attack.batchNorm = .training
    try mode.train()
    // The small network has no batch normalisation: the mode changes nothing but how it is folded.
    #expect(try weights(mode) == reference)
  }

  // MARK: Early stopping

  @Test func trainingStopsWhenValidationDoesNotImprove() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, defense: .standard, isShort: true)
    // Nothing is learnt, so the first epoch stays the best.
    run.configuration.optimizer.learningRate = 1e-12
    run.configuration.training.averageDecay = nil
    run.configuration.training.epochs = 20
    run.configuration.training.patience = 3
    try run.train()
    #expect(try metrics(of: run.folder).count == 4)
    #expect(try run.checkpoints.state(.best).epoch == 1)
    let before = try snapshot(of: run.folder)
    let job = try TrainingRun(run.configuration, in: run.folder, data: root, resume: true)
    #expect(job.hasStoppedEarly)
    try job.fit()
    #expect(try snapshot(of: run.folder) == before)
  }

  @Test func patienceNeedsValidation() {
    var configuration = RunConfiguration()
    configuration.training.patience = 3
    configuration.data.validation = 0
    #expect(message { try configuration.validate() }?.contains("data.validation") == true)
  }

  // MARK: Controls

  @Test func damagedSpecificationsAreRefusedBeforeAnythingIsMade() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try estimators(.pair, in: root, control: .random)
    let file = run.folder.appending(path: "specification.json")
    for (key, value) in [("units", -1), ("channels", 0), ("class_count", 1 << 40)] {
      var tree = try JSONValue(parsing: Data(contentsOf: file)).objectValue ?? [:]
      let name = tree[key] == nil ? "classCount" : key
      #expect(tree[name] != nil, "\(tree)")
      tree[name] = .int(value)
      let damaged = root.appending(path: "damaged-\(key)")
      try FileManager.default.copyItem(at: run.folder, to: damaged)
      let other = damaged.appending(path: "specification.json")
      try JSONValue.object(tree).data(indent: 2).write(to: other)
      let text = message { _ = try TrainedEstimators(run: damaged) } ?? ""
      #expect(text.contains("\(name) is \(value); it must be from 1"), "\(text)")
      #expect(text.contains(other.path), "\(text)")
    }
  }

  @Test func randomEstimatorsKeepTheirWeights() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try estimators(.pair, in: root, control: .random)
    let saved = try TrainedEstimators(run: run.folder)
    let pair = try saved.pair(in: run.folder.path)
    let fresh = EstimatorPair(
      saved.specification, stream: RandomStream(seed: 0).keyed("weights"))
    var moved = 0
    for (a, b) in zip(pair.natural.store.entries, fresh.natural.store.entries) {
      let isSame = a.tensor.to(.float32).floats() == b.tensor.to(.float32).floats()
      #expect(isSame || !a.isTrainable, "\(a.name)")
      if !isSame { moved += 1 }
    }
    // Running means and variances of the four normalisations, and their counters.
    #expect(moved == 12)
    #expect(saved.configuration.control == .random)
  }

  @Test func shuffledEstimatorsLearnSomethingElse() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    for kind in EstimatorKind.allCases {
      let files = try [nil, EstimatorControl.shuffled].map { control in
        let run = try estimators(kind, in: root, control: control)
        let name = kind == .pair ? "natural" : "standard"
        return try run.checkpoints.tensors(.latest, file: "\(name).safetensors")
      }
      let values = files.map { $0["local.linear_shortcut.weight"]?.floats() ?? [] }
      #expect(values[0] != values[1] && !values[0].isEmpty)
    }
  }

  @Test func theControlOfPairingIsLoggedByName() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try run("run", .namid, in: root)
    run.configuration.namid.term = .logitPairing
    // A quick learner and a large ball, so that some samples are right and then wrong.
    run.configuration.optimizer.kind = .adam
    run.configuration.optimizer.learningRate = 0.01
    run.configuration.schedule.kind = .constant
    run.configuration.threat.epsilon = 0.3
    run.configuration.namid.warmUpEpochs = 2
    run.configuration.training.epochs = 6
    try run.train()
    let lines = try metrics(of: run.folder)
    #expect(lines.contains { $0["train/pairing"] != nil && $0["train/pairing_weight"] != nil })
  }
}
