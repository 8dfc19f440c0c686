import NamidTorch

/// A network read off the names and shapes of a checkpoint.
public struct RecognizedNetwork: Sendable {
  /// The network.
  public var specification: NetworkSpecification
  /// The file's name of each of the network's tensors.
  public let keys: [String: String]
  /// The names of the file that the network does not use.
  public let unused: [String]
  /// Sentences on what names and shapes do not tell and was assumed.
  public var notes: [String]
}

/// Choices that a user makes where a checkpoint leaves them open.
public struct RecognitionOptions: Sendable {
  /// An architecture's name; nil finds it.
  public var architecture: String?
  /// The shape of the images (channels, height, width).
  public var image: (channels: Int, height: Int, width: Int)?
  /// The zeros around the image in the first convolution, which no name or shape tells.
  public var firstConvolutionPadding = 1
  /// The name of the data set, which tells usual means and deviations.
  public var dataset = "cifar10"
  /// The normalisation; nil takes the file's own.
  public var normalization: InputNormalization?
  /// True to leave out the file's own normalisation, too.
  public var takesNoNormalization = false
  /// Values of a design that replace those read off, such as `shortcut` and `raw`.
  public var variant: [(key: String, value: String)] = []

  /// No choices.
  public init() {}
}

/// A checkpoint that fits no known network.
public struct RecognitionError: Error, CustomStringConvertible, Sendable {
  /// A candidate and the reasons for which it does not fit.
  struct Candidate: Sendable {
    let name: String
    let missing: [String]
    let unexpected: [String]
    let misshaped: [String]

    var problemCount: Int { missing.count + unexpected.count + misshaped.count }
  }

  let candidates: [Candidate]
  let sample: [String]
  /// Text that replaces the list of candidates.
  var reason: String?

  /// The nearest candidates with at most five names each, and what to do.
  public var description: String {
    if let reason { return reason }
    guard !candidates.isEmpty else {
      return """
        its names belong to no network that is known here; they begin with \(sample.joined(separator: ", ")). Export it as \
        a program instead: torch.export.save(torch.export.export(model.eval(), (images,)), "model.pt2")
        """
    }
    let lines = candidates.map { candidate in
      let parts = [
        ("lacks", candidate.missing), ("has besides", candidate.unexpected),
        ("has another shape for", candidate.misshaped),
      ]
      let texts = parts.filter { !$0.1.isEmpty }.map { verb, names in
        let shown = names.prefix(5).joined(separator: ", ")
        return "\(verb) \(shown)" + (names.count > 5 ? " and \(names.count - 5) more" : "")
      }
      return "  \(candidate.name): the file \(texts.joined(separator: "; it "))"
    }
    return """
      it fits no network that is known here. The nearest are:
      \(lines.joined(separator: "\n"))
      Export it as a program instead: torch.export.save(torch.export.export(model.eval(), (images,)), "model.pt2")
      """
  }
}

extension RecognizedNetwork {
  /// Finds the network that a checkpoint belongs to.
  ///
  /// Prefixes that wrappers add are taken off, whatever they are; buffers with a mean and a deviation become the first
  /// layer; tensors outside the network, such as a second one that was registered beside it, are listed as unused.
  ///
  /// - Parameters:
  ///   - source: The checkpoint.
  ///   - architectures: The kinds of network that are known.
  ///   - options: Choices of the user.
  /// - Returns: The network with the file's names of its tensors.
  /// - Throws: `RecognitionError` with the nearest candidates.
  public static func recognize(
    _ source: any TensorSource, among architectures: [Architecture] = Architecture.all,
    _ options: RecognitionOptions = RecognitionOptions()
  ) throws -> RecognizedNetwork {
    let entries = source.names.compactMap { name in
      source.layout(of: name).map { (name: name, shape: $0.shape) }
    }
    var search = Search(entries: entries, architectures: architectures, options: options)
    guard var found = try search.run() else {
      // A network that was asked for by name may be another one that is known.
      var others = options
      others.architecture = nil
      if let wanted = options.architecture,
        let other = try? recognize(source, among: architectures, others)
      {
        throw RecognitionError(
          candidates: [], sample: [],
          reason: "it is a \(other.specification.title), not a \(wanted)")
      }
      throw search.failure
    }
    try found.addNormalization(from: source, options)
    return found
  }
}

