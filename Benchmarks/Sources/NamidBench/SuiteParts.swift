/// The comparisons of a suite one by one.
struct SuiteParts {
  let settings: SuiteSettings
  let folder: String

  // MARK: Training

  /// A PGD-10 training step: ten attack gradients, one training gradient, the optimizer's step.
  func training(_ item: SuiteItem, width: Int) -> SuiteCase {
    let size = batch(width)
    return SuiteCase(
      name: item.rawValue, item: item,
      title: "PGD-10 adversarial training step, ResNet-18 of width \(width), batch \(size)",
      images: size * count(width), inputs: [.network(width: width, images: size)],
      contestants: bothPrecisions("train", network(width) + repeated(width)) + [
        peer("eager", "eager.py", network(width) + repeated(width)),
        peer(
          "torchattacks", "torchattacks_loop.py",
          ["--work", "train"] + network(width) + repeated(width)),
        expert("expert", network(width) + repeated(width)),
        expert("expert, torch.compile", ["--compile", "yes"] + network(width) + repeated(width)),
        tunedExpert(network(width) + repeated(width)),
      ])
  }

  /// A step of NAMID against the passes of the authors' program.
  func namid(_ item: SuiteItem, width: Int) -> SuiteCase {
    let size = batch(width)
    let arguments = network(width) + estimatorFiles
    return SuiteCase(
      name: item.rawValue, item: item,
      title: "NAMID training step with PGD-10, ResNet-18 of width \(width), batch \(size)",
      images: size, inputs: [.network(width: width, images: size), .estimators(units: units)],
      contestants: bothPrecisions("namid", arguments) + [
        peer("namid-passes", "namid_passes.py", arguments),
        // Not asked for by anybody, but the first thing that a careful reader would do to the peer.
        peer(
          "namid-passes, frozen", "namid_passes.py", ["--frozen", "yes"] + arguments,
          kind: "namid-passes-frozen"),
      ])
  }

  /// A step that trains both estimators by Equation 5.
  var estimators: SuiteCase {
    let size = batch(16)
    let arguments = network(16) + estimatorFiles
    return SuiteCase(
      name: SuiteItem.estimators.rawValue, item: .estimators,
      title: "Estimator training step (Equation 5, PGD-10), ResNet-18 of width 16, batch \(size)",
      images: size, inputs: [.network(width: 16, images: size), .estimators(units: units)],
      contestants: bothPrecisions("estimators", arguments) + [
        peer("estimator-passes", "estimator_passes.py", arguments)
      ])
  }

  // MARK: Measuring

  /// PGD-40 with and without dropping samples that are fooled.
  var evaluation: SuiteCase {
    let images = settings.isQuick ? 32 : settings.evaluationImages
    let size = settings.isQuick ? 16 : 128
    let network =
      settings.run.map { "network of \($0)" }
      ?? "ResNet-18 of width 16 with random weights (samples fall early: a trained network is what counts)"
    let arguments =
      [
        "--network", "\(folder)/\(SuitePlan.File.evaluatedNetwork)", "--batch",
        "\(folder)/\(SuitePlan.File.evaluatedImages)", "--batch-size", "\(size)",
        "--attack-steps", settings.isQuick ? "5" : "40",
      ] + common
    return SuiteCase(
      name: SuiteItem.evaluation.rawValue, item: .evaluation,
      title: "PGD-40 evaluation in float32, \(images) images, batches of \(size), \(network)",
      images: images, inputs: [.evaluation(images: images)],
      contestants: [
        ours("namid", "evaluate", arguments),
        ours("namid, nothing dropped", "evaluate", ["--whole-budget"] + arguments),
        peer("torchattacks", "torchattacks_loop.py", ["--work", "evaluate"] + arguments),
      ])
  }

  // MARK: Data, start, memory

  /// Random crops and flips alone.
  var data: SuiteCase {
    let images = settings.isQuick ? 1000 : 10_000
    let arguments = ["--images", "\(images)", "--batch-size", "128"] + common
    return SuiteCase(
      name: SuiteItem.data.rawValue, item: .data,
      title: "Data pipeline alone: \(images) images of 3×32×32 cropped and flipped, batches of 128",
      images: images,
      contestants: [
        ours("namid", "data", arguments),
        peer("DataLoader", "data_pipeline.py", arguments, kind: "loader"),
        peer(
          "DataLoader, 2 workers", "data_pipeline.py", ["--workers", "2"] + arguments,
          kind: "loader"),
        peer(
          "whole batches", "data_pipeline.py", ["--variant", "batches"] + arguments, kind: "batches"
        ),
      ])
  }

  /// The time that loading the program and libtorch takes.
  var loading: SuiteCase {
    SuiteCase(
      name: "start-load", item: .start,
      title: "Start: the process with libtorch loaded, to its end",
      mode: .untilExit, quantity: .startSeconds,
      contestants: [
        Contestant(
          name: "namid-bench --version", program: .ours, arguments: ["--version"], kind: "ours"),
        Contestant(
          name: "import torch", program: .python, arguments: ["-c", "import torch"], kind: "python"),
      ])
  }

