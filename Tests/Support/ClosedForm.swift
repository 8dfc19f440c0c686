import Foundation
import NamidNetworks
import NamidTorch

/// Numbers that follow from a name and an index, as `Tests/Golden/README.md` gives the formula.
public enum ClosedForm {
  /// The phase that belongs to a name.
  public static func phase(_ key: String) -> Double {
    let sum = key.utf8.enumerated().reduce(0) { $0 + Int($1.element) * ($1.offset + 1) }
    return Double(sum % 997) / 97
  }

  /// The wave of a name at a row-major index.
  public static func wave(_ key: String, at index: Int) -> Double {
    wave(phase: phase(key), at: index)
  }

  /// A float32 tensor with offset + scale · wave.
  public static func tensor(
    _ key: String, _ shape: [Int], scale: Double = 1, offset: Double = 0
  ) -> Tensor {
    let phase = phase(key)
    let values = (0..<shape.reduce(1, *)).map { Float(offset + scale * wave(phase: phase, at: $0)) }
    return Tensor(values, shape: shape)
  }

  /// A float32 picture in [0, 1].
  public static func picture(_ shape: [Int], _ key: String = "input") -> Tensor {
    tensor(key, shape, scale: 0.5, offset: 0.5)
  }

  /// Replaces all parameters and buffers of a network.
  public static func fill(_ store: ParameterStore) {
    let ranks = Dictionary(
      uniqueKeysWithValues: store.entries.map { ($0.name, $0.tensor.rank) })
    withoutGrad {
      for entry in store.entries {
        let (name, shape) = (entry.name, entry.tensor.shape)
        if name.hasSuffix("num_batches_tracked") {
          entry.tensor.zero_()
          continue
        }
        let weight = (name.split(separator: ".").dropLast() + ["weight"]).joined(separator: ".")
        let (scale, offset) = amplitude(
          of: name, shape: shape, isConvolutionOrLinear: ranks[weight].map { $0 >= 2 } ?? false)
        entry.tensor.copy_(tensor(name, shape, scale: scale, offset: offset))
      }
    }
  }

  private static func amplitude(
    of name: String, shape: [Int], isConvolutionOrLinear: Bool
  ) -> (scale: Double, offset: Double) {
    switch (name.split(separator: ".").last ?? "", isConvolutionOrLinear) {
    case ("running_mean", _): (0.05, 0)
    case ("running_var", _): (0.2, 1)
    case ("weight", true):
      ((3 / Double(shape.dropFirst().reduce(1, *))).squareRoot(), 0)
    case ("bias", true): (0.01, 0)
    case ("weight", false): (0.1, 1)
    case ("bias", false): (0.1, 0)
    default: preconditionFailure("the closed form has no rule for \(name)")
    }
  }

  private static func wave(phase: Double, at index: Int) -> Double {
    sin(0.37 * Double(index + index * index % 1009) + phase)
  }
}
