import ArgumentParser
import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidFiles
import NamidReports
import NamidTorch
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

  @Argument(help: .init("The run of a trained network.", valueName: "run"))
  var folder: String
  @Option(help: .init("Attacks, separated by commas.", valueName: "list"))
  var attack = "pgd-20"
  @Option(help: .init("Where the images go (safetensors).", valueName: "file"))
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
    print(EvaluationText(report: measurement.report).text, terminator: "")
    measurement.state?.finish()
  }
}

extension Goal: ExpressibleByArgument {}

/// A picture of attacked images: a row of unattacked ones, then for each attack a row of attacked ones and one of the
/// changes, enlarged to the full range around gray.
private struct AttackGrid {
  private static let mostColumns = 10
  private static let gap = 2

  private let set: ImageSet
  private let rows: [Tensor]

  init(_ measurement: RobustnessMeasurement, _ set: ImageSet) {
    self.set = set
    let count = min(set.count, Self.mostColumns)
    let clean = ImageTensors(set).batch(Array(0..<count)).images.contiguous()
    let attacked = measurement.outcomes.filter { $0.report.refused != nil }
      .compactMap { $0.images?.slice(0..<count) }
    rows = [clean] + attacked.flatMap { [$0, EnlargedChange($0 - clean).images] }
  }

  /// The picture.
  func png() throws -> Data {
    let side = { (size: Int, count: Int) in size * count + Self.gap * (count - 1) }
    let padded = rows.map { row in
      // White gaps to the right of and below every image; the outermost are cut off.
      Tensor.cat(
        (0..<row.size(0)).map {
          row.slice($0..<$0 + 1).pad([0, Self.gap, 0, Self.gap], value: 1)
        }, dim: 3)
    }
    let (height, width) = (side(set.height, rows.count), side(set.width, rows[0].size(0)))
    let all = Tensor.cat(padded, dim: 2).slice(0..<height, dim: 2).slice(0..<width, dim: 3)
    return try PNG.encode(image: all)
  }
}
