import ArgumentParser
import Foundation
import NamidData
import NamidFiles
import NamidInformation
import NamidNetworks
import NamidSettings
import NamidTerminal
import NamidTorch

/// `namid mi estimate`.
struct EstimateInformation: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimate", abstract: "Estimate the mutual information of two sets of columns.",
    discussion: """
      Reads CSV (a header is optional), NPY or safetensors; rows belong together. \
      With one CSV file, columns named X… and Y… are the two sides.

      Estimators that train a critic: \(Estimators.trained.joined(separator: ", ")). They train on one part \
      of the rows, stop by a second and report the value of a third. Without \
      training: ksg (nearest neighbours), gaussian (closed form for Gaussians).

      Examples:
        namid mi estimate x.csv y.csv
        namid mi estimate samples.csv --estimator infonce --batch-size 512
        namid mi estimate x.npy y.npy --estimator ksg --quiet
      """)

  @Argument(help: ArgumentHelp("Two files, or one with columns X… and Y….", valueName: "files"))
  var files: [String]
  @Option(help: ArgumentHelp("Which estimator.", valueName: "name"))
  var estimator = "infonce"
  @Option(help: "How a critic looks at pairs: joint or separable.")
  var critic = CriticKind.joint
  @Option(help: ArgumentHelp("Widths of the critic's hidden layers.", valueName: "n,n"))
  var hidden = "32,16"
  @Option(help: ArgumentHelp("Adam's step.", valueName: "rate"))
  var learningRate = 2e-3
  @Option(help: ArgumentHelp("Pairs at once; caps InfoNCE at its logarithm.", valueName: "n"))
  var batchSize = 256
  @Option(help: ArgumentHelp("The longest training.", valueName: "n"))
  var steps = 10_000
  @Option(help: ArgumentHelp("Neighbours of ksg.", valueName: "k"))
  var neighbours = 10
  @Option(help: "Seed of the split, the weights and the batches.")
  var seed = 0
  @Flag(help: "Print only the number of nats.")
  var quiet = false
  @Option(
    help: ArgumentHelp("Write the estimate as JSON; - for standard output.", valueName: "file"))
  var json: String?
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    guard (1...2).contains(files.count) else {
      throw ValidationError("give one or two files, not \(files.count)")
    }
    guard Estimators.all.contains(estimator) else {
      let hint = nearest(estimator, among: Estimators.all).map { ": did you mean \"\($0)\"?" } ?? ""
      throw ValidationError(
        "there is no estimator \"\(estimator)\"\(hint) (known: \(Estimators.all.joined(separator: ", ")))"
      )
    }
    for (flag, value, least) in [
      ("--batch-size", batchSize, 2), ("--steps", steps, 1), ("--neighbours", neighbours, 1),
    ] where !(least...1_000_000_000).contains(value) {
      throw ValidationError("\(flag) must be from \(least) to 1000000000")
    }
    if !(learningRate > 0) { throw ValidationError("--learning-rate must be positive") }
    _ = try widths()
  }

  func run() throws {
    try FigureOutput(json: json).check()
    _ = try device.prepare()
    let (x, y) = try tables()
    guard x.count == y.count else {
      throw ValidationError(
        "\(x.file) has \(x.count) rows and \(y.file) \(y.count): rows must belong together")
    }
    let estimate = try estimate(x.values, y.values)
    try show(estimate, x: x, y: y)
  }

  private func widths() throws -> [Int] {
    let widths = hidden.split(separator: ",").map { Int($0) ?? 0 }
    guard !widths.isEmpty, widths.allSatisfy({ (1...65_536).contains($0) }) else {
      throw ValidationError("--hidden must be widths such as 32,16")
    }
    return widths
  }

  private func tables() throws -> (SampleTable, SampleTable) {
    let tables = try files.map { try SampleTable(contentsOf: URL(filePath: $0)) }
    if tables.count == 2 { return (tables[0], tables[1]) }
    guard let x = tables[0].columns(beginningWith: "x"),
      let y = tables[0].columns(beginningWith: "y")
    else {
      throw ValidationError(
        "\(files[0]) has no columns named X… and Y…: give two files, one per side")
    }
    return (x, y)
  }

  private func estimate(_ x: Tensor, _ y: Tensor) throws -> SampleEstimate {
    let count = x.size(0)
    switch estimator {
    case "ksg":
      guard count > neighbours else { throw tooFew(count, neighbours + 1) }
      return .withoutTraining(
        estimator, nats: KSG.ofSamples(x, y, neighbours: neighbours), count: count)
    case "gaussian":
      let fewest = x.size(1) + y.size(1) + 2
      guard count >= fewest else { throw tooFew(count, fewest) }
      return .withoutTraining(
        estimator, nats: GaussianInformation.ofSamples(x, y), count: count)
    default: break
    }
    guard let bound = InformationBound.all.first(where: { $0.name == estimator }) else {
      throw ValidationError("there is no estimator \"\(estimator)\"")
    }
    var settings = SampleEstimator(bound)
    settings.critic = critic
    settings.hidden = try widths()
    settings.learningRate = learningRate
    settings.batchSize = batchSize
    settings.steps = steps
    settings.seed = seed
    guard count >= settings.fewestSamples else { throw tooFew(count, settings.fewestSamples) }
    let progress = ProgressLine(estimator, total: steps, unit: "step")
    let estimate = settings.estimate(x, y) {
      progress.update($0.step, notes: [("nats", shortNumber($0.nats))])
    }
    progress.finish()
    return estimate
  }

  private func tooFew(_ count: Int, _ fewest: Int) -> ValidationError {
    ValidationError(
      "\(count) rows are too few: \(estimator) needs \(fewest) with these settings"
        + (Estimators.trained.contains(estimator) ? "; a smaller --batch-size needs fewer" : ""))
  }

  private func show(_ estimate: SampleEstimate, x: SampleTable, y: SampleTable) throws {
    if !estimate.nats.isFinite {
      note(
        "the estimate is not finite: one side is a combination of the other, or training diverged")
    }
    let text = quiet ? "\(estimate.nats)\n" : lines(estimate, x, y)
    try FigureOutput(json: json).write(estimate, asText: text)
  }

  private func lines(_ estimate: SampleEstimate, _ x: SampleTable, _ y: SampleTable) -> String {
    let error = estimate.interval.map { String(format: " ± %.4f", ($0.high - $0.low) / 2) } ?? ""
    let value = String(format: "%.4f%@ nats, %.4f bits", estimate.nats, error, estimate.bits)
    var lines = [
      "\(value) (\(estimate.estimator), \(Estimators.meaning(estimate.kind)))",
      "\(x.values.size(1)) × \(y.values.size(1)) columns, \(Estimators.split(estimate))",
    ]
    if let cap = estimate.cap {
      lines.append(String(format: "it cannot exceed %.4f nats with this batch size", cap))
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

/// Estimators by name, and what they are in words.
enum Estimators {
  static let trained = InformationBound.all.map(\.name)
  static let all = trained + ["ksg", "gaussian"]

  static func meaning(_ kind: BoundKind) -> String {
    switch kind {
    case .lower: "a lower bound"
    case .upper: "an upper bound where its model is right"
    case .neither: "not a bound"
    }
  }

  static func split(_ estimate: SampleEstimate) -> String {
    estimate.trained == 0
      ? "\(estimate.heldOut) rows"
      : "\(estimate.heldOut) held-out rows; \(estimate.steps) steps on \(estimate.trained), "
        + "stopped by \(estimate.validated); the interval is that of the value, not of the gap to I"
  }
}

extension CriticKind: ExpressibleByArgument {}
