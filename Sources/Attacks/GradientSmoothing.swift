import Foundation
import Torch

/// Smoothing of gradients by a Gaussian kernel (Dong et al., CVPR 2019).
///
/// The gradient of an image, averaged over translated copies of it, is about the gradient convolved with a kernel.
struct GradientSmoothing {
  /// The kernel's side, odd; 1 for no smoothing.
  let side: Int

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
    if side == 1 { return gradient }
    let (height, width) = (gradient.size(2), gradient.size(3))
    let rows = band(height).to(gradient.device)
    let columns = height == width ? rows : band(width).to(gradient.device)
    return rows.matmul(gradient).matmul(columns)
  }

  /// The symmetric matrix whose product with a column of pixels is the convolution of that column.
  private func band(_ length: Int) -> Tensor {
    let (weights, reach) = (Self.weights(side), side / 2)
    let values = (0..<length).flatMap { row in
      (0..<length).map { column in
        abs(row - column) <= reach ? Float(weights[row - column + reach]) : 0
      }
    }
    return Tensor(values, shape: [length, length])
  }
}
