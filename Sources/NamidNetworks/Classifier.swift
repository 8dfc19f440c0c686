import NamidTorch

/// Anything that turns images into logits; all that an attack needs to know of a network.
public protocol Classifier: AnyObject {
  /// The number of classes.
  var classCount: Int { get }
  /// True where layers behave as in training.
  var isTraining: Bool { get set }
  /// The logits (N, classes), float32, of images (N, C, H, W) in [0, 1].
  func logits(_ images: Tensor) -> Tensor
  /// Runs `body` in evaluation mode with weights that stay as they are and get no gradient; the network may then
  /// compute the same function in a faster way, equal up to rounding.
  func frozen<Result>(_ body: () throws -> Result) rethrows -> Result
}

/// A classifier that passes on to another one all that it does not change.
public protocol ClassifierView: Classifier {
  /// The classifier behind it.
  var base: any Classifier { get }
}

extension ClassifierView {
  /// The number of classes of the classifier behind it.
  public var classCount: Int { base.classCount }

  /// The mode of the classifier behind it.
  public var isTraining: Bool {
    get { base.isTraining }
    set { base.isTraining = newValue }
  }

  /// Freezes the classifier behind it.
  public func frozen<Result>(_ body: () throws -> Result) rethrows -> Result {
    try base.frozen(body)
  }
}

extension Classifier {
  /// Runs `body` in evaluation mode and restores the mode afterwards.
  public func evaluating<Result>(_ body: () throws -> Result) rethrows -> Result {
    let mode = isTraining
    isTraining = false
    defer { isTraining = mode }
    return try body()
  }

  /// Evaluation mode alone; networks that know a faster way have their own.
  public func frozen<Result>(_ body: () throws -> Result) rethrows -> Result {
    try evaluating(body)
  }

  /// The predicted classes (N) of images, without gradients.
  public func predictions(_ images: Tensor) -> Tensor {
    withoutGrad { logits(images).argmax(1) }
  }
}

extension Tensor {
  /// Logits or probabilities (N, K) with −∞ in the place of each row's label (N): what is left are the other classes.
  public func withoutLabels(_ labels: Tensor) -> Tensor {
    let isLabel = Tensor.arange(size(1), device: device) .== labels.unsqueeze(1)
    return maskedFill(isLabel, -.infinity)
  }
}

/// Images and labels that a network sees at once.
public struct Batch {
  /// Float32 (N, C, H, W) in [0, 1], channels last in memory.
  public let images: Tensor
  /// Classes (N), int64.
  public let labels: Tensor
  /// The samples' indices in their data set.
  public let indices: [Int]

  /// A batch of tensors that belong together.
  public init(images: Tensor, labels: Tensor, indices: [Int]) {
    self.images = images
    self.labels = labels
    self.indices = indices
  }
}
