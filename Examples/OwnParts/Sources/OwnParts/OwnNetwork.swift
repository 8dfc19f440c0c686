import Namid

/// One strided convolution with batch normalisation, the mean over positions, and a linear layer.
struct TinyBN: Module {
  private let convolution: NormalizedConv2d
  private let linear: Linear

  init(_ specification: NetworkSpecification, at path: Path) {
    convolution = NormalizedConv2d(
      specification.channels, specification.width, kernel: 3, stride: 2, padding: 1,
      at: path / "conv", norm: path / "bn")
    linear = Linear(specification.width * 4, specification.classCount, at: path / "linear")
  }

  func callAsFunction(_ input: Tensor) -> Tensor {
    linear(convolution(input).relu().adaptiveAvgPool2d(2).flatten(1))
  }
}

extension Architecture {
  /// A network that learns stripes within a few steps.
  static let tinyBN = Architecture(
    name: "tiny-bn", summary: "one convolution with batch normalisation",
    build: { TinyBN($0, at: $1) })
}
