import NamidTorch

/// The losses −I of outputs against one batch of patterns, in blocks of outputs where the scores are many.
///
/// M outputs against N patterns at P positions have M·N·P scores, and their gradient takes several times as much
/// memory. Where they would take more than `blockBytes`, values are computed block by block without a history, and
/// `connected(_:)` computes each block once more for its part of the gradient: the numbers do not change, and the work
/// grows by half.
public final class PatternScores {
  /// The default number of bytes of float32 scores kept at once.
  public static let usualBlockBytes = 256 << 20

  private struct Pending {
    let global: Tensor
    let anchors: Tensor
    let losses: Tensor
  }

  private let local: Tensor
  private let leak: Bool
  private let precision: Precision
  private let rowsPerBlock: Int
  private var pending: [Pending] = []

  /// Prepares losses against a batch of patterns.
  ///
  /// - Parameters:
  ///   - local: Features of the patterns (positions, N, units).
  ///   - leak: True to leave the masked positive in the sum of negatives.
  ///   - precision: The precision of scores and of their part of the gradient.
  ///   - blockBytes: The number of bytes of scores kept at once.
  public init(
    local: Tensor, leak: Bool, precision: Precision = .float32, blockBytes: Int = usualBlockBytes
  ) {
    self.local = local
    self.leak = leak
    self.precision = precision
    rowsPerBlock = max(1, blockBytes / max(1, 4 * local.size(0) * local.size(1)))
  }

  /// Computes the losses by position, (anchors, positions); a gradient flows only through `connected(_:)`.
  ///
  /// - Parameters:
  ///   - global: Features of outputs (M, units).
  ///   - anchors: The index of each output's own pattern; nil when output i belongs to pattern i.
  /// - Returns: The losses.
  public func losses(of global: Tensor, anchors: Tensor? = nil) -> Tensor {
    let rows = global.size(0)
    guard rows > rowsPerBlock, local.size(1) > 1 else {
      return DonskerVaradhan.losses(
        global: global, local: local, anchors: anchors, leak: leak, precision: precision)
    }
    let anchors = anchors ?? Tensor.arange(rows, device: local.device)
    let losses = withoutGrad {
      Tensor.cat(
        blocks(of: rows).map {
          DonskerVaradhan.losses(
            global: global.slice($0), local: local, anchors: anchors.slice($0), leak: leak,
            precision: precision)
        })
    }
    if global.requiresGrad || local.requiresGrad {
      losses.requiresGrad = true
      pending.append(Pending(global: global, anchors: anchors, losses: losses))
    }
    return losses
  }

  /// Adds to a value made of losses its gradient to the outputs and patterns behind them.
  public func connected(_ total: Tensor) -> Tensor {
    if pending.isEmpty || !total.requiresGrad { return total }
    let seeds = grad(of: total, wrt: pending.map(\.losses), retainGraph: true)
    let patterns = Self.leaf(of: local, isWanted: local.requiresGrad)
    var result = total
    var patternGradient: Tensor?
    for (part, seed) in zip(pending, seeds) {
      let outputs = Self.leaf(of: part.global, isWanted: part.global.requiresGrad)
      let leaves = [outputs, patterns].filter(\.requiresGrad)
      var outputGradients: [Tensor] = []
      for range in blocks(of: part.global.size(0)) {
        let losses = withGrad {
          DonskerVaradhan.losses(
            global: outputs.slice(range), local: patterns, anchors: part.anchors.slice(range),
            leak: leak, precision: precision)
        }
        let gradients = withPrecision(precision, on: local.device) {
          grad(of: losses, wrt: leaves, outputGradient: seed.slice(range))
        }
        if outputs.requiresGrad { outputGradients.append(gradients[0].slice(range)) }
        if patterns.requiresGrad {
          patternGradient =
            patternGradient?.add_(gradients[leaves.count - 1])
            ?? gradients[leaves.count - 1]
        }
      }
      if outputs.requiresGrad {
        result = result + Self.zero(part.global, gradient: .cat(outputGradients))
      }
    }
    pending = []
    return patternGradient.map { result + Self.zero(local, gradient: $0) } ?? result
  }

  private func blocks(of rows: Int) -> [Range<Int>] {
    stride(from: 0, to: rows, by: rowsPerBlock).map { $0..<min($0 + rowsPerBlock, rows) }
  }

  private static func leaf(of tensor: Tensor, isWanted: Bool) -> Tensor {
    let leaf = tensor.detach()
    leaf.requiresGrad = isWanted
    return leaf
  }

  /// Makes a value of exactly zero with a given gradient.
  private static func zero(_ tensor: Tensor, gradient: Tensor) -> Tensor {
    withGrad { ((tensor - tensor.detach()) * gradient).sum() }
  }
}
