import Datasets
import Torch

/// Crafts images by recorded work: an attack of ten steps has about 1,400 operators, each of which costs the host a call.
///
/// Batches of one shape share a recording, which is made after a few ordinary ones: by then libtorch has
/// chosen its kernels and the states of random streams lie on the device.
public final class CraftGraphs {
  private struct Key: Hashable {
    let shape: [Int]
    let stage: Int
  }

  private struct Recording {
    let batch: Batch
    let bank: RandomStreams.Bank
    let result: Tensor
    let graph: Graph
  }

  /// Crafts images of a batch with streams; nil for nothing.
  public typealias Craft = (Batch, RandomStreams) -> Tensor?

  private static let ordinaryCalls = 3
  private let device: Device
  private var calls: [Key: Int] = [:]
  private var recordings: [Key: Recording] = [:]

  /// No recordings yet.
  public init(on device: Device) {
    self.device = device
  }

  /// Crafts images of a batch, by a recording once there is one.
  ///
  /// - Parameters:
  ///   - batch: Images and labels on the device.
  ///   - streams: One random stream per sample.
  ///   - stage: A number that is another where `craft` does other work.
  ///   - craft: Makes the images.
  /// - Returns: What `craft` makes of the batch; a tensor that the next batch of this shape overwrites.
  /// - Throws: `EngineError` when the work cannot be recorded or repeated.
  public func craft(
    _ batch: Batch, streams: RandomStreams, stage: Int, _ craft: Craft
  ) throws(EngineError) -> Tensor? {
    let key = Key(shape: batch.images.shape, stage: stage)
    calls[key, default: 0] += 1
    if calls[key, default: 0] <= Self.ordinaryCalls { return craft(batch, streams) }
    let known = recordings[key]
    let recording: Recording?
    if let known { recording = known } else { recording = try record(batch, streams, craft) }
    guard let recording else { return nil }
    recordings[key] = recording
    withoutGrad {
      recording.batch.images.copy_(batch.images)
      recording.batch.labels.copy_(batch.labels)
      recording.bank.refill(from: streams)
    }
    try recording.graph.replay()
    return recording.result
  }

  private func record(
    _ batch: Batch, _ streams: RandomStreams, _ craft: Craft
  ) throws(EngineError) -> Recording? {
    let own = Batch(
      images: batch.images.clone(), labels: batch.labels.clone(), indices: batch.indices)
    let bank = RandomStreams.Bank(streams.each)
    // Uploads the states of the streams that it draws from.
    guard craft(own, bank.streams(0..<streams.count)) != nil else { return nil }
    var result: Tensor?
    let graph = try Graph(on: device) { result = craft(own, bank.streams(0..<streams.count)) }
    return result.map { Recording(batch: own, bank: bank, result: $0, graph: graph) }
  }
}
