import Foundation
import NamidTorch

/// Smoothing of gradients by a Gaussian kernel (Dong et al., CVPR 2019).
///
/// The gradient of an image, averaged over translated copies of it, is about the gradient convolved with a kernel.
struct GradientSmoothing {
  /// The kernel's side, odd; 1 for no smoothing.
  let side: Int
  /// The matrices that multiply an image from the left and from the right; nil for no smoothing.
  private let bands: (rows: Tensor, columns: Tensor)?

  /// Smoothing of images of H × W pixels on a device.
  init(side: Int, height: Int, width: Int, device: Device) {
    self.side = side
    if side == 1 {
      bands = nil
      return
    }
    let rows = Self.band(height, side: side).to(device)
    bands = (rows, height == width ? rows : Self.band(width, side: side).to(device))
  }

  /// The kernel along one direction, summing to 1: the normal density at equally spaced points from −3 to 3.
  ///
  /// The kernel of an image is the product of one along each direction.
  static func weights(_ side: Int) -> [Double] {
    if side == 1 { return [1] }
    let densities = (0..<side).map { place in
      let point = 3 * Double(2 * place - (side - 1)) / Double(side - 1)
      return exp(-point * point / 2)
    }
    let sum = densities.reduce(0, +)
    return densities.map { $0 / sum }
  }

  /// Each channel of (N, C, H, W) convolved with the kernel; beyond the edges there are zeros.
  ///
  /// Done as a product with a band matrix on either side: convolutions with one channel per group are slow.
  func smooth(_ gradient: Tensor) -> Tensor {
    bands.map { $0.rows.matmul(gradient).matmul($0.columns) } ?? gradient
  }

  /// The symmetric matrix whose product with a column of pixels is the convolution of that column.
  private static func band(_ length: Int, side: Int) -> Tensor {
    let (weights, reach) = (weights(side), side / 2)
    let values = (0..<length).flatMap { row in
      (0..<length).map { column in
        abs(row - column) <= reach ? Float(weights[row - column + reach]) : 0
      }
    }
    return Tensor(values, shape: [length, length])
  }
}
