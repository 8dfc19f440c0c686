import ArgumentParser
import Foundation
import NamidAttacks
import NamidDefenses
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidStatistics
import NamidTerminal
import NamidTorch
import NamidTraining

/// `namid bench`.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the cost of an adversarial training step per image.",
    discussion: """
      ResNet-18 on random images: ten attack gradients, one training gradient and the \
      optimizer's step. Runs alternate between settings; the table gives medians and \
      the spread.

      Benchmarks/run of the repository measures this project beside programs in PyTorch.

      Examples:
        namid bench --widths 16,64 --repeats 5
        namid bench --widths 16 --image-size 64 --classes 200 --batch-size 32
      """)

  @Option(help: .init("Widths of ResNet-18, separated by commas.", valueName: "list"))
  var widths = "16,64"
  @Option(help: .init("Images per step.", valueName: "n"))
  var batchSize = 64
  @Option(help: .init("Height and width of the images.", valueName: "pixels"))
  var imageSize = 32
  @Option(help: .init("Classes.", valueName: "n"))
  var classes = 10
  @Option(help: .init("Attack gradients per step.", valueName: "n"))
  var steps = 10
  @Option(help: .init("Times that each setting is measured.", valueName: "n"))
  var repeats = 5
  @Flag(help: "Record the step as a CUDA graph and repeat it.")
  var graphs = false
  @Flag(help: "Print JSON instead of a table.")
  var json = false
  @OptionGroup var device: DeviceOptions

  func validate() throws {
    if [batchSize, repeats, classes].contains(where: { $0 < 1 }) || steps < 0 {
      throw ValidationError("--batch-size, --repeats and --classes must be at least 1")
    }
    if imageSize < 8 { throw ValidationError("--image-size must be at least 8") }
  }

  func run() throws {
    let device = try device.prepare()
    let widths = try widths.split(separator: ",").map { text in
      guard let width = Int(text), width >= 1 else {
        throw ValidationError("--widths must be numbers such as 16,64")
      }
      return width
    }
    let cases = try widths.flatMap { width in
      try [Precision.float32, .bfloat16].map {
        try StepBenchmark(width: width, precision: $0, self, on: device)
      }
    }
    // The first call picks kernels and fills caches; a step is recorded after three.
    for _ in 0..<(graphs ? 4 : 1) { for each in cases { try each.step() } }
    var seconds = cases.map { _ in [Double]() }
    for _ in 0..<repeats {
      for (i, each) in cases.enumerated() { seconds[i].append(try each.measure()) }
    }
    show(
      zip(cases, seconds).map { each, times in (each, times.map { 1000 * $0 / Double(batchSize) }) }
    )
  }

  /// Prints milliseconds per image, one list of measurements for each setting.
  private func show(_ rows: [(StepBenchmark, [Double])]) {
    let figures = rows.map { each, times in
      (each, [Statistics.median(times), times.min(), times.max()].map { $0 ?? .nan })
    }
    if json {
      let items = figures.map { each, times -> JSONValue in
        [
          "width": .int(each.width), "precision": .string(each.precision.rawValue),
          "batch_size": .int(batchSize), "image_size": .int(imageSize), "classes": .int(classes),
          "steps": .int(steps), "repeats": .int(repeats),
          "ms_per_image_median": .double(times[0]), "ms_per_image_min": .double(times[1]),
          "ms_per_image_max": .double(times[2]),
        ]
      }
      print(JSONValue.array(items).text(indent: 2))
      return
    }
    var table = TextTable(["width", "precision", "ms per image", "lowest", "highest"])
    for (each, times) in figures {
      table.append(
        ["\(each.width)", each.precision.rawValue] + times.map { String(format: "%.2f", $0) })
    }
    print(
      "PGD-\(steps) training step, ResNet-18, batch \(batchSize), \(imageSize)×\(imageSize), "
        + "\(classes) classes, median of \(repeats), \(TorchEnvironment.read().threads) threads")
    print(table.text, terminator: "")
  }
}

/// One adversarial training step of ResNet-18, ready to be timed.
private struct StepBenchmark {
  let width: Int
  let precision: Precision
  private let network: Network
  private let optimizer: SGD
  private let batch: Batch
  private let defense: StandardAT
  private let streams: RandomStreams
  private let device: Device
  private let recordings: BatchRecordings<Tensor>?

  init(width: Int, precision: Precision, _ options: Bench, on device: Device) throws {
    guard !options.graphs || device != .cpu && Graph.isAvailable else {
      throw TrainingError.noGraphs(device)
    }
    recordings = options.graphs ? BatchRecordings(on: device) : nil
    self.width = width
    self.precision = precision
    self.device = device
    let root = RandomStream(seed: 0)
    network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: width, classCount: options.classes,
        imageHeight: options.imageSize, imageWidth: options.imageSize), stream: root, device: device
    )
    network.isTraining = true
    optimizer = SGD(network.store, momentum: 0.9, weightDecay: 2e-4)
    let count = options.batchSize
    streams = RandomStreams((0..<count).map { root.keyed($0) })
    let images = Tensor.uniform(
      streams.each, shape: [3, options.imageSize, options.imageSize]
    ).to(device)
    batch = Batch(
      images: images.contiguous(.channelsLast),
      labels: Tensor((0..<count).map { $0 % options.classes }, shape: [count]).to(device),
      indices: Array(0..<count))
    let threat = ThreatModel(epsilon: Fraction(8, over: 255))
    defense = StandardAT(attack: TrainingAttack(PGD(in: threat) { $0.steps = options.steps }))
  }

  func step() throws {
    if let recordings {
      _ = try recordings.run(batch, streams: streams, stage: 0, work)
    } else {
      _ = work(batch, streams)
    }
    TorchEnvironment.synchronize(device)
  }

  private func work(_ batch: Batch, _ streams: RandomStreams) -> Tensor? {
    network.store.zeroGrad()
    let loss = withPrecision(precision, on: device) {
      defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    }
    loss.total.backward()
    optimizer.step(learningRate: 0.01)
    return loss.total.detach()
  }

  /// Seconds of one step.
  func measure() throws -> Double {
    let begin = Date()
    try step()
    return Date().timeIntervalSince(begin)
  }
}
