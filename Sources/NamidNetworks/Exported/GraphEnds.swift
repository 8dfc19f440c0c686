import NamidFiles
import NamidTorch

/// The images and the logits of a graph, with what their shapes say of the network.
struct GraphEnds {
  let images: ExportedGraph.Place
  let logits: ExportedGraph.Place
  let specification: NetworkSpecification
  let batch: ExportedProgram.BatchSizes

  /// The advice for a graph whose batch size is in the way.
  static let dynamicBatch =
    "export with dynamic_shapes=({0: torch.export.Dim.DYNAMIC},) or with one fixed batch size"

  init(_ graph: ExportedGraph) throws(ExportedProgramError) {
    let inputs = graph.sources.filter { $0.source == .images }.map(\.place)
    guard inputs.count == 1, let images = inputs.first else {
      let names = inputs.map { quotedForPeople(graph.names[$0]) }.joined(separator: ", ")
      throw ExportedProgramError(
        inputs.isEmpty ? "it takes no tensor" : "it takes \(inputs.count) tensors (\(names))",
        advice: "export a module whose forward takes the images alone")
    }
    let input = graph.shapes[images]
    guard let input, input.sizes.count == 4, input.dtype?.isFloatingPoint == true else {
      throw ExportedProgramError(
        "its input is \(Self.text(input)), not real numbers of shape N×C×H×W",
        advice: "export a module that takes images in [0, 1]")
    }
    let sides = input.sizes.dropFirst().compactMap(\.value)
    guard sides.count == 3 else {
      throw ExportedProgramError("the size of its images is not known")
    }
    batch = try Self.batch(input.sizes[0], graph)
    (self.images, logits) = (images, try Self.logits(graph, input.sizes[0]))
    guard let classCount = graph.shapes[logits]?.sizes.last?.value else {
      throw ExportedProgramError("the number of its classes is not known")
    }
    specification = NetworkSpecification(
      architecture: ExportedProgram.architectureName, width: 1, classCount: classCount,
      channels: sides[0], imageHeight: sides[1], imageWidth: sides[2])
    if let problem = specification.rangeProblem { throw ExportedProgramError(problem) }
  }

  private static func batch(
    _ size: ExportedGraph.Size, _ graph: ExportedGraph
  ) throws(ExportedProgramError) -> ExportedProgram.BatchSizes {
    guard let symbol = size.symbol else {
      guard let value = size.value, (1...largestBatch).contains(value) else {
        throw ExportedProgramError(
          "its batch size is \(size.value ?? 0)", advice: dynamicBatch)
      }
      return ExportedProgram.BatchSizes(smallest: value, largest: value)
    }
    guard let range = graph.ranges[symbol] ?? (symbol.contains("(") ? nil : (2, Int.max)) else {
      throw ExportedProgramError(
        "its batch size is the expression \(quotedForPeople(symbol))", advice: dynamicBatch)
    }
    let smallest = max(range.smallest, 1)
    guard smallest <= range.largest, smallest <= largestBatch else {
      throw ExportedProgramError(
        "its batch size is from \(range.smallest) to \(range.largest)", advice: dynamicBatch)
    }
    return ExportedProgram.BatchSizes(smallest: smallest, largest: range.largest)
  }

  /// The largest batch that a program may insist on.
  private static let largestBatch = 65_536

  /// The only tensor among the outputs, or the first of shape N×K.
  private static func logits(
    _ graph: ExportedGraph, _ batch: ExportedGraph.Size
  ) throws(ExportedProgramError) -> ExportedGraph.Place {
    let outputs = graph.outputs.compactMap {
      if case .user(let argument) = $0 { argument } else { nil }
    }
    let tensors: [(label: String, place: ExportedGraph.Place)] = outputs.enumerated().compactMap {
      guard case .place(let place) = $1, graph.shapes[place] != nil else { return nil }
      let label = $0 < graph.outputLabels.count ? graph.outputLabels[$0] : graph.names[place]
      return (label, place)
    }
    let fitting = tensors.first { tensor in
      guard let sizes = graph.shapes[tensor.place]?.sizes, sizes.count == 2 else { return false }
      return sizes[0] == batch && sizes[1].symbol == nil && sizes[1].value ?? 0 > 0
        && graph.shapes[tensor.place]?.dtype?.isFloatingPoint == true
    }
    guard let fitting else {
      let list = tensors.map { "\(quotedForPeople($0.label)): \(text(graph.shapes[$0.place]))" }
      throw ExportedProgramError(
        "none of its outputs is a tensor of logits N×K (\(list.joined(separator: ", ")))",
        advice: "export a module that returns the logits")
    }
    return fitting.place
  }

  private static func text(_ shape: ExportedGraph.Shape?) -> String {
    guard let shape else { return "unknown" }
    let sizes = shape.sizes.map { size in
      size.symbol.map { $0.contains("(") ? "?" : $0 } ?? size.value.map(String.init) ?? "?"
    }
    let type = shape.dtype.map { "\($0)" } ?? "another type"
    return "\(type) of shape \(sizes.joined(separator: "×"))"
  }
}
