import NamidNetworks
import NamidTorch

/// The pace at which attacks ask a device that computes while the host goes on, as accelerators do.
///
/// The host has an answer from such a device only after all that it has given it to do, and meanwhile gives it
/// nothing more. It therefore asks seldom: a loop that may end early goes on for some rounds without being asked
/// whether it could, and what is done then changes no result. The CPU answers at once and is asked every time.
package enum Pacing {
  /// A switch for tests: with true, the CPU is treated like an accelerator.
  @TaskLocal package static var treatsCPUAsAccelerator = false

  /// True for a device that computes while the host goes on.
  static func runsAlongside(_ device: Device) -> Bool {
    device.kind != .cpu || treatsCPUAsAccelerator
  }

  /// True where a loop should ask, after `rounds` rounds, if it is done.
  static func asks(after rounds: Int, on device: Device) -> Bool {
    !runsAlongside(device) || rounds > 0 && rounds.isMultiple(of: 8)
  }

  /// A network as it is best asked on a device.
  package static func suited(_ classifier: any Classifier, to device: Device) -> any Classifier {
    runsAlongside(device) ? PaddedClassifier(classifier) : classifier
  }
}

/// A network that is given whole multiples of 32 images: as rows leave, cudnn would meet a new shape almost every time,
/// and choose and set up its algorithms anew.
///
/// The first image is repeated to fill up. What the network says of the copies is dropped, so that a network which
/// takes every image by itself says the same as without.
package final class PaddedClassifier: ClassifierView {
  private static let multiple = 32
  /// The network that is given them.
  package let base: any Classifier

  /// Fills up the batches for a network.
  package init(_ base: any Classifier) { self.base = base }

  /// The logits of the images alone.
  package func logits(_ images: Tensor) -> Tensor {
    let count = images.size(0)
    let beyond = count % Self.multiple
    if beyond == 0 { return base.logits(images) }
    let copies = images.slice(0..<1).detach()
      .expand([Self.multiple - beyond] + images.shape.dropFirst())
    return base.logits(.cat([images, copies])).slice(0..<count)
  }
}

/// One row per sample, of which those that a mask chooses can be replaced without asking the device which.
///
/// There is one row more than samples: what the mask leaves out is copied there.
struct Slots {
  private let rows: Tensor
  private let count: Int

  /// Slots that hold the rows of a tensor.
  init(_ values: Tensor) {
    count = values.size(0)
    rows = values.pad([Int](repeating: 0, count: 2 * values.rank - 1) + [1])
  }

  /// The rows of all samples.
  var values: Tensor { rows.slice(0..<count) }

  /// The rows of some samples.
  func at(_ places: Tensor) -> Tensor { rows.indexSelect(places) }

  /// The rows to write to: a place itself if `chosen` holds for it, else the spare row.
  func target(_ places: Tensor, where chosen: Tensor) -> Tensor {
    places.maskedFill(chosen.logicalNot(), Double(count))
  }

  /// Replaces rows in place.
  func put(_ values: Tensor, at target: Tensor) { rows.indexCopy_(target, values) }
}
