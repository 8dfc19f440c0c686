import NamidNetworks
import NamidTorch

/// Logits W·x + b: what an attack on it must reach is known exactly.
public final class LinearClassifier: Classifier {
  /// (classes, features).
  public let weight: Tensor
  /// (classes).
  public let bias: Tensor
  /// Without effect; an attack must leave it as it was.
  public var isTraining = false

  /// A classifier with given weights.
  public init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  /// The number of classes.
  public var classCount: Int { bias.count }

  /// The logits, in the weights' own precision.
  public func logits(_ images: Tensor) -> Tensor {
    images.flatten(1).linear(weight, bias: bias)
  }
}

/// Logits −s_k·‖x − c_k‖²: a curved decision boundary around one centre per class.
public final class QuadraticClassifier: Classifier {
  /// One point per class, (classes, features).
  public let centres: Tensor
  /// One curvature per class, (classes).
  public let sharpness: Tensor
  /// Without effect; an attack must leave it as it was.
  public var isTraining = false

  /// A classifier with given centres.
  public init(centres: Tensor, sharpness: Tensor) {
    self.centres = centres
    self.sharpness = sharpness
  }

  /// The number of classes.
  public var classCount: Int { sharpness.count }

  /// The logits.
  public func logits(_ images: Tensor) -> Tensor {
    let flat = images.flatten(1).unsqueeze(1)
    return -((flat - centres).square().sum([2]) * sharpness)
  }
}

/// Passes everything on and notes what was asked.
public final class ObservedClassifier: ClassifierView {
  /// The number of images that went through the network.
  public private(set) var imageCount = 0
  /// The number of calls of the network.
  public private(set) var callCount = 0
  /// The modes it was called in.
  public private(set) var modes: Set<Bool> = []
  /// The classifier that is watched.
  public let base: any Classifier

  /// Watches a classifier.
  public init(_ base: any Classifier) {
    self.base = base
  }

  /// The logits, after noting the call.
  public func logits(_ images: Tensor) -> Tensor {
    imageCount += images.size(0)
    callCount += 1
    modes.insert(isTraining)
    return base.logits(images)
  }
}

/// Logits by a closure, for networks made up for a test.
public final class ClosureClassifier: Classifier {
  /// The number of classes.
  public let classCount: Int
  /// Without effect; an attack must leave it as it was.
  public var isTraining = false
  private let closure: (Tensor) -> Tensor

  /// A classifier of images (N, C, H, W).
  public init(classCount: Int, _ closure: @escaping (Tensor) -> Tensor) {
    self.classCount = classCount
    self.closure = closure
  }

  /// The logits that the closure gives.
  public func logits(_ images: Tensor) -> Tensor { closure(images) }
}
