/// The joining of convolutions with the batch normalisation behind them into one step each.
///
/// While the network is frozen such a step is one convolution, as in `NormalizedConv2d`.
enum ConvolutionFusion {
  typealias Place = ExportedGraph.Place

  /// The convolutions in which weight, bias and result have the same meaning.
  static let names: Set<String> = ["conv1d", "conv2d", "conv2d.padding", "conv3d", "convolution"]

  /// The steps, with each convolution whose result only a normalisation reads joined to that one.
  static func fuse(
    _ steps: [ProgramPlan.Step], keeping logits: Place, sources: [Place: ExportedGraph.Source]
  ) -> [ProgramPlan.Step] {
    var readers: [Place: Int] = [logits: 1]
    for step in steps { for place in step.work.reads { readers[place, default: 0] += 1 } }
    var producers: [Place: Int] = [:]
    for (index, step) in steps.enumerated() {
      for place in step.work.writes { producers[place] = index }
    }
    var (steps, joined) = (steps, Set<Int>())
    for index in steps.indices {
      guard case .normalization(var norm) = steps[index].work,
        let producer = producers[norm.input], readers[norm.input] == 1,
        case .call(let call) = steps[producer].work, names.contains(call.name),
        isPlain(call), let weight = weight(of: call), readers[weight] == 1,
        norm.mean != nil, norm.variance != nil,
        // The convolution moves to where the normalisation is, so nothing may change its input between them.
        !steps[producer..<index].contains(where: \.work.changesTensor),
        ([weight, bias(of: call)] + [norm.weight, norm.bias, norm.mean, norm.variance])
          .allSatisfy({ place in place.map { isStored(sources[$0]) } ?? true })
      else { continue }
      norm.convolution = call
      steps[index].work = .normalization(norm)
      joined.insert(producer)
    }
    return steps.enumerated().filter { !joined.contains($0.offset) }.map(\.element)
  }

  private static func isPlain(_ call: ProgramPlan.Call) -> Bool {
    if case .boolean(true)? = call["transposed"] { return false }
    switch call["bias"] {
    case .some(.none), .omitted?, .place?, nil: return true
    default: return false
    }
  }

  /// The place of a convolution's weight.
  static func weight(of call: ProgramPlan.Call) -> Place? {
    if case .place(let place)? = call["weight"] { place } else { nil }
  }

  /// The place of a convolution's bias, if it has one.
  static func bias(of call: ProgramPlan.Call) -> Place? {
    if case .place(let place)? = call["bias"] { place } else { nil }
  }

  private static func isStored(_ source: ExportedGraph.Source?) -> Bool {
    switch source {
    case .parameter?, .buffer?, .constant?: true
    default: false
    }
  }
}
