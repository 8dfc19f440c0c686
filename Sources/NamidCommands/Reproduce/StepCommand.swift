import NamidFiles
import NamidLaboratory
import NamidReproduction
import NamidTerminal
import NamidTraining

extension StepRequest {
  /// The command line that does the same as this step.
  ///
  /// - Parameters:
  ///   - folder: The folder that its product goes into.
  ///   - network: The settings of the network that estimators read; nil for other steps.
  /// - Returns: Words as a shell takes them.
  /// - Throws: An error of settings that cannot be written as text.
  func command(leavingIn folder: String, network: RunConfiguration? = nil) throws -> String {
    ShellWords.line(["namid"] + (try arguments(leavingIn: folder, network: network)))
  }

  /// The words after `namid`.
  func arguments(
    leavingIn folder: String, network: RunConfiguration? = nil
  ) throws -> [String] {
    switch self {
    case .train(let configuration): try Self.words(configuration) + Self.run(in: folder)
    case .estimators(let configuration):
      try Self.words(configuration, of: network) + Self.run(in: folder)
    case .measure(let request):
      (request.surrogate.map { ["transfer", "--surrogate", $0, "--target", request.run] }
        ?? ["evaluate", request.run])
        + ["--checkpoint", "\(request.checkpoint)", "--attack", request.evaluation.attacks]
        + (request.evaluation.limit.map { ["--limit", "\($0)"] } ?? [])
        + ["--json", "\(folder)/\(kind.product)", "--state", "\(folder)/state"]
    case .pairings(let request):
      ["mi", kind.rawValue, request.subject.run]
        + Self.options(["estimators": request.estimators]) + measured(request.subject, folder)
    case .comparison(let request):
      ["mi", kind.rawValue, request.subject.run]
        + Self.options(["eq4": request.eq4, "eq5": request.eq5])
        + [
          "--controls",
          request.controls.isEmpty
            ? "none" : request.controls.map(\.rawValue).joined(separator: ","),
        ] + measured(request.subject, folder)
    }
  }

  private func measured(_ subject: InformationRequest, _ folder: String) -> [String] {
    ["--attack", subject.evaluation.attacks]
      + (subject.evaluation.limit.map { ["--limit", "\($0)"] } ?? [])
      + ["--out", "\(folder)/\(kind.rawValue)", "--state", "\(folder)/state"]
  }

  private static func run(in folder: String) -> [String] {
    ["--out", "\(folder)/\(Kind.train.product)", "--resume"]
  }

  private static func options(_ values: KeyValuePairs<String, String?>) -> [String] {
    values.flatMap { name, value in value.map { ["--\(name)", $0] } ?? [] }
  }

  private static func words(_ configuration: RunConfiguration) throws -> [String] {
    let name = configuration.defense.rawValue
    var base = try Parts.catalog.configuration(
      .balanced,
      settings: [
        "defense": .string(name), "estimators": configuration.estimators == nil ? nil : "",
      ])
    base.estimators = configuration.estimators
    base.seed = configuration.seed
    base.data.name = configuration.data.name
    return ["train", "--defense", name, "--dataset", configuration.data.name]
      + (try differences(configuration, base)) + ["--seed", "\(configuration.seed)"]
      + options(["estimators": configuration.estimators])
  }

  private static func words(
    _ configuration: EstimatorConfiguration, of network: RunConfiguration?
  ) throws -> [String] {
    var base =
      configuration.kind == .standard ? EstimatorConfiguration.standard : EstimatorConfiguration()
    base.kind = configuration.kind
    base.target = configuration.target
    base.seed = configuration.seed
    if let network {
      base.data = network.data
      base.threat = network.threat
      base.attack = network.attack
    }
    base.data.name = configuration.data.name
    return ["train-estimators"] + options(["target": configuration.target])
      + ["--kind", configuration.kind.rawValue] + (try differences(configuration, base))
      + ["--seed", "\(configuration.seed)"]
  }

  /// The settings that differ from others, as `--set` takes them.
  private static func differences(
    _ mine: some Encodable, _ base: some Encodable
  ) throws -> [String] {
    let (mine, base) = try (
      SettingText.all(of: JSONValue(encoding: mine)), SettingText.all(of: JSONValue(encoding: base))
    )
    let changed = mine.filter { !base.contains($0) }.map(\.text)
    let removed = base.filter { setting in !mine.contains { $0.key == setting.key } }
      .map { "\($0.key)=null" }
    return (changed + removed).flatMap { ["--set", $0] }
  }
}