  /// The time from nothing to the end of the first training step.
  var firstStep: SuiteCase {
    let arguments = network(16, batch: 8)
    return SuiteCase(
      name: "start-step", item: .start,
      title: "Start: process start to the end of the first PGD-10 step, width 16, batch 8",
      mode: .fresh, quantity: .startSeconds, inputs: [.network(width: 16, images: batch(16))],
      contestants: bothPrecisions("train", arguments) + [
        peer("eager", "eager.py", arguments), expert("expert", arguments),
      ])
  }

  /// Peak memory of a process after two training steps.
  func memory(width: Int) -> SuiteCase {
    let size = batch(width)
    return SuiteCase(
      name: "memory-w\(width)", item: .memory,
      title: "Peak memory of PGD-10 training, ResNet-18 of width \(width), batch \(size)",
      mode: .fresh, quantity: .peakBytes, inputs: [.network(width: width, images: size)],
      mostRounds: 2,
      contestants: bothPrecisions("train", network(width)) + [
        expert("expert", network(width)), tunedExpert(network(width)),
        peer("eager", "eager.py", network(width)),
      ])
  }

  // MARK: The machine's limit

  /// The best rate of matrix multiplication.
  func matmul(_ precision: String) -> SuiteCase {
    let limit = ["--largest", settings.isQuick ? "1024" : "4096", "--count", "4"] + common
    let arguments = ["--precision", precision] + limit
    return SuiteCase(
      name: "matmul-\(precision)", item: .matmul,
      title: "Best matrix multiplication of the machine in \(precision)",
      quantity: .secondsPerTeraflop,
      contestants: [
        ours("namid \(precision)", "matmul", arguments),
        peer("torch \(precision)", "matmul.py", arguments, kind: "torch"),
      ])
  }

  /// The ten attack gradients alone, with their floating-point operations.
  func attack(width: Int) -> SuiteCase {
    let size = batch(width)
    let operations = 10 * ResNetWork(width: width).attackGradient * Double(size * count(width))
    var contestants = bothPrecisions("attack", network(width) + repeated(width))
    contestants.append(expert("expert", ["--work", "attack"] + network(width) + repeated(width)))
    for place in contestants.indices { contestants[place].operations = operations }
    return SuiteCase(
      name: "attack-w\(width)", item: .matmul,
      title: "PGD-10 attack alone, ResNet-18 of width \(width), batch \(size)",
      images: size * count(width), inputs: [.network(width: width, images: size)],
      contestants: contestants)
  }

  // MARK: Arguments

  private func batch(_ width: Int) -> Int {
    settings.isQuick ? 8 : width == 16 ? 128 : 64
  }

  /// Narrow networks do several steps per measurement, so that each takes seconds.
  private func count(_ width: Int) -> Int { settings.isQuick || width > 16 ? 1 : 3 }

  private var units: Int { settings.isQuick ? 64 : 2048 }

  private var common: [String] {
    ["--threads", "\(settings.threads)", "--device", settings.device]
  }

  private func repeated(_ width: Int) -> [String] { ["--count", "\(count(width))"] }

  private func network(_ width: Int, batch size: Int? = nil) -> [String] {
    [
      "--network", "\(folder)/\(SuitePlan.File.network(width: width))", "--batch",
      "\(folder)/\(SuitePlan.File.batch(width: width))", "--batch-size",
      "\(size ?? batch(width))",
    ] + common
  }

  private var estimatorFiles: [String] {
    ["--estimators", "\(folder)/\(SuitePlan.File.estimators)"]
  }

  private func ours(_ name: String, _ work: String, _ arguments: [String]) -> Contestant {
    Contestant(
      name: name, program: .ours, arguments: ["measure", "--work", work] + arguments,
      kind: "ours")
  }

  private func bothPrecisions(_ work: String, _ arguments: [String]) -> [Contestant] {
    ["bfloat16", "float32"].map {
      ours("namid \($0)", work, ["--precision", $0] + arguments)
    }
  }

  private func peer(
    _ name: String, _ file: String, _ arguments: [String], kind: String? = nil
  ) -> Contestant {
    Contestant(
      name: name, program: .peer(file: file), arguments: arguments, kind: kind ?? name)
  }

  private func expert(_ name: String, _ arguments: [String]) -> Contestant {
    peer(name, "expert.py", arguments, kind: "expert")
  }

  /// The expert's program with settings of the allocator that no program of PyTorch's makes for itself.
  private func tunedExpert(_ arguments: [String]) -> Contestant {
    Contestant(
      name: "expert, allocator tuned", program: .peer(file: "expert.py"), arguments: arguments,
      environment: SuitePlan.allocator, kind: "expert-tuned")
  }
}
