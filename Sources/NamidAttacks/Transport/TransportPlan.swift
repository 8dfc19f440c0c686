import NamidTorch

/// A plan that moves the mass of images from pixel to pixel; channels exchange none.
struct TransportPlan {
  /// The window within which mass may go.
  let window: TransportWindow
  /// The mass that each pixel sends by each offset, (N, C, k², H·W).
  let masses: Tensor
  /// The images before, (N, C, H, W).
  let images: Tensor

  /// The images after all mass has arrived, (N, C, H, W); values may exceed 1.
  var arrivals: Tensor {
    window.arrivals(masses, height: images.size(2), width: images.size(3))
  }

  /// The plans of the images that stay.
  func keeping(_ kept: Kept) -> TransportPlan {
    TransportPlan(window: window, masses: kept.of(masses), images: kept.of(images))
  }
}

extension TransportPlan {
  /// The plan that moves nothing.
  init(staying images: Tensor, window: TransportWindow) {
    let mass = images.flatten(2).unsqueeze(2)
    let (centre, count) = (window.centre, window.side * window.side)
    let padding = [0, 0, centre, count - 1 - centre]
    self.init(window: window, masses: mass.pad(padding), images: images)
  }
}

/// The square of offsets around a pixel to which its mass may travel, and what that costs.
///
/// Pixels are listed row by row as one dimension of H·W, offsets row by row as one of k². A window of an odd side
/// is centred; one of an even side reaches one offset further up and to the left.
struct TransportWindow {
  /// The number of offsets along each direction, at least 1.
  let side: Int

  private var before: Int { side / 2 }
  private var after: Int { side - 1 - side / 2 }

  /// The place of the offset that is no move.
  var centre: Int { before * side + before }

  /// The squared length of each offset in pixels.
  private var squaredLengths: [Int] {
    let range = -before...after
    return range.flatMap { y in range.map { x in y * y + x * x } }
  }

  /// The length of each offset in pixels: what it costs to move one unit of mass by it.
  var distances: [Double] { squaredLengths.map { Double($0).squareRoot() } }

  /// The offsets of equal length together, from the shortest to the longest.
  var rings: [(distance: Double, offsets: [Int])] {
    let lengths = squaredLengths
    return Set(lengths).sorted().map { length in
      (Double(length).squareRoot(), lengths.indices.filter { lengths[$0] == length })
    }
  }

  /// Per pixel and offset, the value of the pixel that the offset leads to, (N, C, k², H·W); minus infinity outside the
  /// image.
  func destinations(_ images: Tensor) -> Tensor {
    let padding = [before, after, before, after]
    let (count, channels, pixels) = (
      images.size(0), images.size(1), images.size(2) * images.size(3)
    )
    return images.pad(padding, value: -.infinity).im2col([side, side])
      .view([count, channels, side * side, pixels])
  }

  /// The sum (N, C, H, W) of the masses that arrive at each pixel, of the masses (N, C, k², H·W) that leave by each
  /// offset; these are 0 where an offset leads outside.
  func arrivals(_ masses: Tensor, height: Int, width: Int) -> Tensor {
    let columns = masses.reshape([masses.size(0), masses.size(1) * side * side, height * width])
    return columns.col2im([height + side - 1, width + side - 1], kernel: [side, side])
      .slice(before..<before + height, dim: 2).slice(before..<before + width, dim: 3)
  }
}
