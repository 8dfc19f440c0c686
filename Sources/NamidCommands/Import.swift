import ArgumentParser
import Foundation
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTorch
import NamidTraining

/// `namid import`.
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a run from weights that were trained elsewhere.",
    discussion: """
      Reads a safetensors file with the names of a PyTorch state_dict and writes \
      a run's folder, so that every verb that takes a run takes it. All keys must \
      fit; those that do not are listed.

      Examples:
        namid import resnet18.safetensors --model resnet18 --dataset cifar10 \\
          --out runs/theirs
        namid import small.safetensors --model resnet18 --width 16 --classes 10 \\
          --image 3x32x32 --out runs/small
      """)

  @Argument(help: .init("The weights (safetensors).", valueName: "file"))
  var file: String
  @Option(help: .init("The run's folder; new.", valueName: "folder"))
  var out: String
  @Option(
    help: ArgumentHelp(
      "One of: \(Parts.catalog.architectures.map(\.name).joined(separator: ", ")).",
      valueName: "name"))
  var model = "resnet18"
  @Option(help: .init("Base width; the network's own by default.", valueName: "n"))
  var width: Int?
  @Option(help: .init("Zero padding of the first convolution.", valueName: "n"))
  var firstPadding = 1
  @Option(help: .init("The data set that it was trained on.", valueName: "name"))
  var dataset = "cifar10"
  @Option(help: .init("The number of classes.", valueName: "n"))
  var classes = 10
  @Option(help: .init("Channels, height and width of images.", valueName: "CxHxW"))
  var image = "3x32x32"

  func run() throws {
    let sizes = image.split(separator: "x").map { Int($0) ?? 0 }
    guard sizes.count == 3 else { throw ValidationError("--image must be such as 3x32x32") }
    let specification = NetworkSpecification(
      architecture: model,
      width: width,
      firstConvolutionPadding: firstPadding,
      classCount: classes, channels: sizes[0], imageHeight: sizes[1], imageWidth: sizes[2],
      among: Parts.catalog.architectures)
    let network = try Network(
      specification, stream: RandomStream(seed: 0), architectures: Parts.catalog.architectures)
    do {
      try network.store.load(state: Weights.read(URL(filePath: file)))
    } catch let error as StateDictionaryError {
      throw CheckpointError.doesNotFit(file, reason: error.description)
    }
    var configuration = RunConfiguration()
    configuration.data.name = dataset
    configuration.defense = .natural
    configuration.model.architecture = model
    configuration.model.width = specification.width
    configuration.model.firstConvolutionPadding = firstPadding
    let folder = try RunFolder(
      URL(filePath: out),
      configuration: "# Weights imported from \(file); how they were trained is not known.\n"
        + ConfigurationLoader.render(configuration),
      specification: specification, resume: false)
    try folder.open()
    try folder.checkpoints.save(
      CheckpointState(
        epoch: 1, step: 0, best: nil, configurationHash: CheckpointState.imported,
        torchVersion: TorchEnvironment.read().compiledVersion),
      files: [RunFolder.weightsFile: network.store.state], keep: 1)
    note(
      "\(model), width \(specification.width), \(network.store.parameterCount) parameters: "
        + "namid evaluate \(out) --attack clean,pgd-20")
  }
}
