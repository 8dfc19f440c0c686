import Foundation
import NamidTorch

/// The square of offsets around a pixel to which its mass may travel, and what that costs.
///
/// Pixels are listed row by row as one dimension of H·W, offsets row by row as one of k². A window of an odd side
/// is centred; one of an even side reaches one offset further up and to the left.
public struct TransportWindow: Hashable, Sendable {
  /// The number of offsets along each direction.
  public let side: Int

  /// A window of `side` × `side` offsets.
  public init(side: Int) {
    precondition(side >= 1, "a transport window of side \(side)")
    self.side = side
  }

  private var before: Int { side / 2 }
  private var after: Int { side - 1 - side / 2 }

  /// The place of the offset that is no move.
  public var centre: Int { before * side + before }

  /// The squared length of each offset in pixels.
  private var squaredLengths: [Int] {
    let range = -before...after
    return range.flatMap { y in range.map { x in y * y + x * x } }
  }

  /// The length of each offset in pixels: what it costs to move one unit of mass by it.
  public var distances: [Double] { squaredLengths.map { Double($0).squareRoot() } }

  /// The offsets of equal length together, from the shortest to the longest.
  var rings: [(distance: Double, offsets: [Int])] {
    let lengths = squaredLengths
    return Set(lengths).sorted().map { length in
      (Double(length).squareRoot(), lengths.indices.filter { lengths[$0] == length })
    }
  }

  /// Per pixel and offset, the value of the pixel that the offset leads to; minus infinity outside the image.
  ///
  /// - Parameter images: (N, C, H, W).
  /// - Returns: (N, C, k², H·W).
  func destinations(_ images: Tensor) -> Tensor {
    let padding = [before, after, before, after]
    let (count, channels, pixels) = (
      images.size(0), images.size(1), images.size(2) * images.size(3)
    )
    return images.pad(padding, value: -.infinity).im2col([side, side])
      .view([count, channels, side * side, pixels])
  }

  /// The sum of the masses that arrive at each pixel.
  ///
  /// - Parameters:
  ///   - masses: What leaves each pixel by each offset, (N, C, k², H·W); 0 where an offset leads outside.
  ///   - height: H.
  ///   - width: W.
  /// - Returns: (N, C, H, W).
  func arrivals(_ masses: Tensor, height: Int, width: Int) -> Tensor {
    let columns = masses.reshape([masses.size(0), masses.size(1) * side * side, height * width])
    return columns.col2im([height + side - 1, width + side - 1], kernel: [side, side])
      .slice(before..<before + height, dim: 2).slice(before..<before + width, dim: 3)
  }
}
