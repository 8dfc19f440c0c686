import NamidTorch

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
