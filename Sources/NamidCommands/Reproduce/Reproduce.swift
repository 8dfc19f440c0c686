import ArgumentParser
import Foundation
import NamidReproduction
import NamidTorch

/// `namid reproduce`.
struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reproduce a table or figure of the paper, or carry out a recipe of your own.",
    discussion: """
      A recipe says what is trained, how it is attacked and which table that makes; \
      those of the paper come with the tool (folder Recipes). Every training and \
      every measurement is a step of its own, done once: finished steps are used \
      again, also by other recipes, and after any interruption the same command goes \
      on. A step that fails stops those that need it and no others.

      Presets: paper is the paper's own setting; cpu is the largest that two cores \
      finish in a few hours; smoke only shows that everything works. A file of your \
      own needs none.

      Recipes: table1 to table6, figure2, figure4, figure5, figure7, or all. How to \
      write one: Docs/Reproduce.md. OUT/results.json has all figures, OUT/tables.md \
      the tables.

      Examples:
        namid reproduce table1 --preset smoke --out runs/smoke
        namid reproduce table1 --preset cpu --out runs/cpu --dry-run
        namid reproduce table1 --preset cpu --out runs/cpu --seeds 0 --only NAMID
        namid reproduce all --preset smoke --out runs/smoke --jobs 2
        namid reproduce my.yaml --out runs/mine
      """)

  @Argument(help: ArgumentHelp("A recipe's name, all, or a file of your own.", valueName: "recipe"))
  var recipe: String
  @Option(
    help: ArgumentHelp(
      "A preset of the recipe; cpu for the recipes that come with the tool, none for others.",
      valueName: "name"))
  var preset: String?
  @Option(help: ArgumentHelp("Where steps and results go.", valueName: "folder"))
  var out: String
  @Option(
    help: ArgumentHelp(
      "Seeds in place of the recipe's own, each once, such as 0,1,2.", valueName: "list"))
  var seeds: SeedList?
  @Option(
    help: ArgumentHelp(
      "Only this row of the table, and what it needs; may be repeated.", valueName: "row"))
  var only: [String] = []
  @Option(
    help: ArgumentHelp(
      "Steps at the same time, which share the cores; for small networks more get done.",
      valueName: "n"))
  var jobs = 1
  @Flag(help: "Print the plan with estimates of time and memory, and stop; nothing is written.")
  var dryRun = false
  @Option(help: "How tables are printed: text, markdown, csv or latex.")
  var format = TableFormat.text
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if let seeds, seeds.values.contains(where: { $0 < 0 }) {
      throw ValidationError("--seeds must not be negative")
    }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
  }

  func run() throws {
    let device = try device.prepare()
    let work = try ReproductionWork(
      recipe, preset: preset,
      options: PlanBuilder.Options(seeds: seeds?.values, only: only),
      data: data.directory, out: URL(filePath: out), device: device)
    if !dryRun, let last = work.problems.last {
      for problem in work.problems.dropLast() { note("Error: \(problem)") }
      throw last
    }
    if dryRun {
      let costs = try work.costs(say: note)
      print(PlanText(work, costs: costs, jobs: jobs).text, terminator: "")
      let problems =
        work.problems + [work.folderProblem, work.diskProblem(costs)].compactMap(\.self)
      for problem in problems { note("cannot start: \(problem)") }
      if !problems.isEmpty { throw ExitCode(1) }
      return
    }
    guard let lock = try work.store.lock() else {
      throw ReproductionError.busy(work.store.root.path)
    }
    try withExtendedLifetime(lock) {
      if let problem = work.folderProblem { throw problem }
      let costs = try work.costs(say: note)
      if let problem = work.diskProblem(costs) { throw problem }
      try carryOut(work, costs)
    }
  }

  private func carryOut(_ work: ReproductionWork, _ costs: CostTable) throws {
    Interruption.watch()
    let writer = ReproductionWriter(work, command: commandLine())
    let replaced = writer.replaced
    if !replaced.isEmpty {
      note(
        "the tables of \(replaced.joined(separator: ", ")) in \(out) are replaced; their steps stay, and the "
          + "same command as before writes them again")
    }
    // What an earlier call has written must not be taken for this one's.
    try writer.write(writer.record([:], hasEnded: false))
    var known: [String: StepResult] = [:]
    var lastWritten = Date()
    let progress = ReproductionProgress(work, costs, jobs: jobs)
    let common = commonArguments
    let (results, isInterrupted) = PlanRunner(work.plan, store: work.store).run(
      jobs: jobs,
      launch: { step, log in
        try StepProcess(
          arguments: ["step", "steps/\(step.id)/request.json"] + common, in: work.store.root,
          log: log
        ).poll
      },
      rest: {
        progress.tick()
        usleep(100_000)
      },
      tell: { event in
        progress.show(event)
        guard case .ended(let step, let result, _) = event else { return }
        known[step.id] = result
        // Finished figures are in the tables while the rest goes on, also after an end that nobody could foresee.
        guard Date().timeIntervalSince(lastWritten) > 60 else { return }
        try? writer.write(writer.record(known, hasEnded: false))
        lastWritten = Date()
      })
    let record = writer.record(results, hasEnded: !isInterrupted)
    // Figures that took hours are shown even where a full disk keeps them from being written.
    let written = Result { try writer.write(record) }
    print(format.render(record.tables), terminator: "")
    try written.get()
    try end(record, writer, isInterrupted)
  }

  /// Says where results are and what to do next.
  private func end(
    _ record: ReproductionRecord, _ writer: ReproductionWriter, _ isInterrupted: Bool
  ) throws {
    note("results: \(writer.results.relativePath); tables: \(writer.tables.relativePath)")
    note("to look at them: namid report \(out)")
    if isInterrupted {
      note("interrupted: run the same command again; it goes on where it was")
      throw ExitCode(128 + (Interruption.received ?? SIGINT))
    }
    let failed = record.steps.filter { $0.state == .failed }
    let cells = record.tables.flatMap(\.parts).flatMap(\.rows).flatMap(\.cells)
    if failed.isEmpty {
      // Every step ended well and a figure is missing all the same: the tables say which.
      if cells.contains(where: { $0.state == .failed }) { throw ExitCode(1) }
      return
    }
    for step in failed {
      let lines = (step.why ?? "").split(separator: "\n").map { "  \($0)" }
      note((["failed: \(step.title)"] + lines).joined(separator: "\n"))
      note("  log: \(out)/steps/\(step.id)/log.txt")
    }
    note("the same command tries failed steps again and does nothing else twice")
    throw ExitCode(1)
  }

  /// Arguments that every step gets besides its own: they decide how it computes and not its result.
  private var commonArguments: [String] {
    var words = ["--data-dir", data.directory.standardizedFileURL.path]
    if device.device != .cpu { words += ["--device", "\(device.device)"] }
    if let threads { words += ["--threads", "\(threads)"] }
    if device.deterministic { words.append("--deterministic") }
    return words
  }

  /// Each step's share of the cores unless their number is given; nil for all of them.
  private var threads: Int? {
    if let threads = device.threads { return threads }
    return jobs > 1 ? max(1, ProcessInfo.processInfo.activeProcessorCount / jobs) : nil
  }

}

extension TableFormat: ExpressibleByArgument {}
