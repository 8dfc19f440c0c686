import ArgumentParser
import Foundation
import NamidAttacks
import NamidFiles
import NamidTerminal
import NamidTorch

/// `namid bench`.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the cost of an adversarial training step per image.",
    discussion: """
      ResNet-18 on random images: ten attack gradients, one training gradient and the \
      optimizer's step. Runs alternate between settings; the table gives medians and \
      the spread.

      With --suite: this project and programs in PyTorch that do the same work, in turn, \
      each in its own process on the same weights and images. The report has medians, \
      spreads, ratios and whether all did the same work.

      Examples:
        namid bench --widths 16,64 --repeats 5
        namid bench --widths 16 --image-size 64 --classes 200 --batch-size 32
        namid bench --suite --run runs/at --images 1000 --out runs/speed
        namid bench --suite --only pgd10-w16,memory --quick
      """)

  @Option(help: ArgumentHelp("Widths of ResNet-18, separated by commas.", valueName: "list"))
  var widths = "16,64"
  @Option(help: ArgumentHelp("Images per step.", valueName: "n"))
  var batchSize = 64
  @Option(help: ArgumentHelp("Height and width of the images.", valueName: "pixels"))
  var imageSize = 32
  @Option(help: ArgumentHelp("Classes.", valueName: "n"))
  var classes = 10
  @Option(help: ArgumentHelp("Attack gradients per step.", valueName: "n"))
  var steps = 10
  @Option(help: ArgumentHelp("Times that each setting is measured.", valueName: "n"))
  var repeats = 5
  @Flag(help: "Record the step as a CUDA graph and repeat it.")
  var graphs = false
  @Flag(help: "Print JSON instead of a table.")
  var json = false
  @OptionGroup var suite: SuiteOptions
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if [batchSize, repeats, classes].contains(where: { $0 < 1 }) || steps < 0 {
      throw ValidationError("--batch-size, --repeats and --classes must be at least 1")
    }
    if imageSize < 8 { throw ValidationError("--image-size must be at least 8") }
  }

  func run() throws {
    let device = try device.prepare()
    if suite.suite {
      try suite.run(repeats: repeats, device: device, printsJSON: json)
      return
    }
    let widths = try widths.split(separator: ",").map { text in
      guard let width = Int(text), width >= 1 else {
        throw ValidationError("--widths must be numbers such as 16,64")
      }
      return width
    }
    let cases = try widths.flatMap { width in
      try [Precision.float32, .bfloat16].map {
        try StepBenchmark(
          width: width, precision: $0,
          shape: .init(
            batchSize: batchSize, imageSize: imageSize, classes: classes, steps: steps),
          device: device, isRecorded: graphs)
      }
    }
    // The first call picks kernels and fills caches; a step is recorded after three.
    for _ in 0..<(graphs ? 4 : 1) { for each in cases { try each.step() } }
    var seconds = cases.map { _ in [Double]() }
    for _ in 0..<repeats {
      for (i, each) in cases.enumerated() { seconds[i].append(try each.measure()) }
    }
    show(zip(cases, seconds).compactMap { each, times in Spread(times).map { (each, $0) } })
  }

  private func show(_ rows: [(StepBenchmark, Spread)]) {
    let perImage = { (seconds: Double) in 1000 * seconds / Double(batchSize) }
    if json {
      let items = rows.map { each, times -> JSONValue in
        [
          "width": .int(each.width), "precision": .string(each.precision.rawValue),
          "batch_size": .int(batchSize), "image_size": .int(imageSize), "classes": .int(classes),
          "steps": .int(steps), "repeats": .int(repeats),
          "ms_per_image_median": .double(perImage(times.median)),
          "ms_per_image_min": .double(perImage(times.lowest)),
          "ms_per_image_max": .double(perImage(times.highest)),
        ]
      }
      print(JSONValue.array(items).text(indent: 2))
      return
    }
    var table = TextTable(["width", "precision", "ms per image", "lowest", "highest"])
    for (each, times) in rows {
      let values = [times.median, times.lowest, times.highest].map(perImage)
      table.append(
        ["\(each.width)", each.precision.rawValue] + values.map { String(format: "%.2f", $0) })
    }
    print(
      "PGD-\(steps) training step, ResNet-18, batch \(batchSize), \(imageSize)×\(imageSize), "
        + "\(classes) classes, median of \(repeats), \(TorchEnvironment.read().threads) threads")
    print(table.text, terminator: "")
  }
}
