import NamidTorch

/// VGG-19 with batch norm for small images: sixteen 3×3 convolutions with bias, five poolings, one linear layer
/// (Simonyan and Zisserman, ICLR 2015), the surrogate of the paper's black-box attacks.
///
/// Names are the usual ones, `features.N` and `classifier` (`linear` in the authors' code). As in the authors' code
/// the linear layer reads all that the last pooling leaves: 1×1 maps for 32 pixels, 2×2 maps for 64.
/// Poolings keep the rest of an odd side, so that 28 pixels (7 → 4 → 2 → 1) leave a map, too; for
/// multiples of 32 that changes nothing.
struct VGG19: Module {
  /// Convolutions between two poolings.
  private static let depths = [2, 2, 4, 4, 4]
  private let stages: [[NormalizedConv2d]]
  private let classifier: Linear

  init(_ specification: NetworkSpecification, at path: Path) {
    var stages: [[NormalizedConv2d]] = []
    var (channels, number) = (specification.channels, 0)
    for (stage, depth) in Self.depths.enumerated() {
      let output = specification.width << min(stage, 3)
      var convolutions: [NormalizedConv2d] = []
      for _ in 0..<depth {
        convolutions.append(
          NormalizedConv2d(
            channels, output, kernel: 3,
            padding: number == 0 ? specification.firstConvolutionPadding : 1, bias: true,
            at: path / "features" / number, norm: path / "features" / (number + 1)))
        channels = output
        number += 3
      }
      stages.append(convolutions)
      // The pooling has a number, too, as convolution, norm and rectifier have.
      number += 1
    }
    self.stages = stages
    let cells = [specification.imageHeight, specification.imageWidth].map { side in
      (side + 2 * (specification.firstConvolutionPadding - 1) + 31) / 32
    }
    classifier = Linear(
      channels * cells[0] * cells[1], specification.classCount, at: path / "classifier")
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    let features = stages.reduce(input) { maps, convolutions in
      convolutions.reduce(maps) { $1($0).relu() }.maxPool2d(2, ceilMode: true)
    }
    return classifier(features.flatten(1))
  }
}

extension Architecture {
  /// VGG-19 with batch norm and a choice of base width; 64 is its paper's.
  public static let vgg19 = Architecture(
    name: "vgg19", summary: "VGG-19 with batch norm for small images; its usual width is 64",
    problem: \.firstWindowProblem, build: { VGG19($0, at: $1) })
}
