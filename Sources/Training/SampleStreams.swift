import Datasets
import Torch

extension RandomStream {
  /// One stream for every sample of a batch: what is drawn for a sample depends on nothing but it and the epoch.
  ///
  /// - Parameters:
  ///   - purpose: What is drawn, such as `augmentation`.
  ///   - epoch: The epoch.
  ///   - places: The samples' places in `images`.
  ///   - images: The training images.
  /// - Returns: The streams, in the order of `places`.
  func streams(
    _ purpose: String, epoch: Int, of places: [Int], in images: ImageTensors
  ) -> [RandomStream] {
    let root = keyed(purpose).keyed(epoch)
    return places.map { root.keyed(images.sampleIndices[$0]) }
  }
}
