import ArgumentParser
import Foundation
import NamidLaboratory
import NamidPages
import NamidReports
import NamidTerminal

/// `namid quickstart`.
struct QuickstartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quickstart",
    abstract: "Train three small networks, attack them, and write a report.",
    discussion: """
      On Fashion-MNIST, in a few minutes on two cores: the same network trained \
      naturally, with standard adversarial training and with NAMID, measured clean \
      and under PGD-40 at ε = 0.1. Run it again after an interruption and it goes \
      on where it was.

      Example:
        namid quickstart --out runs/first
      """)

  @Option(help: .init("Where runs, figures and the report go.", valueName: "folder"))
  var out: String?
  @Flag(help: "Little data and few epochs: only to see that everything works.")
  var smoke = false
  @Flag(help: "Remove what an earlier quickstart left in the folder first.")
  var fresh = false
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func run() throws {
    let device = try device.prepare()
    let begin = Date()
    let folder = URL(filePath: out ?? (smoke ? "runs/quickstart-smoke" : "runs/quickstart"))
    if fresh { try Quickstart.clear(folder) }
    let training = TrainingProgress()
    let attacks = EvaluationProgress()
    let quickstart = Quickstart(
      smoke ? .smoke : .full, data: data.directory, folder: folder, device: device,
      texts: ToolTexts()
    ) { event in
      switch event {
      case .step(let text):
        attacks.finish()
        note(text)
      case .training(let event): training.show(event)
      case .attack(let name, let progress): attacks.show(name, progress)
      }
    }
    let rows = try quickstart.run(chartLibrary: ChartLibrary.loaded)
    attacks.finish()
    show(rows)
    print("report: \(quickstart.reportFile.path)")
    print("took \(durationText(seconds: Date().timeIntervalSince(begin)))")
  }

  private func show(_ rows: [Quickstart.Row]) {
    var table = TextTable([
      "training", "clean", "PGD-40", "95 % interval", "natural MI", "adversarial MI",
    ])
    for row in rows {
      let attack = row.report.attacks[1]
      let change = { (mean: MeanInformation.Pair) in
        String(format: "%.2f → %.2f", mean.clean, mean.attacked)
      }
      table.append([
        row.name, Figures.percent(row.report.cleanAccuracy), Figures.percent(attack.robustAccuracy),
        Figures.ends(of: attack.interval), change(row.information.natural),
        change(row.information.adversarial),
      ])
    }
    print(table.text, terminator: "")
    print("MI in nats, clean → attacked, by estimators trained on the network called standard")
  }
}
