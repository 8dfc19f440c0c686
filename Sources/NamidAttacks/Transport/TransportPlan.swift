import Foundation
import NamidTorch

/// A plan that moves the mass of images from pixel to pixel; channels exchange none.
public struct TransportPlan {
  /// The window within which mass may go.
  public let window: TransportWindow
  /// The mass that each pixel sends by each offset, (N, C, k², H·W).
  public let masses: Tensor
  /// The images before, (N, C, H, W).
  public let images: Tensor

  /// A plan.
  init(window: TransportWindow, masses: Tensor, images: Tensor) {
    self.window = window
    self.masses = masses
    self.images = images
  }

  /// The plan that moves nothing.
  init(staying images: Tensor, window: TransportWindow) {
    let mass = images.flatten(2).unsqueeze(2)
    let (centre, count) = (window.centre, window.side * window.side)
    let padding = [0, 0, centre, count - 1 - centre]
    self.init(window: window, masses: mass.pad(padding), images: images)
  }

  /// The images after all mass has arrived, (N, C, H, W); values may exceed 1.
  public var arrivals: Tensor {
    window.arrivals(masses, height: images.size(2), width: images.size(3))
  }

  /// The plans of the images that stay.
  func keeping(_ kept: Kept) -> TransportPlan {
    TransportPlan(window: window, masses: kept.of(masses), images: kept.of(images))
  }
}

/// The constraints on a transport of mass, as numbers to be checked.
public struct TransportCertificate: Hashable, Sendable {
  /// The smallest mass that any pixel sends anywhere; negative mass is not allowed.
  public var smallestMass: Double
  /// The largest difference between what a pixel sends and what it has.
  public var rowError: Double
  /// The difference between the sums of the images after and before, in shares of the sum before.
  public var totalError: Double
  /// The mean distance that mass travels, in pixels: ⟨C, π⟩ / Σx.
  public var cost: Double

  /// Checks that the transport keeps within a radius, up to rounding.
  ///
  /// - Parameters:
  ///   - radius: The largest mean distance in pixels.
  ///   - tolerance: The excess that the cost may have, in shares of the radius.
  /// - Returns: True if all constraints hold.
  public func holds(radius: Double, tolerance: Double = 1e-3) -> Bool {
    smallestMass >= 0 && rowError <= 1e-5 && totalError <= 1e-5 && cost <= radius * (1 + tolerance)
  }
}

extension TransportPlan {
  /// One certificate per image, computed in float64 from the masses alone.
  public var certificates: [TransportCertificate] {
    let (wide, before) = (masses.to(.float64), images.to(.float64))
    let count = images.size(0)
    if count == 0 { return [] }
    let all = Array(1..<wide.rank)
    let distances = Tensor(window.distances, shape: [window.side * window.side])
      .to(wide.device)
    let totals = before.sum([1, 2, 3])
    let scale = totals.clamp(min: 1e-30)
    let smallest = wide.amin(all).array(of: Double.self)
    let rows = (wide.sum([2]) - before.flatten(2)).abs().amax([1, 2]).array(of: Double.self)
    let sums = arrivals.to(.float64).sum([1, 2, 3])
    let errors = ((sums - totals).abs() / scale).array(of: Double.self)
    let costs = (wide.sum([1, 3]).matmul(distances) / scale).array(of: Double.self)
    return (0..<count).map {
      TransportCertificate(
        smallestMass: smallest[$0], rowError: rows[$0], totalError: errors[$0], cost: costs[$0])
    }
  }
}

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
  ///   - masses: The mass that leaves each pixel by each offset, (N, C, k², H·W); 0 where an offset leads outside.
  ///   - height: H.
  ///   - width: W.
  /// - Returns: (N, C, H, W).
  func arrivals(_ masses: Tensor, height: Int, width: Int) -> Tensor {
    let columns = masses.reshape([masses.size(0), masses.size(1) * side * side, height * width])
    return columns.col2im([height + side - 1, width + side - 1], kernel: [side, side])
      .slice(before..<before + height, dim: 2).slice(before..<before + width, dim: 3)
  }
}
