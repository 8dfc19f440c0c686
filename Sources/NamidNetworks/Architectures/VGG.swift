import NamidTorch

/// VGG: 3×3 convolutions with bias and five poolings (Simonyan and Zisserman, ICLR 2015); VGG-19 is the surrogate of the
/// paper's black-box attacks.
///
/// Names are the usual ones, `features.N` and `classifier` (`linear` in the authors' code). As in the authors' code
/// the linear layer reads all that the last pooling leaves: 1×1 maps for 32 pixels, 2×2 maps for 64.
/// Poolings keep the rest of an odd side, so that 28 pixels (7 → 4 → 2 → 1) leave a map, too; for
/// multiples of 32 that changes nothing.
struct VGG: Module {
  private let stages: [[any Module]]
  private let pooledSide: Int?
  private let classifier: [Linear]

  init(_ specification: NetworkSpecification, _ design: NetworkDesign, at path: Path) {
    var stages: [[any Module]] = []
    var (channels, number) = (specification.channels, 0)
    for (depth, output) in zip(design.depths, design.widths) {
      var convolutions: [any Module] = []
      for _ in 0..<depth {
        let padding = number == 0 ? specification.firstConvolutionPadding : 1
        let place = path / "features" / number
        convolutions.append(
          design.hasBatchNorm
            ? NormalizedConv2d(
              channels, output, kernel: 3, padding: padding, bias: true, at: place,
              norm: path / "features" / (number + 1))
            : Conv2d(channels, output, kernel: 3, padding: padding, at: place))
        channels = output
        // The rectifier has a number, too, and so has the norm.
        number += design.hasBatchNorm ? 3 : 2
      }
      stages.append(convolutions)
      // So has the pooling.
      number += 1
    }
    self.stages = stages
    let cells = [specification.imageHeight, specification.imageWidth].map { side in
      (side + 2 * (specification.firstConvolutionPadding - 1) + 31) / 32
    }
    pooledSide = design.hiddenUnits.isEmpty ? nil : design.pooledSide
    let features = channels * (pooledSide.map { $0 * $0 } ?? cells[0] * cells[1])
    let place = path / "classifier"
    let sizes = [features] + design.hiddenUnits + [specification.classCount]
    // A rectifier and a dropout stand between two linear layers and have numbers.
    classifier = sizes.indices.dropLast().map {
      Linear(sizes[$0], sizes[$0 + 1], at: design.hiddenUnits.isEmpty ? place : place / (3 * $0))
    }
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    var features = stages.reduce(input) { maps, convolutions in
      convolutions.reduce(maps) { $1($0).relu() }.maxPool2d(2, ceilMode: true)
    }
    if let pooledSide { features = features.adaptiveAvgPool2d(pooledSide) }
    features = features.flatten(1)
    for (place, layer) in classifier.enumerated() {
      features = layer(place == 0 ? features : features.relu())
    }
    return features
  }
}

extension NetworkDesign {
  /// A VGG with batch norm; `depths` are the convolutions between two poolings.
  static func vgg(_ depths: [Int], width: Int) -> NetworkDesign {
    var design = NetworkDesign()
    (design.naming, design.stemChannels, design.depths) = (.features, width, depths)
    design.widths = depths.indices.map { width << min($0, 3) }
    return design
  }
}

extension Architecture {
  /// VGG-19 with batch norm and a choice of base width; 64 is its paper's.
  public static let vgg19 = vgg(19, [2, 2, 4, 4, 4])
  /// VGG-16 with batch norm.
  public static let vgg16 = vgg(16, [2, 2, 3, 3, 3])

  /// A VGG of any design, as read off a checkpoint.
  public static let vgg = Architecture(
    name: "vgg", summary: "a VGG read off a checkpoint", needsDesign: true,
    problem: \.firstWindowProblem, build: { VGG($0, $0.design ?? .vgg([1], width: 64), at: $1) })

  private static func vgg(_ layers: Int, _ depths: [Int]) -> Architecture {
    Architecture(
      name: "vgg\(layers)",
      summary: "VGG-\(layers) with batch norm for small images; its usual width is 64",
      family: "vgg", design: { .vgg(depths, width: $0) }, problem: \.firstWindowProblem,
      build: { VGG($0, .vgg(depths, width: $0.width), at: $1) })
  }
}
