import ArgumentParser
import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidTraining

/// `namid attack`.
struct AttackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attack",
    abstract: "Attack images and write them.",
    discussion: """
      Writes safetensors with labels, indices, and for each attack NAME.images \
      (float32, N × C × H × W) and NAME.robust. Images right unattacked become ones \
      that fool the network where the attack finds such, others the strongest it \
      has tried; with --goal strongest every image is the strongest of the whole \
      budget, for use against other networks.

      Examples:
        namid attack runs/at --attack pgd-40 --out attacked.safetensors
        namid attack runs/at --limit 100 --png attacked.png --out attacked.safetensors
      """)

  @Argument(help: ArgumentHelp("The run of a trained network.", valueName: "run"))
  var folder: String
  @Option(help: ArgumentHelp("Attacks, separated by commas.", valueName: "list"))
  var attack = "pgd-20"
  @Option(help: ArgumentHelp("Where the images go (safetensors).", valueName: "file"))
  var out: String
  @Option(
    help: ArgumentHelp(
      "Draw the first images, unattacked, attacked, and the enlarged change.", valueName: "file"))
  var png: String?
  @Option(help: "What the attack is after: fool or strongest.")
  var goal = Goal.fool
  @Option(help: "Which checkpoint: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest
  @OptionGroup var state: StateOptions
  @OptionGroup var options: EvaluationOptions

  func run() throws {
    for file in [out, png].compactMap(\.self) { try checkWritable(file) }
    let subject = try options.subject(
      run: folder, checkpoint: checkpoint, attack: attack, goal: goal, keepsImages: true)
    let measurement = try subject.measure(
      keepingStateIn: state.place(run: folder), fresh: state.isFresh)
    try AttackedImageFile.write(measurement, subject.set, to: URL(filePath: out))
    if let png {
      let grid = try AttackGrid(measurement, subject.set).png()
      try AtomicFile.write(grid, to: URL(filePath: png))
    }
    print(EvaluationText(measurement.report).text, terminator: "")
    measurement.state?.finish()
  }
}

extension Goal: ExpressibleByArgument {}