extension RecognizedNetwork {
  /// Builds the network and takes over the checkpoint's weights, one tensor at a time.
  ///
  /// - Parameters:
  ///   - source: The checkpoint that was recognised.
  ///   - device: The device of the network.
  ///   - architectures: The kinds of network that are known.
  /// - Returns: The network, in evaluation mode.
  /// - Throws: An error where tensors are damaged or of a type that weights cannot have.
  public func load(
    from source: any TensorSource, device: Device = .cpu,
    architectures: [Architecture] = Architecture.all
  ) throws -> Network {
    for name in keys.values {
      guard let (dtype, shape) = source.layout(of: name), !shape.isEmpty, shape != [1] else {
        continue
      }
      guard dtype.isFloatingPoint else {
        throw RecognitionError(
          candidates: [], sample: [],
          reason:
            "\(name) has elements of type \(dtype); weights must be floating-point numbers, so save the network before it is quantised"
        )
      }
    }
    let network = try Network(
      specification, stream: RandomStream(seed: 0), device: device, architectures: architectures)
    for (name, tensor) in network.store.state {
      guard let key = keys[name], let saved = try source.tensor(key) else { continue }
      withoutGrad { tensor.copy_(saved.reshape(tensor.shape)) }
    }
    return network
  }
}

/// The search for a network that fits.
private struct Search {
  let entries: [(name: String, shape: [Int])]
  let architectures: [Architecture]
  let options: RecognitionOptions
  private var failures: [RecognitionError.Candidate] = []

  init(
    entries: [(name: String, shape: [Int])], architectures: [Architecture],
    options: RecognitionOptions
  ) {
    self.entries = entries
    self.architectures = architectures
    self.options = options
  }

  var failure: RecognitionError {
    RecognitionError(
      candidates: Array(failures.sorted { $0.problemCount < $1.problemCount }.prefix(3)),
      sample: entries.prefix(5).map(\.name))
  }

  mutating func run() throws -> RecognizedNetwork? {
    if let name = options.architecture,
      !(architectures + Architecture.families).contains(where: { $0.name == name })
    {
      throw NetworkError.unknownArchitecture(name, known: architectures.map(\.name))
    }
    for family in NetworkFamily.all {
      for prefix in prefixes(of: family.stem) {
        let layout = StateLayout(entries, below: prefix)
        guard var design = family.design(layout) else { continue }
        try design.change(options.variant)
        guard design.problem == nil else { continue }
        let classes =
          (layout.matrix(family.classifier) ?? layout.matrix("classifier.6")
          ?? layout.matrix("classifier.3") ?? [10])[0]
        var specification = specification(family.architecture, layout, family.stem, classes)
        specification.design = design
        if let found = match(
          specification.withShortestName(among: architectures), layout, prefix,
          notes: family.notes(design))
        {
          return found
        }
      }
    }
    return matchOwn()
  }

  /// Tries the kinds that belong to no family: each with the width that the first filters of the file have.
  private mutating func matchOwn() -> RecognizedNetwork? {
    for kind in architectures where !kind.needsDesign && kind.design == nil {
      let layout = StateLayout(entries)
      guard let stem = layout.names.first(where: { layout.shapes[$0]?.count == 4 }),
        let classes = layout.names.last(where: { layout.shapes[$0]?.count == 2 })
          .flatMap({ layout.shapes[$0] })?[0],
        stem.hasSuffix(".weight")
      else { continue }
      let specification = specification(kind, layout, String(stem.dropLast(7)), classes)
      if let found = match(specification, layout, "", notes: []) { return found }
    }
    return nil
  }

  private func specification(
    _ kind: Architecture, _ layout: StateLayout, _ stem: String, _ classes: Int
  ) -> NetworkSpecification {
    let filter = layout.filter(stem) ?? [64, 3, 3, 3]
    let side = filter[2] == 7 ? 224 : 32
    return NetworkSpecification(
      architecture: kind.name, width: filter[0],
      firstConvolutionPadding: options.firstConvolutionPadding, classCount: classes,
      channels: filter[1],
      imageHeight: options.image?.height ?? side, imageWidth: options.image?.width ?? side,
      among: architectures)
  }

