import NamidTorch

/// Names or shapes that do not fit a network, all of them at once.
public struct StateDictionaryError: Error, CustomStringConvertible, Sendable {
  /// Keys that the network has and the file lacks.
  public let missing: [String]
  /// Keys that the file has and the network lacks.
  public let unexpected: [String]
  /// Keys with another shape than the network's: name, expected, found.
  public let misshaped: [(name: String, expected: [Int], found: [Int])]

  /// All of it in PyTorch's wording, and what to do.
  public var description: String {
    var lines: [String] = []
    if !missing.isEmpty {
      lines.append("Missing key(s) in state_dict: \(missing.joined(separator: ", "))")
    }
    if !unexpected.isEmpty {
      lines.append("Unexpected key(s) in state_dict: \(unexpected.joined(separator: ", "))")
    }
    lines += misshaped.map {
      "size mismatch for \($0.name): the network has \($0.expected), the file \($0.found)"
    }
    lines.append("Take the file of a network of the same architecture, width, classes and images")
    return lines.joined(separator: "\n")
  }
}

/// Copies saved tensors into existing ones of the same names and shapes.
///
/// Names for which `optional` holds may be missing. Throws every other difference, and changes nothing then.
func restore(
  _ targets: [(name: String, tensor: Tensor)], from state: [String: Tensor],
  optional: (String) -> Bool = { _ in false }
) throws(StateDictionaryError) {
  let known = Set(targets.map(\.name))
  let error = StateDictionaryError(
    missing: targets.map(\.name).filter { state[$0] == nil && !optional($0) },
    unexpected: state.keys.filter { !known.contains($0) }.sorted(),
    misshaped: targets.compactMap { name, tensor in
      let shape = tensor.shape
      guard let other = state[name]?.shape, other != shape, !(shape == [] && other == [1]) else {
        return nil
      }
      return (name, shape, other)
    })
  guard error.missing.isEmpty, error.unexpected.isEmpty, error.misshaped.isEmpty else {
    throw error
  }
  withoutGrad {
    for (name, tensor) in targets {
      if let source = state[name] { tensor.copy_(source.reshape(tensor.shape)) }
    }
  }
}

extension ParameterStore {
  /// All tensors under their `state_dict` keys.
  public var state: [(name: String, tensor: Tensor)] {
    entries.map { ($0.name, $0.tensor) }
  }

  /// Takes over saved values; prefixes that wrappers add (`module.`, `model.`, `_orig_mod.`) are taken off.
  ///
  /// Counters of batches may be missing, as in files from before PyTorch 0.4.1.
  ///
  /// - Throws: `StateDictionaryError` naming every key that does not fit; nothing is changed then.
  public func load(state: [String: Tensor]) throws(StateDictionaryError) {
    try restore(
      self.state, from: Self.withoutWrapperPrefix(state),
      optional: { $0.hasSuffix("num_batches_tracked") })
  }

  private static func withoutWrapperPrefix(_ state: [String: Tensor]) -> [String: Tensor] {
    for prefix in ["module.", "model.", "_orig_mod."] {
      guard !state.isEmpty, state.keys.allSatisfy({ $0.hasPrefix(prefix) }) else { continue }
      let shorter = state.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
      return withoutWrapperPrefix(Dictionary(shorter) { first, _ in first })
    }
    return state
  }
}
