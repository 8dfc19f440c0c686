/// All comparisons of a suite, with the programs that take part and how they are started.
struct SuitePlan: Equatable {
  /// The names of files in the suite's folder of inputs.
  enum File {
    static func network(width: Int) -> String { "network-w\(width).safetensors" }
    static func batch(width: Int) -> String { "batch-w\(width).safetensors" }
    static let estimators = "estimators"
    static let evaluatedNetwork = "network-evaluation.safetensors"
    static let evaluatedImages = "batch-evaluation.safetensors"
  }

  /// The settings of glibc's allocator that this project makes for itself: without them every large tensor costs page
  /// faults.
  static let allocator = [
    "MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
  ]

  let cases: [SuiteCase]

  /// The comparisons for some settings, with inputs in a folder.
  init(_ settings: SuiteSettings, inputs: String) {
    let parts = SuiteParts(settings: settings, folder: inputs)
    let all = settings.items.flatMap { item in
      switch item {
      case .pgd10Narrow: [parts.training(item, width: 16)]
      case .pgd10Wide: [parts.training(item, width: 64)]
      case .namidNarrow: [parts.namid(item, width: 16)]
      case .namidWide: [parts.namid(item, width: 64)]
      case .evaluation: [parts.evaluation]
      case .estimators: [parts.estimators]
      case .data: [parts.data]
      case .start: [parts.loading, parts.firstStep]
      case .memory: [parts.memory(width: 16), parts.memory(width: 64)]
      case .matmul:
        ["float32", "bfloat16"].map(parts.matmul) + [16, 64].map(parts.attack)
      }
    }
    cases = all.map { each in
      var each = each
      if !settings.hasPeers { each.contestants = each.ours }
      return each
    }
  }
}

/// A ratio that an optimised program is asked to reach; the report says whether it does.
struct SuiteTarget: Equatable {
  let caseName: String
  /// The kind of peer.
  let kind: String
  /// The least factor by which this project should take less.
  let ratio: Double

  static let all = [
    SuiteTarget(caseName: "pgd10-w16", kind: "eager", ratio: 2.5),
    SuiteTarget(caseName: "pgd10-w16", kind: "torchattacks", ratio: 2.5),
    SuiteTarget(caseName: "pgd10-w16", kind: "expert", ratio: 1.35),
    SuiteTarget(caseName: "pgd10-w16", kind: "expert-tuned", ratio: 1.35),
    SuiteTarget(caseName: "pgd10-w64", kind: "eager", ratio: 5),
    SuiteTarget(caseName: "pgd10-w64", kind: "torchattacks", ratio: 5),
    SuiteTarget(caseName: "pgd10-w64", kind: "expert", ratio: 1.1),
    SuiteTarget(caseName: "pgd10-w64", kind: "expert-tuned", ratio: 1.1),
    SuiteTarget(caseName: "namid-w16", kind: "namid-passes", ratio: 6),
    SuiteTarget(caseName: "namid-w64", kind: "namid-passes", ratio: 6),
    SuiteTarget(caseName: "pgd40-eval", kind: "torchattacks", ratio: 3),
    SuiteTarget(caseName: "memory-w16", kind: "expert", ratio: 1),
    SuiteTarget(caseName: "memory-w64", kind: "expert", ratio: 1),
  ]
  /// The share of the machine's own rate in bfloat16 that attacks at width 64 should reach.
  static let share = 0.8
}