  /// The prefixes below which a first convolution stands: one that reads the channels of an image.
  private func prefixes(of stem: String) -> [String] {
    entries.compactMap { name, shape in
      guard name.hasSuffix(stem + ".weight"), shape.count == 4, shape[1] <= 4 else { return nil }
      let prefix = String(name.dropLast(stem.count + 7))
      return prefix.isEmpty || prefix.hasSuffix(".") ? prefix : nil
    }.sorted { $0.count < $1.count }
  }

  /// Compares a network's names and shapes with the file's; notes the differences where they do not fit.
  private mutating func match(
    _ specification: NetworkSpecification, _ layout: StateLayout, _ prefix: String, notes: [String]
  ) -> RecognizedNetwork? {
    let kinds = architectures + Architecture.families
    guard let kind = kinds.first(where: { $0.name == specification.architecture }),
      options.architecture == nil || options.architecture == kind.name
        || options.architecture == specification.architecture,
      kind.problem(specification) == nil
    else { return nil }
    let own = ParameterStore.layout { _ = kind.build(specification, $0) }
    let known = Set(own.map(\.name))
    let missing = own.map(\.name).filter {
      !layout.has($0) && !$0.hasSuffix("num_batches_tracked")
    }
    let misshaped = own.compactMap { entry -> String? in
      guard let shape = layout.shapes[entry.name], shape != entry.shape,
        !(entry.shape.isEmpty && shape == [1])
      else { return nil }
      return "\(entry.name) \(shape) for \(entry.shape)"
    }
    // A name beside one of the network's own parts is a part of another network; one elsewhere is another thing.
    let parts = Set(own.map { $0.name.prefix { $0 != "." } })
    let others = layout.names.filter { !known.contains($0) }
    let unexpected = others.filter { parts.contains($0.prefix { $0 != "." }) && !isAlias($0) }
    guard missing.isEmpty, misshaped.isEmpty, unexpected.isEmpty else {
      failures.append(
        .init(
          name: specification.title, missing: missing, unexpected: unexpected, misshaped: misshaped)
      )
      return nil
    }
    let keys = own.map(\.name).filter(layout.has)
    let used = Set(keys.map { prefix + $0 })
    return RecognizedNetwork(
      specification: specification,
      keys: Dictionary(keys.map { ($0, prefix + $0) }) { first, _ in first },
      unused: entries.map(\.name).filter { !used.contains($0) }, notes: notes)
  }

  /// True for the names under which a shared activation is registered once more in each block.
  private func isAlias(_ name: String) -> Bool {
    name.hasSuffix(".activation.alpha") || name.hasSuffix(".activation.beta")
  }
}

extension NetworkSpecification {
  /// A copy under the name that fixes the network's design, where there is one.
  fileprivate func withShortestName(among architectures: [Architecture]) -> NetworkSpecification {
    guard let design else { return self }
    var short = self
    let width = design.widths[0]
    guard
      let kind = architectures.first(where: {
        $0.family == architecture && $0.design?(width) == design
      })
    else {
      return self
    }
    (short.architecture, short.width, short.design) = (kind.name, width, nil)
    return short
  }

  /// A short name for people, such as `WideResNet-28-10`.
  public var title: String {
    if architecture == ExportedProgram.architectureName { return "an exported program" }
    if architecture == ScriptedModule.architectureName { return "a TorchScript module" }
    guard let design else { return "\(architecture) of width \(width)" }
    let layers: String
    switch architecture {
    case Architecture.preActResNet.name:
      let (depth, width) = (design.depths[0], design.widths[0])
      if design.depths == [depth, depth, depth], design.widths == [width, 2 * width, 4 * width],
        width.isMultiple(of: 16)
      {
        layers = "WideResNet-\(6 * depth + 4)-\(width / 16)"
      } else {
        layers = "PreActResNet of \(design.depths) blocks, widths \(design.widths)"
      }
    case Architecture.resNet.name:
      let perBlock = design.hasBottlenecks ? 3 : 2
      layers = "ResNet-\(design.depths.reduce(0, +) * perBlock + 2) of width \(design.widths[0])"
    default:
      layers =
        "VGG-\(design.depths.reduce(0, +) + design.hiddenUnits.count + 1) of width \(design.widths[0])"
    }
    let activation = design.activation == .relu ? "" : ", \(design.activation.rawValue)"
    return "\(layers)\(activation), names as \(design.naming.rawValue)"
  }
}
