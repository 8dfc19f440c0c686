import NamidTorch

/// The samples of a batch that an attack works on at a moment, one row each.
public struct Rows {
  /// Their places in the batch, rising.
  public let samples: [Int]
  /// `samples` as a tensor (rows), int64.
  public let places: Tensor
  /// Their unattacked images (rows, C, H, W).
  public let images: Tensor
  /// Their labels (rows).
  public let labels: Tensor

  /// The number of rows.
  public var count: Int { samples.count }
  /// True when no sample is left.
  public var isEmpty: Bool { samples.isEmpty }

  /// The rows that stay.
  public func keeping(_ kept: Kept) -> Rows {
    guard let index = kept.index else { return self }
    return Rows(
      samples: kept.positions.map { samples[$0] }, places: places.indexSelect(index),
      images: images.indexSelect(index), labels: labels.indexSelect(index))
  }
}

extension Rows {
  init(_ samples: [Int], images: Tensor, labels: Tensor) {
    let places = Tensor(samples, shape: [samples.count]).to(images.device)
    let isAll = samples.count == images.size(0)
    self.init(
      samples: samples, places: places, images: isAll ? images : images.indexSelect(places),
      labels: isAll ? labels : labels.indexSelect(places))
  }
}

/// The rows that stay after a step.
public struct Kept {
  /// Their positions among the rows before the step, rising.
  let positions: [Int]
  /// `positions` as a tensor, or nil when all rows stay.
  let index: Tensor?

  /// True when no row stays.
  public var isEmpty: Bool { positions.isEmpty }

  /// All rows.
  static func all(_ count: Int) -> Kept { Kept(positions: Array(0..<count), index: nil) }

  /// The rows of a tensor that stay; the tensor itself when all do.
  public func of(_ tensor: Tensor) -> Tensor { index.map { tensor.indexSelect($0) } ?? tensor }

  /// One value per row of those before the step, from one per row that stays; 0 for the others.
  func spread(_ values: Tensor, over count: Int) -> Tensor {
    index.map {
      Tensor.zeros([count], dtype: values.dtype, device: values.device).indexCopy_($0, values)
    } ?? values
  }

  /// The elements of an array that stay.
  public func of<Element>(_ values: [Element]) -> [Element] {
    index == nil ? values : positions.map { values[$0] }
  }
}

extension Kept {
  init(_ stays: [Bool], device: Device) {
    self.init(stays) { Tensor($0, shape: [$0.count]).to(device) }
  }

  /// The rows that a mask on the device (rows) chooses, which says the same as `stays`.
  init(_ stays: [Bool], chosen mask: Tensor) {
    self.init(stays) { positions in
      // The places of the others come last.
      Tensor.arange(stays.count, device: mask.device)
        .maskedFill(mask.logicalNot(), Double(stays.count)).sort().values
        .slice(0..<positions.count)
    }
  }

  private init(_ stays: [Bool], index: ([Int]) -> Tensor) {
    let positions = stays.indices.filter { stays[$0] }
    self.init(
      positions: positions, index: positions.count == stays.count ? nil : index(positions))
  }
}
