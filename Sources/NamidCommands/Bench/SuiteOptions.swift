import ArgumentParser
import Foundation
import NamidFiles
import NamidTorch

/// The options of `namid bench --suite`.
struct SuiteOptions: ParsableArguments {
  @Flag(help: "Measure this project and its peers in PyTorch side by side.")
  var suite = false
  @Option(
    help: ArgumentHelp(
      "Suite: only these items, separated by commas.",
      discussion: SuiteItem.allCases.map(\.rawValue).joined(separator: ", ") + ".",
      valueName: "names"))
  var only: String?
  @Flag(help: "Suite: tiny batches and one round, to see that everything runs.")
  var quick = false
  @Option(
    help: ArgumentHelp(
      "Suite: where suite.md and suite.json go; a new folder below runs/ by default.",
      valueName: "folder"))
  var out: String?
  @Option(
    help: ArgumentHelp(
      "Suite: a Python that has the peers' packages.",
      discussion: "Without it one is made in .deps/bench-venv on first use.", valueName: "path"))
  var python: String?
  @Option(
    help: ArgumentHelp(
      "Suite: the run of an adversarially trained ResNet-18 for pgd40-eval; random weights without it.",
      valueName: "run"))
  var run: String?
  @Option(help: ArgumentHelp("Suite: images of pgd40-eval.", valueName: "n"))
  var images = 512
  @OptionGroup var data: DataOptions

  func validate() throws {
    if images < 1 { throw ValidationError("--images must be at least 1") }
    if !suite && (only != nil || quick || out != nil || python != nil || run != nil) {
      throw ValidationError("--only, --quick, --out, --python and --run belong to --suite")
    }
  }

  /// Runs the suite.
  ///
  /// - Parameters:
  ///   - repeats: Rounds.
  ///   - device: Where networks compute.
  ///   - printsJSON: Whether standard output gets JSON instead of tables.
  /// - Throws: What keeps the suite from beginning; a program that fails is part of the report.
  func run(repeats: Int, device: Device, printsJSON: Bool) throws {
    signal(SIGPIPE, SIG_IGN)  // a program that ends early is an answer, too
    let tool = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    let repository = PythonEnvironment.repository(tool: tool)
    let machine = SuiteMachine.read(repository: repository)
    var settings = SuiteSettings(threads: machine.threads)
    if let only { settings.items = try SuiteSettings.items(only) }
    settings.repeats = quick ? 1 : repeats
    (settings.isQuick, settings.device, settings.run) = (quick, device.description, run)
    settings.evaluationImages = images
    let output = try outputFolder(machine)
    let environment = try PythonEnvironment(python: python, repository: repository, say: note)
    let temporary = FileManager.default.temporaryDirectory
      .appending(path: "namid-suite-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: temporary) }
    let plan = SuitePlan(settings, inputs: temporary.path)
    try SuiteInputs(folder: temporary, run: run, dataDirectory: data.directory)
      .write(for: plan.cases)
    // Made no earlier: what keeps the suite from beginning leaves nothing behind.
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    let runner = SuiteRunner(
      tool: tool, python: environment, repeats: settings.repeats, say: note)
    var results: [CaseResult] = []
    for suiteCase in plan.cases {
      results.append(runner.run(suiteCase))
      // Written after each comparison: an interrupted suite has not been for nothing.
      let report = SuiteReport(machine: machine, settings: settings, cases: results)
      try AtomicFile.write(Data(report.markdown.utf8), to: output.appending(path: "suite.md"))
      try AtomicFile.write(
        report.json.data(indent: 2), to: output.appending(path: "suite.json"))
    }
    let report = SuiteReport(machine: machine, settings: settings, cases: results)
    print(printsJSON ? report.json.text(indent: 2) : report.text)
    note("written: \(output.path)/suite.md and suite.json")
  }

  /// The folder of the report; one that holds a report is refused.
  private func outputFolder(_ machine: SuiteMachine) throws -> URL {
    let name = "speed-" + machine.date.replacing(":", with: "-")
    let folder = URL(filePath: out ?? "runs/\(name)")
    if FileManager.default.fileExists(atPath: folder.appending(path: "suite.json").path) {
      throw ValidationError(
        "\(folder.path) holds the report of another suite: name another folder with --out")
    }
    return folder
  }
}
