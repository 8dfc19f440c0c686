import NamidTorch

/// The network at some images, averaged over evaluations that may differ: expectation over transformation (Athalye
/// et al., ICML 2018).
struct Expectation {
  /// The mean logits (rows, classes), by which rows are fooled.
  let logits: Tensor
  /// The mean losses (rows).
  let losses: Tensor
  fileprivate let draws: Int
  fileprivate let slope: Slope

  fileprivate enum Slope {
    case none
    case awaited(Point)
    case known(Tensor)
  }
}

extension Search {
  /// Evaluates the network `draws` times at `current`.
  ///
  /// The authors' code judges by the last draw alone, so that the luck of one draw decides; here the mean does.
  ///
  /// - Parameters:
  ///   - current: Images (rows, C, H, W).
  ///   - rows: Which samples they belong to.
  ///   - draws: How often; 1 for a network that is not random.
  ///   - withGradient: Whether `gradient(at:of:kept:)` will be asked for.
  ///   - loss: Maps logits to one value per row.
  /// - Returns: Means over the draws.
  func expectation(
    at current: Tensor, of rows: Rows, draws: Int, withGradient: Bool, loss: (Tensor) -> Tensor
  ) -> Expectation {
    var logits: [Tensor] = []
    var losses: [Tensor] = []
    var slope = Expectation.Slope.none
    for _ in 0..<draws {
      guard withGradient else {
        logits.append(self.logits(current, of: rows))
        losses.append(loss(logits[logits.count - 1]))
        continue
      }
      let point = point(at: current, of: rows, loss: loss)
      logits.append(point.logits)
      losses.append(point.values)
      switch slope {
      case .none where draws == 1: slope = .awaited(point)
      // Many graphs at once would not fit into memory: with several draws each gradient is taken at once.
      case .known(let sum): slope = .known(sum + gradient(at: point, of: rows))
      default: slope = .known(gradient(at: point, of: rows))
      }
    }
    return Expectation(logits: mean(logits), losses: mean(losses), draws: draws, slope: slope)
  }

  /// The mean gradient (rows, C, H, W) of the rows that were kept; only they are charged, unless it was taken before.
  func gradient(at expectation: Expectation, of rows: Rows, kept: Kept) -> Tensor {
    switch expectation.slope {
    case .none: preconditionFailure("an expectation without gradient was asked for it")
    case .awaited(let point): kept.of(gradient(at: point, of: rows))
    case .known(let sum): kept.of(sum) / Double(expectation.draws)
    }
  }

  private func mean(_ tensors: [Tensor]) -> Tensor {
    tensors.count == 1 ? tensors[0] : Tensor.stack(tensors).mean([0])
  }
}
