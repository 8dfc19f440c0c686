import ArgumentParser
import Foundation
import NamidDefenses
import NamidNetworks
import NamidReports
import NamidSettings
import NamidTorch
import NamidTraining

/// `namid train`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network, naturally or robustly.",
    discussion: """
      Settings come from the preset, then --config, then the flags, then --set; \
      the result is written to config.yaml in the run's folder. A run that was \
      stopped goes on with --resume.

      Defenses:
      \(Parts.catalog.defenses.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))
      With any of them: weightPerturbation.gamma, training.averageDecay, \
      training.labelSmoothing, training.patience, attack.batchNorm (--set).

      Examples:
        namid train --defense standard --out runs/at --set model.width=16
        namid train --defense trades --set trades.beta=6 --out runs/trades
        namid train --defense namid --estimators runs/e --out runs/namid
        namid train --defense mart --seeds 0,1,2 --out runs/mart
        namid train --defense trades --init runs/at --out runs/tuned
        namid train --config run.yaml --epsilon 4/255 --out runs/small --resume
      """)

  @Option(
    help: ArgumentHelp(
      "One of: \(Parts.catalog.defenses.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var defense: String?
  @Option(
    help: ArgumentHelp(
      "One of: \(Parts.catalog.architectures.map(\.name).joined(separator: ", ")).",
      valueName: "name"))
  var model: String?
  @Option(help: .init("Trained estimators, for wmim and the namid defenses.", valueName: "folder"))
  var estimators: String?
  @Option(
    name: .customLong("init"),
    help: ArgumentHelp(
      "A run or a file of weights (.pt, .safetensors) to start from; its kind of network is trained.",
      valueName: "model"))
  var initial: String?
  @OptionGroup var options: RunOptions

  func run() throws {
    try options.carryOut(resolved(in:seed:)) { configuration, folder, workplace in
      try Self.carryOut(configuration, in: folder, resume: options.resume, workplace)
      note("done: namid evaluate \(folder.relativePath) --attack clean,pgd-20")
    }
  }

  /// Trains a network, and writes its card.
  static func carryOut(
    _ configuration: RunConfiguration, in folder: URL, resume: Bool, _ workplace: Workplace
  ) throws {
    OutOfMemory.expect(
      .smallerSteps(
        setting: "training.batchSize", now: configuration.training.batchSize, run: folder))
    let job = try TrainingRun(
      configuration, in: folder, data: workplace.data, resume: resume, device: workplace.device,
      catalog: Parts.catalog, say: note)
    note(job.summary)
    MachineReport.noteEmulation(
      configuration.training.precision, on: workplace.device, setting: "training.precision")
    let progress = TrainingProgress()
    try job.fit(progress.show)
    if job.hasStoppedEarly { note("stopped early: validation did not improve any more") }
    RunCard.write(
      afterTraining: folder, summary: job.summary,
      parameters: job.network.store.parameterCount, texts: ToolTexts(), catalog: Parts.catalog,
      say: note)
  }

  func resolved(in folder: URL?, seed: Int?) throws -> RunConfiguration {
    let catalog = Parts.catalog
    // What a run of an earlier version leaves open is what that version did.
    let isEarlier = options.resume && folder.map(RunFolder.isOfEarlierVersion) ?? false
    let preset = options.preset ?? (isEarlier ? .paper : .balanced)
    let name = try [.reference, .own].contains(preset) ? chosen(catalog) : DefenseName.standard
    var defaults =
      switch preset {
      case .balanced: RunConfiguration.balanced
      case .reference: RunConfiguration.reference(for: name)
      case .paper, .own: RunConfiguration()
      }
    if preset == .own {
      defaults.defense = name
      // Whether estimators are there is asked when all settings are known.
      defaults.estimators = ""
      defaults = try catalog.configuration(
        defaults, overrides: catalog.defense(name).recipe)
      defaults.estimators = nil
    }
    var configuration = try catalog.configuration(
      defaults, file: options.file,
      overrides: options.overrides(
        epochsKey: "training.epochs",
        flags: [
          ("defense", defense.map(options.quoted)), ("model.architecture", model),
          ("estimators", estimators.map(options.quoted)),
          ("initial", initial.map(options.quoted)),
        ], seed: seed))
    configuration.estimators = configuration.estimators.map {
      insertingSeed(configuration.seed, into: $0)
    }
    configuration.initial = configuration.initial.map {
      insertingSeed(configuration.seed, into: $0)
    }
    try refuseUnread(configuration, catalog)
    return configuration
  }

  /// The defense of `--defense`, which a preset depends on.
  private func chosen(_ catalog: Catalog) throws -> DefenseName {
    let name = defense.map { DefenseName(rawValue: $0) } ?? .standard
    _ = try catalog.defense(name)
    return name
  }

  /// Refuses a setting of `--set` in a group that the chosen defense does not read.
  private func refuseUnread(_ configuration: RunConfiguration, _ catalog: Catalog) throws {
    let read = try catalog.defense(configuration.defense).settings.map { $0.key }
    let known = Set(catalog.defenses.flatMap(\.settings).map { $0.key })
    for setting in options.set {
      let group = setting.prefix { $0 != "." && $0 != "=" }.trimmingCharacters(in: .whitespaces)
      guard known.contains(group), !read.contains(group) else { continue }
      throw UnreadSetting(
        setting: setting, defense: configuration.defense.rawValue, read: read)
    }
  }
}

/// A setting that has no effect on the chosen defense.
struct UnreadSetting: Error, CustomStringConvertible {
  let setting: String
  let defense: String
  let read: [String]

  var description: String {
    let groups = read.isEmpty ? "none" : read.joined(separator: ", ")
    return
      "--set \(setting): the defense \(defense) does not read it (groups that it reads: \(groups))"
  }
}
