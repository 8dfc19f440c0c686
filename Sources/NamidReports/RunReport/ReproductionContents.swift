import Foundation
import NamidEvaluation
import NamidFiles
import NamidPages
import NamidReproduction
import NamidTerminal

/// The contents of a reproduction's folder that a report shows.
struct ReproductionContents {
  let record: ReproductionRecord
  let root: URL
  let say: (String) -> Void

  // MARK: In words

  /// The overview: the command, the machine, the progress and failed steps.
  var overview: [Report.Block] {
    let seconds = record.steps.reduce(0) { $0 + ($1.seconds ?? 0) }
    let memory = record.steps.compactMap(\.peakMemory).max()
    var blocks: [Report.Block] = [
      .code(record.command),
      .facts([
        ("Written", record.written), ("Machine", record.machine), ("namid", record.version),
        ("Steps", record.progress), ("Time in all", durationText(seconds: seconds)),
        ("Peak memory", memory.map { "\($0 >> 20) MiB" } ?? "not known"),
      ]),
      .paragraph(
        "Last is the checkpoint after the last epoch, best that of the epoch with the best accuracy under attack "
          + "on images held out of training: one rule for all defenses. Brackets are 95 % intervals over images, "
          + "± is the standard deviation over n seeds; Δ is the difference to the first row in points, taken image "
          + "by image. Every figure links to the file that it comes from."
      ),
    ]
    if record.isInterrupted {
      blocks.append(
        .paragraph(
          "Written before the end (interrupted, or still at work): what is missing here was not measured yet."
        ))
    }
    let failures = record.steps.filter { $0.state == .failed }
    if !failures.isEmpty {
      blocks.append(
        .list("Failed steps:", failures.map { "\($0.title): \($0.why ?? "no reason is known")" }))
    }
    return blocks
  }

  /// Makes the section with all steps and their commands.
  func steps(link: (String) -> String) -> Report.Section {
    Report.Section(
      "Steps",
      [
        .paragraph(
          "Every step is a call of namid in this folder, done once. Threads, device and data folder are left out."
        ),
        .table(
          ReportTable(
            header: ["step", "state", "minutes", "peak MiB"],
            cells: record.steps.map { step in
              [
                ReportTable.Cell(
                  step.title, notes: [step.command], link: step.product.map(link)),
                ReportTable.Cell(
                  step.sameAs == nil ? step.state.rawValue : "taken over",
                  notes: step.why.map { [$0] } ?? []),
                ReportTable.Cell(
                  step.seconds.map { String(format: "%.1f", $0 / 60) } ?? "", value: step.seconds),
                ReportTable.Cell(
                  step.peakMemory.map { "\($0 >> 20)" } ?? "",
                  value: step.peakMemory.map(Double.init)),
              ]
            }, numericColumns: [2, 3])),
      ])
  }

  // MARK: Files

  /// The histories of all trainings, including failed and unfinished ones.
  var histories: [TrainingHistory] {
    steps(of: [.train, .estimators]).compactMap { step, kind in
      TrainingHistory(
        run: root.appending(path: "\(ExperimentStep.folderName)/\(step.id)/\(kind.product)"),
        named: short(step.title), say: say)
    }
  }

  /// The trained networks in the order of the tables' rows, one seed each.
  var networks: [ExampleImages.Subject] {
    var found: [ExampleImages.Subject] = []
    for row in record.tables.flatMap(\.parts).flatMap(\.rows) {
      guard let file = row.cells.flatMap(\.runs).first?.file,
        let measured = record.steps.first(where: { $0.product == file }),
        let run = network(measured), !found.contains(where: { $0.run == run.url })
      else { continue }
      found.append(ExampleImages.Subject(name: run.name, run: run.url))
    }
    return found
  }

  /// The evaluations with their network and file, without steps whose figures were taken over from another step.
  var measurements: [(network: String, url: URL, report: EvaluationReport)] {
    steps(of: [.evaluate, .transfer]).compactMap { step, _ in
      guard step.sameAs == nil, let product = step.product else { return nil }
      let url = root.appending(path: product)
      let report: EvaluationReport
      do {
        let data = try readFile(at: url, limit: ReportSource.maximumBytes)
        report = try StoredEvaluation(url, JSONValue(parsing: data)).report
      } catch {
        say("left out: \(product): \(error)")
        return nil
      }
      let parts = short(step.title).components(separatedBy: ": ")
      return (parts.dropLast().joined(separator: ": "), url, report)
    }
  }

  /// The files with one reading of mutual information per image.
  var samples: [InformationDistributions.Source] {
    steps(of: [.pairings, .comparison]).compactMap { step, _ in
      step.product.map {
        (
          short(step.title),
          root.appending(path: $0).deletingPathExtension().appendingPathExtension("csv")
        )
      }
    }
  }

  private func steps(
    of kinds: [StepRequest.Kind]
  ) -> [(step: StepOutcome, kind: StepRequest.Kind)] {
    record.steps.compactMap { step in
      kinds.first { $0.rawValue == step.kind }.map { (step, $0) }
    }
  }

  /// Returns the network that a step has measured.
  private func network(_ step: StepOutcome) -> (name: String, url: URL)? {
    let needs = step.needs.compactMap { need in record.steps.first { $0.id == need } }
    guard let training = needs.first(where: { $0.kind == StepRequest.Kind.train.rawValue }),
      let product = training.product
    else { return nil }
    return (short(training.title), root.appending(path: product))
  }

  /// Returns a step's title without its verb and its part, and without the seed where all runs have seed 0.
  private func short(_ title: String) -> String {
    var text = title
    for verb in ["train ", "evaluate ", "transfer to ", "transfer "] where text.hasPrefix(verb) {
      text.removeFirst(verb.count)
      break
    }
    for part in Set(record.tables.flatMap(\.parts).map(\.name)) {
      text = text.replacing(", \(part)", with: "")
    }
    return hasOneSeed ? text.replacing(", seed 0", with: "") : text
  }

  private var hasOneSeed: Bool {
    record.tables.flatMap(\.parts).flatMap(\.rows).flatMap(\.cells).flatMap(\.runs)
      .allSatisfy { $0.seed == 0 }
  }
}
