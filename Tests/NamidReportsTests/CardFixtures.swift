import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch

@testable import NamidReports
@testable import NamidTraining

/// Commands in plain words, each value with its name, as no tool has them.
struct PlainTexts: CommandTexts {
  let quickstart = "start again"
  let further = ["go on"]
  let transfer = "the other measurement"

  func training(configuration: String, into folder: String) -> String {
    "train again by \(configuration) into \(folder)"
  }

  func evaluation(_ measurement: RepeatedMeasurement) -> String {
    let values: [(String, Any?)] = [
      ("epoch", measurement.epoch), ("split", measurement.split), ("limit", measurement.limit),
      ("norm", measurement.threat?.norm), ("epsilon", measurement.threat?.epsilon),
      ("seed", measurement.seed == 0 ? nil : measurement.seed),
      ("other data", measurement.hasOtherData ? true : nil),
    ]
    let words = values.compactMap { name, value in value.map { "\(name) \($0)" } }
    return (["measure \(measurement.run) by \(measurement.attacks)"] + words)
      .joined(separator: ", ")
  }
}

/// A run of three epochs as a training leaves it, with weights that nobody has trained, and measurements of it.
struct CardRun {
  let folder: URL
  /// What the tool would have told its user.
  private(set) var said: [String] = []

  /// A run in a folder of its own; gone when `body` has returned.
  static func with(
    name: String = "at", imported: Bool = false,
    _ configure: (inout RunConfiguration) -> Void = { _ in }, _ body: (inout CardRun) throws -> Void
  ) throws {
    try withTemporaryFolder { parent in
      var run = CardRun(folder: parent.appending(path: name))
      try run.make(imported: imported, configure)
      try body(&run)
    }
  }

  private init(folder: URL) {
    self.folder = folder
  }

  private func make(imported: Bool, _ configure: (inout RunConfiguration) -> Void) throws {
    var configuration = RunConfiguration()
    configuration.defense = .trades
    configuration.model.architecture = "small-cnn"
    configuration.model.width = 2
    configuration.training.epochs = 3
    configure(&configuration)
    let specification = NetworkSpecification(
      architecture: "small-cnn", width: configuration.model.width ?? 64, classCount: 10,
      channels: 3,
      imageHeight: 32, imageWidth: 32)
    let files = try RunFolder(
      folder, configuration: ConfigurationLoader.render(configuration),
      specification: specification, resume: false)
    try files.open()
    for epoch in imported ? 1...1 : 1...3 {
      let network = try Network(specification, stream: RandomStream(seed: epoch))
      let accuracy = [0.1, 0.3, 0.2][epoch - 1]
      if !imported {
        try files.log(
          EpochRecord(
            epoch: epoch, step: 10 * epoch, learningRate: 0.1, terms: [("loss", 2)],
            validation: [("clean_accuracy", 0.5), ("pgd_10_accuracy", accuracy)], seconds: 4,
            isBest: epoch < 3))
      }
      try files.checkpoints.save(
        CheckpointState(
          epoch: epoch, step: imported ? 0 : 10 * epoch,
          best: imported ? nil : .init(epoch: min(epoch, 2), value: epoch == 1 ? 0.1 : 0.3),
          configurationHash: imported ? "imported" : "c0ffee", dataFingerprint: "da7a",
          torchVersion: "2.13.0"),
        files: [RunFolder.weightsFile: network.store.state], keep: 3)
    }
  }

  // MARK: Measuring

  /// A report on a checkpoint, measured on a few images of noise.
  func measured(
    _ epoch: Int = 3, title: String = "CIFAR-10 (JPEG copy)", attack: String = "clean,pgd-2"
  ) throws -> EvaluationReport {
    let saved = try SavedNetwork(run: folder, .epoch(epoch))
    let threat = ThreatModel(epsilon: Fraction(8, over: 255))
    let labels = (0..<20).map { $0 % 10 }
    let set = ImageSet(
      name: "cifar10", title: title, split: .test, height: 32, width: 32, channels: 3,
      classNames: (0..<10).map { "\($0)" },
      pixels: (0..<(20 * 3072)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) },
      labels: labels, layout: "memory")
    return try Evaluator.measure(
      EvaluationRequest(attack, threat: threat),
      of: MeasuredNetwork(saved.network, named: "elsewhere/at", checkpoint: "epoch \(epoch)"),
      on: set, by: AttackList.parse(attack, threat: threat)
    ).report
  }

  /// A report with other figures, and a specification's hash that goes with its settings.
  func report(
    _ epoch: Int = 3, title: String = "CIFAR-10 (JPEG copy)", split: String = "test",
    images: Int = 1000, clean: Int, attacks: [(text: String, robust: Int)],
    threat: ThreatModel = ThreatModel(epsilon: Fraction(8, over: 255)), seed: Int = 0
  ) throws -> EvaluationReport {
    let small = try measured(epoch, title: title, attack: "clean")
    var data = small.dataset
    data.count = images
    data.split = split
    data.fingerprint = "\(title) \(split) \(images)"
    return try EvaluationReport(
      dataset: data, model: small.model, threat: threat,
      cleanAccuracy: Double(clean) / Double(images),
      attacks: attacks.map { text, robust in
        let attack = try AttackList.parse(text, threat: threat)[0]
        return AttackReport(
          name: attack.name, robust: robust, total: images, cost: Cost(), seconds: 1,
          settings: attack.record)
      }, seed: seed)
  }

  /// What `namid evaluate` does at its end.
  mutating func evaluate(_ report: EvaluationReport) {
    RunCard.write(afterEvaluation: folder, report, texts: PlainTexts()) { said.append($0) }
  }

  /// What `namid train` does at its end.
  mutating func train() {
    RunCard.write(
      afterTraining: folder, summary: "trades training of 7|9", parameters: 7, texts: PlainTexts()
    ) { said.append($0) }
  }

  /// Forgets what was said.
  mutating func listen() { said = [] }

  // MARK: What is there

  var cardFile: URL { folder.appending(path: "README.md") }
  var entryFile: URL { folder.appending(path: "robustbench.json") }
  var evaluations: URL { folder.appending(path: "evaluations") }

  func card() throws -> String { try String(contentsOf: cardFile, encoding: .utf8) }

  func entry() throws -> JSONValue { try JSONValue(parsing: Data(contentsOf: entryFile)) }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: evaluations.path).sorted()
  }

  /// Puts a file beside the kept evaluations.
  func put(_ name: String, _ data: Data) throws {
    try FileManager.default.createDirectory(at: evaluations, withIntermediateDirectories: true)
    try data.write(to: evaluations.appending(path: name))
  }

  /// Puts a report there that somebody has changed.
  func put(
    _ name: String, _ report: EvaluationReport, _ change: (inout JSONObject) -> Void = { _ in }
  ) throws {
    var tree = try JSONValue(encoding: report).objectValue ?? [:]
    change(&tree)
    try put(name, JSONValue.object(tree).data(indent: 2))
  }
}
