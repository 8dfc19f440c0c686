/// A description of a network without its weights.
public struct NetworkSpecification: Codable, Hashable, Sendable {
  /// The name of an `Architecture`.
  public var architecture: String
  /// Base width: channels of the first stage.
  ///
  /// A wide residual network of widening factor k has 16·k.
  public var width: Int
  /// Zero padding of the first convolution; the authors' code has 0, others 1.
  public var firstConvolutionPadding: Int
  /// The number of classes.
  public var classCount: Int
  /// Channels of the images.
  public var channels: Int
  /// Height of the images in pixels.
  public var imageHeight: Int
  /// Width of the images in pixels.
  public var imageWidth: Int
  /// The details that an architecture such as `resnet` leaves open; nil for one that fixes all.
  public var design: NetworkDesign?
  /// The change of images that is the network's first layer; nil where it reads them as they are.
  public var normalization: InputNormalization?

  /// A network for images of a given kind; without a width it has the one that its architecture has among some kinds.
  public init(
    architecture: String, width: Int? = nil, firstConvolutionPadding: Int = 1, classCount: Int = 10,
    channels: Int = 3, imageHeight: Int = 32, imageWidth: Int = 32, design: NetworkDesign? = nil,
    normalization: InputNormalization? = nil, among kinds: [Architecture] = Architecture.all
  ) {
    self.architecture = architecture
    self.width = width ?? kinds.first { $0.name == architecture }?.defaultWidth ?? 64
    self.firstConvolutionPadding = firstConvolutionPadding
    self.classCount = classCount
    self.channels = channels
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
    self.design = design
    self.normalization = normalization
  }

  /// The number that no network can have, with its name, or nil; it may come from a damaged file.
  var rangeProblem: String? {
    let numbers: [(name: String, value: Int, smallest: Int)] = [
      ("width", width, 1), ("padding", firstConvolutionPadding, 0),
      ("number of classes", classCount, 1), ("number of channels", channels, 1),
      ("images' height", imageHeight, 1), ("images' width", imageWidth, 1),
    ]
    let largest = 65_536
    return numbers.first { !($0.smallest...largest).contains($0.value) }.map {
      "its \($0.name) is \($0.value); it must be from \($0.smallest) to \(largest)"
    } ?? normalization?.problem(channels: channels)
  }

  /// The reason why a first 3×3 convolution cannot be applied to these images, or nil where it can.
  var firstWindowProblem: String? {
    let smallest = min(imageHeight, imageWidth)
    return smallest + 2 * firstConvolutionPadding < 3
      ? """
      images of \(smallest) pixels, padded by \(firstConvolutionPadding), are smaller than its \
      first window; they need \(3 - 2 * firstConvolutionPadding)
      """ : nil
  }
}

/// A kind of network that can be built by name.
public struct Architecture: Sendable {
  /// The name on the command line and in files.
  public let name: String
  /// One line that says what it is.
  public let summary: String
  /// The base width of its paper.
  public let defaultWidth: Int
  /// True where a specification must say more than a width.
  public let needsDesign: Bool
  /// The name of the family that this kind is one of; nil for others.
  let family: String?
  /// The design of a base width, for the kinds that are one of a family's; nil for others.
  let design: (@Sendable (Int) -> NetworkDesign)?
  /// A digest of what decides the function beside the weights, for kinds that come from a file; nil for others.
  let identity: String?
  private let ownProblem: @Sendable (NetworkSpecification) -> String?
  /// Builds the network under a path.
  public let build: @Sendable (NetworkSpecification, Path) -> any Module

  /// A kind of network.
  public init(
    name: String, summary: String, defaultWidth: Int = 64, identity: String? = nil,
    problem: @escaping @Sendable (NetworkSpecification) -> String? = { _ in nil },
    build: @escaping @Sendable (NetworkSpecification, Path) -> any Module
  ) {
    self.init(
      name: name, summary: summary, defaultWidth: defaultWidth, identity: identity, design: nil,
      problem: problem, build: build)
  }

  /// A kind of network that is one of a family, or the family.
  init(
    name: String, summary: String, defaultWidth: Int = 64, needsDesign: Bool = false,
    identity: String? = nil, family: String? = nil,
    design: (@Sendable (Int) -> NetworkDesign)? = nil,
    problem: @escaping @Sendable (NetworkSpecification) -> String?,
    build: @escaping @Sendable (NetworkSpecification, Path) -> any Module
  ) {
    self.name = name
    self.summary = summary
    self.defaultWidth = defaultWidth
    self.needsDesign = needsDesign
    self.family = family
    self.design = design
    self.identity = identity
    ownProblem = problem
    self.build = build
  }

  /// The reason why no network of this kind can be built as specified; nil where it can.
  public func problem(_ specification: NetworkSpecification) -> String? {
    if needsDesign && specification.design == nil {
      return "\(name) is \(summary); name a kind with all of its sizes, such as resnet18"
    }
    return specification.rangeProblem ?? specification.design?.problem ?? ownProblem(specification)
  }

  /// All kinds that come with this library and can be built by name.
  public static let all: [Architecture] = [
    .resNet18, .resNet34, .resNet50, .preActResNet18, .wideResNet34, .wideResNet28, .vgg19, .vgg16,
    .smallCNN,
  ]

  /// The families of these kinds, whose members are told by a design that is read off a checkpoint.
  static let families: [Architecture] = [.resNet, .preActResNet, .vgg]
}
