import Foundation
import Namid

/// One pass over augmented images, and nothing done with them.
struct DataWork: MeasuredWork {
  let facts: [String: Double] = [:]
  private let data: ImageTensors
  private let batchSize: Int

  /// Prepares random images of CIFAR's size and makes the first pass.
  init(images: Int, batchSize: Int, device: Device) {
    var stream = RandomStream(seed: 0)
    let pixels = (0..<images * 3072).map { _ in UInt8(truncatingIfNeeded: stream.next()) }
    let set = ImageSet(
      name: "suite", title: "Suite", split: .train, height: 32, width: 32, channels: 3,
      classNames: (0..<10).map(String.init), pixels: pixels, labels: (0..<images).map { $0 % 10 },
      layout: "memory")
    data = ImageTensors(set, device: device)
    self.batchSize = batchSize
    run()
  }

  func run() {
    let root = RandomStream(seed: 0)
    let batches = EpochBatches(
      of: data, size: batchSize, order: root.keyed("order"), dropLast: false,
      augmentation: Augmentation(), stream: root)
    for number in 0..<batches.count { _ = batches[number] }
  }
}

/// The best rate of matrix multiplication that libtorch reaches, over sizes and both layouts of the second factor.
struct MatmulWork: MeasuredWork {
  let facts: [String: Double]
  private let left: Tensor
  private let right: Tensor

  /// Looks for the fastest size.
  init(precision: Precision, largest: Int, count: Int, device: Device) {
    let dtype: DType = precision == .bfloat16 ? .bfloat16 : .float32
    var best: (rate: Double, left: Tensor, right: Tensor, size: Int)?
    var size = 1024
    while size <= max(1024, largest) {
      let square = Tensor.normal([RandomStream(seed: 0)], shape: [size, size]).squeeze(0)
        .to(dtype).to(device)
      for right in [square.clone(), square.clone().transpose(0, 1)] {
        _ = square.matmul(right)
        let seconds = Self.seconds(device) { _ = square.matmul(right) }
        let rate = 2 * pow(Double(size), 3) / seconds
        if rate > best?.rate ?? 0 { best = (rate, square, right, size) }
      }
      size *= 2
    }
    // The loop runs at least once, and no clock stands still during a product of that size.
    let empty = Tensor.zeros([1, 1], dtype: dtype, device: device)
    let found = best ?? (0, empty, empty, 1)
    (left, right) = (found.left, found.right)
    facts = ["flops": 2 * pow(Double(found.size), 3) * Double(count), "size": Double(found.size)]
  }

  func run() { _ = left.matmul(right) }

  private static func seconds(_ device: Device, _ body: () -> Void) -> Double {
    TorchEnvironment.synchronize(device)
    let begin = ContinuousClock.now
    body()
    TorchEnvironment.synchronize(device)
    return begin.duration(to: .now) / .seconds(1)
  }
}
