import NamidInformation
import NamidTorch

/// A reader of the mutual information of a batch's patterns and a network's outputs, per sample and in nats.
package struct PatternReader {
  /// The function from patterns (N, C, H, W) and several logits (N, classes) to values, one list per logits.
  let read: (_ patterns: Tensor, _ outputs: [Tensor]) -> [[Double]]

  init(_ read: @escaping (_ patterns: Tensor, _ outputs: [Tensor]) -> [[Double]]) {
    self.read = read
  }

  /// Creates a reader from a frozen estimator, which computes features of patterns once for all outputs.
  ///
  /// Scores are float32 and computed in blocks, so that memory does not grow with the batch's square.
  package init(_ estimator: Estimator, blockBytes: Int = PatternScores.usualBlockBytes) {
    self.init { patterns, outputs in
      withPrecision(.float32, on: patterns.device) {
        withoutGrad {
          let features = estimator.features(of: patterns)
          let rows = max(1, blockBytes / max(1, 4 * features.size(0) * features.size(1)))
          return outputs.map { logits in
            Self.values(estimator, features, logits, rows: rows).floats().map(Double.init)
          }
        }
      }
    }
  }

  private static func values(
    _ estimator: Estimator, _ features: Tensor, _ logits: Tensor, rows: Int
  ) -> Tensor {
    let count = logits.size(0)
    if rows >= count { return -estimator.losses(features, logits: logits).mean([1]) }
    let anchors = Tensor.arange(count, device: logits.device)
    return .cat(
      stride(from: 0, to: count, by: rows).map { start in
        let block = anchors.slice(start..<min(start + rows, count))
        return -estimator.losses(features, logits: logits, anchors: block).mean([1])
      })
  }
}

/// Readers of natural and of adversarial mutual information, with the name that reports give them.
package struct PairReader {
  var name: String
  /// The reader whose patterns are natural images.
  var natural: PatternReader
  /// The reader whose patterns are adversarial noise.
  var adversarial: PatternReader
}

extension PairReader {
  /// Creates readers from a pair of trained estimators.
  package init(_ name: String, _ pair: EstimatorPair) {
    self.init(
      name: name, natural: PatternReader(pair.natural),
      adversarial: PatternReader(pair.adversarial))
  }
}
