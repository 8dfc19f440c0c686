import NamidNetworks
import NamidTorch

/// Work on batches that is recorded once per shape and then repeated: an attack of ten steps has about 1,400 operators,
/// each of which costs the host a call.
///
/// A recording is made after a few ordinary calls: by then libtorch has chosen its kernels, optimizers have their
/// buffers, and the states of random streams lie on the device.
public final class BatchRecordings<Output> {
  private struct Key: Hashable {
    let shape: [Int]
    let stage: Int
  }

  private struct Recording {
    let batch: Batch
    let bank: RandomStreams.Bank
    let output: Output
    let graph: Graph
  }

  private let device: Device
  private let ordinaryCalls = 3
  private var calls: [Key: Int] = [:]
  private var recordings: [Key: Recording] = [:]
  private var isNothing: Set<Key> = []

  /// An empty set of recordings.
  public init(on device: Device) {
    self.device = device
  }

  /// Does some work on a batch, by a recording once there is one.
  ///
  /// - Parameters:
  ///   - batch: Images and labels on the device.
  ///   - streams: One random stream per sample.
  ///   - stage: A number that is another where the work is made of other operators.
  ///   - work: The work; it returns nil where there is nothing to be done. It must not ask the device for a value.
  /// - Returns: The output of the work, in tensors that the next batch of this shape overwrites.
  /// - Throws: `EngineError` when the work cannot be recorded or repeated.
  public func run(
    _ batch: Batch, streams: RandomStreams, stage: Int, _ work: (Batch, RandomStreams) -> Output?
  ) throws(EngineError) -> Output? {
    let key = Key(shape: batch.images.shape, stage: stage)
    calls[key, default: 0] += 1
    if calls[key, default: 0] <= ordinaryCalls || isNothing.contains(key) {
      return work(batch, streams)
    }
    let recording: Recording
    if let known = recordings[key] {
      recording = known
      withoutGrad {
        recording.batch.images.copy_(batch.images)
        recording.batch.labels.copy_(batch.labels)
        recording.bank.refill(from: streams)
      }
    } else if let made = try record(batch, streams, work) {
      recording = made
      recordings[key] = made
    } else {
      isNothing.insert(key)
      return nil
    }
    try recording.graph.replay()
    return recording.output
  }

  private func record(
    _ batch: Batch, _ streams: RandomStreams, _ work: (Batch, RandomStreams) -> Output?
  ) throws(EngineError) -> Recording? {
    let own = withoutGrad {
      Batch(images: batch.images.clone(), labels: batch.labels.clone(), indices: batch.indices)
    }
    let bank = RandomStreams.Bank(copying: streams)
    var output: Output?
    let graph = try Graph(on: device) { output = work(own, bank.streams(0..<streams.count)) }
    return output.map { Recording(batch: own, bank: bank, output: $0, graph: graph) }
  }
}
