import NamidTorch

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
