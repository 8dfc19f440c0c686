import NamidTorch

/// A small convolutional network: two strided 4×4 convolutions and two linear layers.
struct SmallCNN: Module {
  private let layers: Sequential

  init(_ specification: NetworkSpecification, at path: Path) {
    let width = specification.width
    let cells = (specification.imageHeight / 4) * (specification.imageWidth / 4)
    layers = Sequential([
      Conv2d(specification.channels, width, kernel: 4, stride: 2, padding: 1, at: path / "conv1"),
      ReLU(),
      Conv2d(width, 2 * width, kernel: 4, stride: 2, padding: 1, at: path / "conv2"),
      ReLU(),
      Flatten(),
      Linear(2 * width * cells, 100, at: path / "fc1"),
      ReLU(),
      Linear(100, specification.classCount, at: path / "fc2"),
    ])
  }

  func callAsFunction(_ input: Tensor) -> Tensor { layers(input) }
}

extension Architecture {
  /// The usual small network of the robustness literature for 28×28 images; width 16 is its usual size.
  public static let smallCNN = Architecture(
    name: "small-cnn", summary: "two strided convolutions and two linear layers, for 28×28",
    defaultWidth: 16,
    problem: { specification in
      min(specification.imageHeight, specification.imageWidth) < 4
        ? "images must have at least 4 pixels a side" : nil
    },
    build: { SmallCNN($0, at: $1) })
}
