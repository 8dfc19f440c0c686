import NamidTorch

extension RecognizedNetwork {
  /// The names that means and deviations of images have in published models.
  private static let pairs = [
    ("mean", "std"), ("mu", "sigma"), ("new_mean", "new_std"), ("_mean", "_std"), ("mu", "std"),
    ("mean", "sigma"),
  ]

  /// Takes the user's normalisation, the file's own, or the one that is always a part of such a network.
  mutating func addNormalization(
    from source: any TensorSource, _ options: RecognitionOptions
  ) throws {
    if options.takesNoNormalization { return }
    if let wanted = options.normalization {
      specification.normalization = wanted
    } else if let (mean, deviation) = pair(in: source) {
      specification.normalization = .channels(
        mean: try numbers(source, mean), deviation: try numbers(source, deviation))
    } else if let design = specification.design,
      [.deepMind, .deepMindPreActivation, .stagesWithNorm].contains(design.naming)
    {
      let data = specification.classCount == 100 ? "cifar100" : "cifar10"
      specification.normalization = .usual(for: data)
      notes.append(
        "networks of this kind normalise images inside and do not save the numbers: those of \(data) are taken; others by --mean and --std"
      )
    }
    if let problem = specification.normalization?.problem(channels: specification.channels) {
      throw RecognitionError(candidates: [], sample: [], reason: problem)
    }
  }

  /// The names of a mean and a deviation of one number per channel that stand side by side.
  private func pair(in source: any TensorSource) -> (String, String)? {
    for name in unused {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard let last = parts.last else { continue }
      for (mean, deviation) in Self.pairs where last == mean {
        let other = (parts.dropLast() + [deviation[...]]).joined(separator: ".")
        if isRow(source, name), isRow(source, other) { return (name, other) }
      }
    }
    return nil
  }

  private func isRow(_ source: any TensorSource, _ name: String) -> Bool {
    guard let (dtype, shape) = source.layout(of: name), dtype.isFloatingPoint else { return false }
    let count = shape.reduce(1, *)
    return (count == 1 || count == specification.channels) && shape.count <= 4
      && shape.filter { $0 != 1 }.count <= 1
  }

  private func numbers(_ source: any TensorSource, _ name: String) throws -> [Double] {
    try source.tensor(name)?.to(.float32).reshape([-1]).floats().map(Double.init) ?? []
  }
}

extension NetworkDesign {
  /// Replaces values by name, as the user gives them.
  ///
  /// - Throws: `RecognitionError` for an unknown name or value.
  mutating func change(_ variant: [(key: String, value: String)]) throws {
    for (key, value) in variant {
      switch key {
      case "shortcut": shortcut = try Self.parse(key, value)
      case "activation": activation = try Self.parse(key, value)
      case "head": head = try Self.parse(key, value)
      case "stem": stem = try Self.parse(key, value)
      case "padding":
        guard ["same", "after"].contains(value) else {
          throw Self.unknown(key, value, ["same", "after"])
        }
        padsAfterImage = value == "after"
      default:
        throw RecognitionError(
          candidates: [], sample: [],
          reason:
            "there is no variant \(key); known are shortcut, activation, head, stem and padding")
      }
    }
  }

  private static func parse<Value: RawRepresentable & CaseIterable>(
    _ key: String, _ value: String
  ) throws -> Value where Value.RawValue == String {
    guard let parsed = Value(rawValue: value) else {
      throw unknown(key, value, Value.allCases.map(\.rawValue))
    }
    return parsed
  }

  private static func unknown(_ key: String, _ value: String, _ known: [String]) -> RecognitionError
  {
    RecognitionError(
      candidates: [], sample: [],
      reason: "\(key)=\(value) is no variant; known are \(known.joined(separator: ", "))")
  }
}
