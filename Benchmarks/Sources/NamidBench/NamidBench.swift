import ArgumentParser
import Foundation
import Namid

/// `namid-bench`, or `Benchmarks/run`: this project beside programs in PyTorch that do the same work.
@main struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "namid-bench",
    abstract: "Measure this project and its peers in PyTorch side by side.",
    version: "0.1.0", subcommands: [SuiteCommand.self, Measure.self],
    defaultSubcommand: SuiteCommand.self)
}

/// The suite: all comparisons, or some.
struct SuiteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "suite",
    abstract: "Measure this project and its peers in PyTorch side by side (what runs by default).",
    discussion: """
      This project and programs in PyTorch do the same work in turn, each in its own \
      process on the same weights and images. The report has medians, spreads, ratios \
      and whether all did the same work.

      Examples:
        Benchmarks/run --run runs/at --images 1000 --out runs/speed
        Benchmarks/run --only pgd10-w16,memory --quick
      """)

  @Option(
    help: ArgumentHelp(
      "Only these items, separated by commas.",
      discussion: SuiteItem.allCases.map(\.rawValue).joined(separator: ", ") + ".",
      valueName: "names"))
  var only: String?
  @Flag(help: "Tiny batches and one round, to see that everything runs.")
  var quick = false
  @Flag(help: "This project's programs alone: no Python is needed.")
  var ours = false
  @Option(help: ArgumentHelp("Rounds.", valueName: "n"))
  var repeats = 5
  @Option(
    help: ArgumentHelp(
      "The folder of suite.md and suite.json; a new one below runs/ by default.",
      valueName: "folder"))
  var out: String?
  @Option(
    help: ArgumentHelp(
      "A Python that has the peers' packages.",
      discussion: "Without it one is made in .deps/bench-venv on first use.", valueName: "path"))
  var python: String?
  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "The run of an adversarially trained ResNet-18 for pgd40-eval; random weights without it.",
      valueName: "run"))
  var trainedRun: String?
  @Option(help: ArgumentHelp("Images of pgd40-eval.", valueName: "n"))
  var images = 512
  @Option(
    help: ArgumentHelp(
      "The folder that holds data sets.", discussion: "Default: $NAMID_DATA, else a cache folder.",
      valueName: "folder"))
  var dataDir: String?
  @Flag(help: "Print JSON instead of tables.")
  var json = false
  @OptionGroup var place: PlaceOptions

  func validate() throws {
    if images < 1 || repeats < 1 {
      throw ValidationError("--images and --repeats must be at least 1")
    }
    if ours && python != nil { throw ValidationError("--ours and --python exclude each other") }
  }

  /// Runs the suite; a program that fails is part of the report.
  func run() throws {
    signal(SIGPIPE, SIG_IGN)  // a program that ends early is an answer, too
    let device = try place.prepare()
    let tool = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    let repository = PythonEnvironment.repository(tool: tool)
    let machine = SuiteMachine.read(repository: repository)
    var settings = SuiteSettings(threads: machine.threads)
    if let only { settings.items = try SuiteSettings.items(only) }
    settings.repeats = quick ? 1 : repeats
    (settings.isQuick, settings.device, settings.run) = (quick, device.description, trainedRun)
    (settings.evaluationImages, settings.hasPeers) = (images, !ours)
    let output = try outputFolder(machine)
    let environment =
      try ours
      ? nil : PythonEnvironment(python: python, repository: repository, say: note)
    let temporary = FileManager.default.temporaryDirectory
      .appending(path: "namid-suite-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: temporary) }
    let plan = SuitePlan(settings, inputs: temporary.path)
    let data = dataDir.map { URL(filePath: $0) } ?? DataDirectory.standard()
    try SuiteInputs(folder: temporary, run: trainedRun, dataDirectory: data).write(for: plan.cases)
    // Made no earlier: what keeps the suite from beginning leaves nothing behind.
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    let runner = SuiteRunner(
      tool: tool, python: environment, repeats: settings.repeats, say: note)
    var report = SuiteReport(machine: machine, settings: settings, cases: [])
    for suiteCase in plan.cases {
      report.cases.append(runner.run(suiteCase))
      // Written after each comparison: an interrupted suite has not been for nothing.
      try AtomicFile.write(Data(report.markdown.utf8), to: output.appending(path: "suite.md"))
      try AtomicFile.write(
        report.json.data(indent: 2), to: output.appending(path: "suite.json"))
    }
    print(json ? report.json.text(indent: 2) : report.text)
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

/// The device of this project's side.
struct PlaceOptions: ParsableArguments {
  @Option(help: "The device: cpu, cuda or cuda:N.")
  var device: Device = .cpu
  @Option(help: ArgumentHelp("Threads within an operator; all cores by default.", valueName: "n"))
  var threads: Int?

  /// Sets the threads, and refuses a device that is not there.
  func prepare() throws -> Device {
    if let threads {
      guard threads >= 1 else { throw ValidationError("--threads must be at least 1") }
      TorchEnvironment.setThreads(threads)
    }
    let devices = TorchEnvironment.read().cudaDevices
    guard device.kind == .cpu || Int(device.index) < devices else {
      throw ValidationError("\(device) is not here: libtorch sees \(devices) CUDA device(s)")
    }
    return device
  }
}

extension Device: @retroactive ExpressibleByArgument {
  /// Parses `cpu`, `cuda` or `cuda:N`.
  public init?(argument: String) { self.init(argument) }
}

extension Precision: @retroactive ExpressibleByArgument {}

/// Writes a line to standard error.
func note(_ line: String) { Terminal.writeError(line + "\n") }
