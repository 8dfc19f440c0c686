import NamidSettings
import NamidTestSupport
import NamidTorch
@testable import NamidAttacks

let eight = Fraction(8, over: 255)

/// One stream per sample of a data set.
func streams(_ indices: [Int], seed: Int = 5) -> [RandomStream] {
  indices.map { RandomStream(seed: seed).keyed("attack").keyed($0) }
}

/// The same as crafting takes them.
func craftingStreams(_ indices: [Int]) -> RandomStreams { RandomStreams(streams(indices)) }

/// A two-class linear problem whose margins are known: logits (0, w·x + b).
struct LinearProblem {
  let weight: Tensor
  let classifier: LinearClassifier
  let images: Tensor
  let labels: Tensor

  /// Every sample is labelled 1; `bias` is added to its margin.
  init(count: Int = 5, shape: [Int] = [1, 4, 5], bias: Double = 0) {
    let features = shape.reduce(1, *)
    weight = ClosedForm.tensor("weight", [1, features])
    classifier = LinearClassifier(
      weight: .cat([weight.zerosLike(), weight]), bias: Tensor([0, Float(bias)], shape: [2]))
    images = ClosedForm.tensor("images", [count] + shape, scale: 0.1, offset: 0.5)
    labels = .ones([count], dtype: .int64)
  }

  /// w·x + b of each image.
  func margins(_ images: Tensor) -> Tensor { classifier.logits(images).select(1, 1) }
}

/// Three classes with curved boundaries, and images around them: some are wrong, some weak, some strong.
struct CurvedProblem {
  let classifier: QuadraticClassifier
  let images: Tensor
  let labels: Tensor

  init(count: Int = 64, shape: [Int] = [1, 3, 4]) {
    let features = shape.reduce(1, *)
    let centres = ClosedForm.tensor("centres", [3, features], scale: 0.15, offset: 0.5)
    classifier = QuadraticClassifier(
      centres: centres, sharpness: Tensor([Float(4), 5, 6], shape: [3]))
    let classes = (0..<count).map { $0 % 3 }
    labels = Tensor(classes, shape: [count])
    let noise = ClosedForm.tensor("noise", [count, features], scale: 0.3)
    images = (centres.indexSelect(labels) + noise).clamp(min: 0, max: 1)
      .reshape([count] + shape)
  }
}
