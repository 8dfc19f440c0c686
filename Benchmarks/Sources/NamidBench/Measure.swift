import ArgumentParser
import Foundation
import Namid

/// `namid-bench measure`, which the suite starts for this project's side: it prepares some work, says that it is ready,
/// and measures whenever it is asked to, exactly as the peers' programs do.
struct Measure: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure one piece of work for the suite.", shouldDisplay: false)

  enum Work: String, CaseIterable, ExpressibleByArgument {
    case train, attack, namid, estimators, evaluate, data, matmul
  }

  @Option var work: Work
  @Option var network = ""
  @Option var batch = ""
  @Option var estimators = ""
  @Option var precision = Precision.float32
  @Option var batchSize = 128
  @Option var count = 1
  @Option var attackSteps = 10
  @Option var images = 1000
  @Option var largest = 4096
  @Flag var wholeBudget = false
  @Flag var graphs = false
  @OptionGroup var place: PlaceOptions

  func run() throws {
    guard batchSize >= 1, count >= 1, images >= 1, attackSteps >= 0 else {
      throw ValidationError("--batch-size, --count and --images must be at least 1")
    }
    let device = try place.prepare()
    EngineError.beforeTrap { error in
      note("Error: \(error)")
      _exit(70)
    }
    let work = try prepared(on: device)
    TorchEnvironment.synchronize(device)
    let facts = JSONObject(
      work.facts.filter(\.value.isFinite).sorted { $0.key < $1.key }
        .map { ($0.key, .double($0.value)) })
    say(["ready": .object(facts), "versions": ["torch": .string(version)]])
    while let line = readLine() {
      guard line == "measure" else { continue }
      let begin = ContinuousClock.now
      for _ in 0..<count { try work.run() }
      TorchEnvironment.synchronize(device)
      let seconds = begin.duration(to: .now) / .seconds(1)
      say(["seconds": .double(seconds), "peak_bytes": Self.peakBytes.map { .double($0) } ?? nil])
    }
  }

  private func prepared(on device: Device) throws -> any MeasuredWork {
    func inputs() throws -> WorkInputs {
      try WorkInputs(network: network, batch: batch, device: device)
    }
    switch work {
    case .train, .attack:
      return try TrainingWork(
        inputs(), count: batchSize, steps: attackSteps, precision: precision,
        isAttackOnly: work == .attack, isRecorded: graphs)
    case .namid:
      return try TrainingWork(
        inputs(), count: batchSize, steps: attackSteps, precision: precision,
        estimators: WorkInputs.estimators(estimators, device: device))
    case .estimators:
      return try EstimatorWork(
        inputs(), estimators: WorkInputs.estimators(estimators, device: device), count: batchSize,
        steps: attackSteps, precision: precision)
    case .evaluate:
      return EvaluationWork(
        try inputs(), batchSize: batchSize, steps: attackSteps, usesWholeBudget: wholeBudget)
    case .data: return DataWork(images: images, batchSize: batchSize, device: device)
    case .matmul:
      return MatmulWork(precision: precision, largest: largest, count: count, device: device)
    }
  }

  private var version: String {
    let torch = TorchEnvironment.read()
    return torch.loadedVersion ?? torch.compiledVersion
  }

  private func say(_ message: JSONValue) {
    print(message.text())
    fflush(nil)
  }

  /// The most memory that this process has had so far.
  private static var peakBytes: Double? {
    if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let size = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) }
      )
    {
      return size * 1024
    }
    #if os(macOS)
      var usage = rusage()
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Double(usage.ru_maxrss) : nil
    #else
      return nil
    #endif
  }
}
