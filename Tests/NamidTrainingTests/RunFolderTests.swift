import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidTraining

/// Folders that are not the run they should be: named with what is wrong, and left as they are.
@Suite(.serialized) struct RunFolderTests {
  /// A finished run of one epoch.
  private func finishedRun(in root: URL) throws -> TinyRun {
    let run = try TinyRun(in: root, defense: .natural, isShort: true)
    try run.train()
    return run
  }

  @Test func aRunIsNotOverwritten() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try finishedRun(in: root)
    let before = try snapshot(of: run.folder)
    run.configuration.seed = 1
    let text = message { try run.train() } ?? ""
    #expect(text.contains("\(run.folder.path) already holds a run"), "\(text)")
    #expect(text.contains("resume it"), "\(text)")
    #expect(try snapshot(of: run.folder) == before)
  }

  /// The link is gone, as after a copy that leaves links out; the checkpoints are still somebody's work.
  @Test func aRunWithoutItsLinkIsNotOverwritten() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try finishedRun(in: root)
    try FileManager.default.removeItem(at: run.checkpoints.folder(.latest))
    let before = try snapshot(of: run.folder)
    #expect(throws: CheckpointError.self) { try run.train() }
    #expect(try snapshot(of: run.folder) == before)
    #expect(try SavedNetwork(run: run.folder).checkpoint.epoch == 1)
    try run.train(resume: true)
    #expect(try snapshot(of: run.folder) == before)
  }

  /// Locks belong to open files: a second folder object in this process stands for another process.
  @Test func twoTrainingsDoNotShareAFolder() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    func folder(resume: Bool) throws -> RunFolder {
      try RunFolder(
        root.appending(path: "run"), configuration: "seed: 0\n", specification: ["a": 1],
        resume: resume)
    }
    let first = try folder(resume: false)
    try first.open()
    let before = try snapshot(of: first.url)
    for resume in [false, true] {
      let text = message { try folder(resume: resume).open() } ?? ""
      #expect(text.contains("\(first.url.path): another process trains there"), "\(text)")
    }
    #expect(try snapshot(of: first.url) == before)
    withExtendedLifetime(first) {}
  }

  @Test func anotherConfigurationIsNotResumed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try finishedRun(in: root)
    let before = try snapshot(of: run.folder)
    run.configuration.optimizer.learningRate = 0.01
    let text = message { try run.train(resume: true) } ?? ""
    #expect(text.contains("\(run.folder.path) was trained with another configuration"), "\(text)")
    #expect(text.contains("config.yaml"), "\(text)")
    #expect(try snapshot(of: run.folder) == before)
  }

  @Test func howManyCheckpointsStayMayChangeOnResume() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try finishedRun(in: root)
    run.configuration.training.keep = 5
    try run.train(resume: true)
    #expect(try run.checkpoints.state(.latest).epoch == 1)
  }

  /// Somebody's own folder, given by mistake: none of its files is lost.
  @Test func aFolderOfOtherThingsLosesNothing() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try TinyRun(in: root, defense: .natural, isShort: true)
    try FileManager.default.createDirectory(
      at: run.folder, withIntermediateDirectories: false)
    for name in ["metrics.jsonl", "config.yaml"] {
      try Data("mine".utf8).write(to: run.folder.appending(path: name))
    }
    let before = try snapshot(of: run.folder)
    #expect(message { try run.train() } != nil)
    #expect(try snapshot(of: run.folder) == before)
  }

  @Test func aFolderThatIsNoRunIsNamed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let text = message { _ = try SavedNetwork(run: root) }
    #expect(
      text
        == "\(root.path) is not a run's folder: it has no config.yaml; name a folder that training has made"
    )
    let missing = root.appending(path: "nowhere")
    #expect(message { _ = try TrainedEstimators(run: missing) }?.contains(missing.path) == true)
  }

  @Test func aCheckpointThatIsNotThereIsNamedWithThoseThatAre() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try finishedRun(in: root)
    let text = message { _ = try SavedNetwork(run: run.folder, .epoch(7)) } ?? ""
    #expect(text.contains("no checkpoint at"), "\(text)")
    #expect(text.contains("epoch-0007; there are: best, epoch-0001, latest"), "\(text)")
  }

  @Test(arguments: [
    ("{\"hello\": 1}", "epoch"), ("[]", "state.json"), ("not json", "state.json"),
    ("", "state.json"), ("{\"epoch\": \"one\"}", "epoch"),
  ])
  func aForeignStateIsNamed(content: String, mentioned: String) throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try finishedRun(in: root)
    let file = run.checkpoints.folder(.latest).appending(path: "state.json")
    try Data(content.utf8).write(to: file)
    let read = message { _ = try SavedNetwork(run: run.folder) } ?? ""
    #expect(read.contains("\(file.path) is not a checkpoint's state"), "\(read)")
    #expect(read.contains(mentioned), "\(read)")
    let before = try snapshot(of: run.folder)
    #expect(message { try run.train(resume: true) }?.contains(file.path) == true)
    #expect(try snapshot(of: run.folder) == before)
  }

  @Test func aTruncatedFileOfWeightsIsNamed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try TinyRun(in: root, defense: .natural, isShort: true)
    run.configuration.training.epochs = 2
    try run.train()
    let file = run.checkpoints.folder(.latest).appending(path: RunFolder.weightsFile)
    let whole = try Data(contentsOf: file)
    for count in [0, 7, 100, whole.count / 2, whole.count - 1] {
      try whole.prefix(count).write(to: file)
      let text = message { _ = try SavedNetwork(run: run.folder) } ?? ""
      #expect(text.contains(file.path), "\(count) bytes: \(text)")
    }
    // The checkpoint before it is another folder, and whole.
    #expect(try SavedNetwork(run: run.folder, .epoch(1)).checkpoint.epoch == 1)
    let before = try snapshot(of: run.folder)
    #expect(message { try run.train(resume: true) }?.contains(RunFolder.weightsFile) == true)
    #expect(try snapshot(of: run.folder) == before)
  }

  @Test func weightsOfAnotherNetworkAreNamed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try finishedRun(in: root)
    var wider = try TinyRun("wider", in: root, defense: .natural, isShort: true)
    wider.configuration.model.width = 3
    try wider.train()
    let file = run.checkpoints.folder(.latest).appending(path: RunFolder.weightsFile)
    try Data(
      contentsOf: wider.checkpoints.folder(.latest).appending(path: RunFolder.weightsFile)
    ).write(to: file)
    let text = message { _ = try SavedNetwork(run: run.folder, averaged: false) } ?? ""
    #expect(text.contains("size mismatch for conv1.weight"), "\(text)")
    #expect(text.contains("[2, 3, 4, 4]") && text.contains("[3, 3, 4, 4]"), "\(text)")
    #expect(text.contains(file.path), "\(text)")
  }

  @Test func aForeignSpecificationIsNamed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try finishedRun(in: root)
    let file = run.folder.appending(path: RunFolder.specificationFile)
    try Data("{\"units\": 8}".utf8).write(to: file)
    let text = message { _ = try SavedNetwork(run: run.folder) } ?? ""
    #expect(text.contains("\(file.path) cannot be read"), "\(text)")
    #expect(text.contains("units") || text.contains("architecture"), "\(text)")
  }

  @Test func namidRefusesEstimatorsThatDoNotFit() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let estimators = try TinyEstimatorRun(in: root, isShort: true)
    try estimators.train()
    var run = try TinyRun(in: root, defense: .namid, isShort: true)
    run.configuration.estimators = estimators.folder.path
    run.configuration.threat.norm = .l2
    let text = message { try run.train() } ?? ""
    #expect(text.contains("\(estimators.folder.path) do not fit"), "\(text)")
    #expect(text.contains("linf") && text.contains("l2"), "\(text)")

    run.configuration.estimators = root.appending(path: "target").path
    let other = message { try run.train() } ?? ""
    #expect(other.contains("target/config.yaml"), "\(other)")
    run.configuration.estimators = root.path
    #expect(message { try run.train() }?.contains("no config.yaml") == true)
    #expect(!FileManager.default.fileExists(atPath: run.folder.path))
  }

  /// Images of another size would otherwise end the process within the network.
  @Test func estimatorsNeedImagesThatTheirTargetReads() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var estimators = try TinyEstimatorRun(in: root, isShort: true)
    estimators.configuration.data.name = try SyntheticImages.write(
      to: root.appending(path: "larger"), test: 0, size: 18)
    let job = {
      _ = try EstimatorRun(estimators.configuration, in: estimators.folder, data: root)
    }
    let text = message(of: job) ?? ""
    #expect(text.contains("12×12") && text.contains("18×18"), "\(text)")
    #expect(!FileManager.default.fileExists(atPath: estimators.folder.path))
  }

  /// Settings agree, images do not: going on would mix two data sets in one run.
  @Test func changedImagesAreNotResumed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    var run = try finishedRun(in: root)
    let before = try snapshot(of: run.folder)
    let images = root.appending(path: "images")
    try FileManager.default.removeItem(at: images)
    try SyntheticImages.write(to: images, train: 42, test: 0)
    run.configuration.training.keep = 5
    let text = message { try run.train(resume: true) } ?? ""
    #expect(text.contains("\(run.folder.path) was trained on other data"), "\(text)")
    #expect(try snapshot(of: run.folder) == before)
  }

  /// Checkpoints from before digests were kept go on as they did.
  @Test func aCheckpointWithoutADigestIsResumed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try finishedRun(in: root)
    let file = run.checkpoints.folder(.latest).appending(path: "state.json")
    let tree = try JSONValue(parsing: Data(contentsOf: file))
    let members = try #require(tree.objectValue).filter { $0.key != "dataFingerprint" }
    #expect(members.count == (tree.objectValue?.count ?? 0) - 1)
    try JSONValue.object(JSONObject(members.map { ($0.key, $0.value) })).data().write(to: file)
    try run.train(resume: true)
    #expect(try run.checkpoints.state(.latest).dataFingerprint == nil)
  }

  @Test func estimatorsOfAnotherTargetAreNotResumed() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let estimators = try TinyEstimatorRun(in: root, isShort: true)
    try estimators.train()
    var target = try TinyRun("target", in: root, defense: .natural, isShort: true)
    try FileManager.default.removeItem(at: target.folder)
    target.configuration.seed = 5
    try target.train()
    let text = message { try estimators.train(resume: true) } ?? ""
    #expect(text.contains("target network"), "\(text)")
  }

  @Test func estimatorsOfTheWrongKindAreRefused() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let estimators = try TinyEstimatorRun(in: root, isShort: true)
    try estimators.train()
    var run = try TinyRun(in: root, defense: .wmim, isShort: true)
    run.configuration.estimators = estimators.folder.path
    let text = message { try run.train() } ?? ""
    #expect(text.contains("natural-adversarial MI") && text.contains("standard MI"), "\(text)")
    #expect(!FileManager.default.fileExists(atPath: run.folder.path))
  }

  @Test func estimatorsOfAnotherDataSetAreRefused() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let estimators = try TinyEstimatorRun(in: root, isShort: true)
    try estimators.train()
    var run = try TinyRun(in: root, defense: .namid, isShort: true)
    run.configuration.estimators = estimators.folder.path
    let copy = root.appending(path: "copy")
    run.configuration.data.name = try SyntheticImages.write(to: copy, train: 36, test: 0)
    let text = message { try run.train() } ?? ""
    #expect(text.contains("copy") && text.contains("images"), "\(text)")
  }

  @Test func aMissingEstimatorIsNamedWhateverTheWay() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    for defense in [DefenseName.namid, .namidT, .namidM, .wmim] {
      let run = try TinyRun(in: root, defense: defense, isShort: true)
      let text = message { try run.train() } ?? ""
      #expect(text.contains("trained estimators of"), "\(text)")
      #expect(!FileManager.default.fileExists(atPath: run.folder.path))
    }
  }

  /// Missing, unexpected and misshaped keys in one message.
  @Test func weightsThatDoNotFitAreNamedAllAtOnce() throws {
    let root = try makeTemporaryFolder()
    defer { remove(root) }
    let run = try finishedRun(in: root)
    let file = run.checkpoints.folder(.latest).appending(path: RunFolder.weightsFile)
    var tensors = try Weights.read(file)
    tensors["conv1.bias"] = nil
    tensors["extra.weight"] = .zeros([2])
    tensors["fc2.weight"] = .zeros([7, 100])
    try Weights.write(tensors.map { ($0.key, $0.value) }, to: file)
    let text = message { _ = try SavedNetwork(run: run.folder, averaged: false) } ?? ""
    for part in ["conv1.bias", "extra.weight", "fc2.weight", "[3, 100]", "[7, 100]", file.path] {
      #expect(text.contains(part), "\(text)")
    }
  }
}
