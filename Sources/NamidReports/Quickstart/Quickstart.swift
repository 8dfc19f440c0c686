import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidInformation
import NamidPages
import NamidTorch
import NamidTraining

/// Three small networks on Fashion-MNIST, trained naturally, robustly and with NAMID, and measured side by side.
package struct Quickstart {
  /// A report on the quickstart's progress: a step begins, training goes on, or an attack does.
  package enum Event: Sendable {
    case step(String)
    case training(TrainingEvent)
    case attack(String, Evaluator.Progress)
  }

  /// The figures of one trained network.
  package struct Row: Sendable {
    /// The network's name: `natural`, `standard` or `namid`.
    package var name: String
    /// The accuracies with their specification.
    package var report: EvaluationReport
    /// The estimated mutual information of clean and attacked images.
    package var information: MeanInformation
    var samples: [SampleImage]
    /// The training metrics, one record per epoch.
    var history: [JSONObject]
  }

  private let plan: QuickstartPlan
  private let data: URL
  private let folder: URL
  private let device: Device
  private let texts: any CommandTexts
  private let tell: (Event) -> Void

  /// Prepares a quickstart in a folder.
  ///
  /// - Parameters:
  ///   - plan: The size of the quickstart's runs.
  ///   - data: The folder that holds data sets; Fashion-MNIST is fetched if missing.
  ///   - folder: The folder for runs, figures and the report; finished parts found there are kept.
  ///   - device: The device to compute on.
  ///   - texts: The command lines that the report and the cards show.
  ///   - tell: A closure called with each event.
  package init(
    _ plan: QuickstartPlan, data: URL, folder: URL, device: Device = .cpu,
    texts: any CommandTexts, tell: @escaping (Event) -> Void
  ) {
    self.plan = plan
    self.data = data
    self.folder = folder
    self.device = device
    self.texts = texts
    self.tell = tell
  }

  /// The file of the report.
  package var reportFile: URL { folder.appending(path: "report.html") }

  /// Removes the files of earlier quickstarts from a folder, and no others.
  package static func clear(_ folder: URL) throws {
    let runs = ["natural", "standard", "estimators", "namid"]
    for name in runs + runs.map({ "\($0).json" }) + ["report.html"] {
      let item = folder.appending(path: name)
      if FileManager.default.fileExists(atPath: item.path) {
        try FileManager.default.removeItem(at: item)
      }
    }
  }

  /// Runs everything that is not done yet, and writes the report.
  ///
  /// - Parameter chartLibrary: The text of the charting library, or the reason that there is none.
  /// - Returns: The figures of the three networks.
  /// - Throws: An error of fetching, training, measuring or writing, with advice on what to do.
  package func run(chartLibrary: Result<String, ChartLibraryError>) throws -> [Row] {
    try createFolder(at: folder)
    try fetchData()
    try train(plan.network(.natural), "natural")
    try train(plan.network(.standard), "standard")
    try trainEstimators()
    try train(plan.network(.namid, estimators: run("estimators")), "namid")
    let estimators = try TrainedEstimators(run: run("estimators"), device: device)
      .pair(in: run("estimators").path)
    let test = try Datasets.load("fashion-mnist", split: .test, directory: data)
    let set = try test.sample(
      min(plan.testCount, test.count), seed: UInt64(bitPattern: Int64(plan.seed)))
    let rows = try ["natural", "standard", "namid"].map {
      try measure($0, on: set, estimators: estimators)
    }
    try write(rows, chartLibrary: chartLibrary)
    return rows
  }

  // MARK: Steps

  private func run(_ name: String) -> URL { folder.appending(path: name) }

  private func fetchData() throws {
    guard FashionMNIST().locate(in: data) == nil else { return }
    tell(.step("fetching Fashion-MNIST into \(data.path)"))
    try FashionMNIST().fetch(into: data) { tell(.step($0)) }
  }

  private func train(_ configuration: RunConfiguration, _ name: String) throws {
    let job = try TrainingRun(
      configuration, in: run(name), data: data, resume: true, device: device)
    tell(.step(job.summary))
    try job.fit { tell(.training($0)) }
    RunCard.write(
      afterTraining: run(name), summary: job.summary,
      parameters: job.network.store.parameterCount, texts: texts, say: { tell(.step($0)) })
  }

  private func trainEstimators() throws {
    let job = try EstimatorRun(
      plan.estimators(target: run("standard")), in: run("estimators"), data: data, resume: true,
      device: device)
    tell(.step(job.summary))
    try job.fit { tell(.training($0)) }
  }

  private func measure(_ name: String, on set: ImageSet, estimators: EstimatorPair) throws -> Row {
    tell(.step("measuring \(name): clean and PGD-\(plan.measuringSteps)"))
    let saved = try SavedNetwork(run: run(name), device: device)
    let attack = PGD(in: QuickstartPlan.threat) { $0.steps = plan.measuringSteps }
    var request = EvaluationRequest(attack.name, threat: QuickstartPlan.threat)
    request.seed = plan.seed
    request.keepsImages = true
    let measurement = try Evaluator.measure(
      request,
      of: MeasuredNetwork(
        saved.network, named: name, checkpoint: "epoch \(saved.checkpoint.epoch)"),
      on: set, by: [NoAttack(), attack],
      EvaluationConduct(batchSize: 500, progress: { tell(.attack("\(name): \($0)", $1)) }))
    RunCard.write(
      afterEvaluation: run(name), measurement.report, texts: texts, say: { tell(.step($0)) })
    let attacked = measurement.outcomes[1].images ?? Tensor.zeros([0])
    let pairs = AttackedImages(set, attacked: attacked, network: saved.network)
    return Row(
      name: name, report: measurement.report,
      information: pairs.information(estimators, batchSize: plan.batchSize),
      samples: pairs.samples(8),
      history: try MetricsFile.read(run(name).appending(path: RunFolder.metricsFile)))
  }

  private func write(_ rows: [Row], chartLibrary: Result<String, ChartLibraryError>) throws {
    for row in rows {
      try AtomicFile.write(
        JSONValue(encoding: row.report).data(indent: 2),
        to: folder.appending(path: "\(row.name).json"))
    }
    let report = QuickstartReport(rows: rows, plan: plan, texts: texts).report
    let html = HTMLReport.render(report, chartLibrary: chartLibrary)
    try AtomicFile.write(Data(html.utf8), to: reportFile)
  }
}
