import NamidAttacks
import NamidNetworks
import NamidTorch

/// A check of attacked images, as they are stored, that relies on nothing the attack says.
enum Certificate {
  /// A reason why an image does not count as fooling the network.
  enum Problem: String, CaseIterable, Codable, Sendable {
    /// A value is NaN or infinite.
    case notFinite = "not_finite"
    /// A value lies outside [0, 1].
    case box
    /// The perturbation is larger than allowed.
    case norm
    /// The network is right on the image in a fresh forward in evaluation mode.
    case label
  }

  /// The share of the radius that a perturbation may exceed it by.
  static let tolerance = 1e-6

  /// Measurements of attacked images, one entry per row.
  struct Geometry {
    /// The problem of an image that has values that are not finite or lie outside the box; nil for none.
    var problems: [Problem?]
    /// The perturbation's size in the ball's norm, computed in float64; NaN without a ball.
    var sizes: [Double]
    /// True where the size is within the ball, and always without a ball.
    var isWithin: [Bool]
  }

  /// Measures attacked images (N, C, H, W) against their origins.
  static func geometry(of images: Tensor, from origins: Tensor, ball: ThreatModel?) -> Geometry {
    let flat = images.flatten(1)
    let isFinite = (flat.isfinite().to(.float32).amin([1]) .> 0.5).to(.float64)
    let isInBox = ((flat.amin([1]) .>= 0) .& (flat.amax([1]) .<= 1)).to(.float64)
    let distances = ball?.size(of: images.to(.float64) - origins.to(.float64))
    // All in one answer of the device.
    let answers: [Double] = Tensor.stack(
      [isFinite, isInBox, distances ?? isFinite.fullLike(Double.nan)], dim: 1
    ).array()
    let rows = stride(from: 0, to: answers.count, by: 3)
    let problems = rows.map { row -> Problem? in
      answers[row] == 1 ? (answers[row + 1] == 1 ? nil : .box) : .notFinite
    }
    let sizes = rows.map { answers[$0 + 2] }
    guard let ball else {
      return Geometry(problems: problems, sizes: sizes, isWithin: problems.map { _ in true })
    }
    let largest = radius(of: ball, valuesPerImage: flat.size(1))
    return Geometry(problems: problems, sizes: sizes, isWithin: sizes.map { $0 <= largest })
  }

  /// The largest size that is taken for the ball's radius ε: ε·(1 + 10⁻⁶) + 2⁻²⁴·‖1‖.
  ///
  /// The second term is what rounding to float32 can add: half a unit in the last place of a value below 1 when the
  /// perturbation is added, and as much when ε itself is rounded.
  static func radius(of ball: ThreatModel, valuesPerImage: Int) -> Double {
    ball.epsilon.value * (1 + tolerance) + 0x1p-24
      * ball.norm.diameter(valuesPerImage: valuesPerImage)
  }

  /// Checks whether the network errs on images, in a forward in plain evaluation mode and float32.
  ///
  /// Logits that are not finite are an error, too.
  static func isWrong(
    _ images: Tensor, _ labels: Tensor, on classifier: any Classifier
  ) -> [(wrong: Bool, finite: Bool)] {
    let logits = withPrecision(.float32, on: images.device) {
      let network = Pacing.suited(classifier, to: images.device)
      return network.evaluating { withoutGrad { network.logits(images) } }
    }
    let isFinite = (logits.isfinite().to(.float32).amin([1]) .> 0.5).to(.int64)
    let differs = (logits.argmax(1) .!= labels).to(.int64)
    // Both in one answer of the device.
    return (differs + isFinite * 2).ints().map { (wrong: $0 != 2, finite: $0 & 2 == 2) }
  }
}

extension Norm {
  /// The largest distance between two images in [0, 1], which is also the norm of the image of ones.
  public func diameter(valuesPerImage: Int) -> Double {
    switch self {
    case .linf: 1
    case .l2: Double(valuesPerImage).squareRoot()
    case .l1: Double(valuesPerImage)
    }
  }
}

extension ThreatModel {
  /// Throws when the radius is negative or larger than any perturbation of an image can be.
  ///
  /// - Parameter valuesPerImage: Channels times height times width.
  /// - Throws: `EvaluationError.radius`.
  public func checkRadius(valuesPerImage: Int) throws(EvaluationError) {
    let largest = norm.diameter(valuesPerImage: valuesPerImage)
    if !(0...largest).contains(epsilon.value) { throw .radius(self, largest: largest) }
  }
}
