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
      Reads a file of torch.save or safetensors and writes a run's folder, so that \
      it has a model card and a report and can be trained further. To measure a \
      file, no import is needed: `namid evaluate FILE`. The network is read off \
      names and shapes; nothing in the file is executed.

      Examples:
        namid import model.pt --out runs/theirs
        namid import model.pt --normalize cifar10 --dataset cifar10 --out runs/theirs
        namid import small.safetensors --image 3x64x64 --out runs/small
      """)

  @Argument(help: .init("The weights (.pt, .pth, .ckpt, .safetensors).", valueName: "file"))
  var file: String
  @Option(help: .init("The run's folder; new.", valueName: "folder"))
  var out: String
  @OptionGroup var model: ModelOptions
  @Option(help: .init("Base width, if it should be checked.", valueName: "n"))
  var width: Int?
  @Option(help: .init("Zero padding of the first convolution.", valueName: "n"))
  var firstPadding = 1
  @Option(help: .init("The data set that it was trained on.", valueName: "name"))
  var dataset = "cifar10"
  @Option(help: .init("The number of classes, if it should be checked.", valueName: "n"))
  var classes: Int?
  @Option(help: .init("Channels, height and width of images.", valueName: "CxHxW"))
  var image = "3x32x32"

  func run() throws {
    let sizes = image.split(separator: "x").map { Int($0) ?? 0 }
    guard sizes.count == 3, sizes.allSatisfy({ (1...65_536).contains($0) }) else {
      throw ValidationError("--image must be such as 3x32x32")
    }
    var options = try model.options(dataset: dataset)
    options.recognition.image = (sizes[0], sizes[1], sizes[2])
    options.recognition.firstConvolutionPadding = firstPadding
    let saved = try SavedNetwork(
      opening: URL(filePath: file), .latest, options, catalog: Parts.catalog)
    let (network, specification) = (saved.network, saved.network.specification)
    try check(specification, channels: sizes[0])
    let folder = try RunFolder(
      URL(filePath: out),
      configuration:
        "# Weights imported from \(quotedForPeople(file)); how they were trained is not known.\n"
        + ConfigurationLoader.render(saved.configuration),
      specification: specification, program: saved.program, resume: false)
    try folder.open()
    var state = saved.checkpoint
    state.epoch = 1
    try folder.checkpoints.save(
      state, files: [RunFolder.weightsFile: network.store.state], keep: 1)
    saved.file?.notes.forEach(note)
    note(
      "\(specification.title), \(network.store.parameterCount) parameters: "
        + "namid evaluate \(out) --attack clean,pgd-20")
  }

  /// Compares what was read off with what the user expects.
  private func check(_ found: NetworkSpecification, channels: Int) throws {
    let expected = [
      ("width", width, found.design?.widths.first ?? found.width),
      ("number of classes", classes, found.classCount),
      ("number of channels", channels, found.channels),
    ]
    for (what, wanted, value) in expected where wanted != nil && wanted != value {
      throw CheckpointError.doesNotFit(
        file, reason: "its \(what) is \(value), not \(wanted ?? 0); it is a \(found.title)")
    }
  }
}

/// `namid export`.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a run's weights for PyTorch.",
    discussion: """
      FILE.pt is read by torch.load(FILE, weights_only=True), FILE.safetensors by \
      safetensors.torch.load_file(FILE); both hold a state_dict. The networks in \
      PyTorch are in Interop/namid_networks.py.

      Examples:
        namid export runs/at at.pt
        namid export runs/at at.safetensors --checkpoint best
      """)

  @Argument(help: .init("The run, or another file of weights.", valueName: "model"))
  var source: String
  @Argument(help: .init("The file to write: .pt, .pth or .safetensors.", valueName: "file"))
  var file: String
  @Option(help: "Which checkpoint: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest
  @OptionGroup var model: ModelOptions

  func validate() throws {
    try checkExtension(of: file, among: ["pt", "pth", "safetensors"])
  }

  func run() throws {
    try checkWritable(file)
    let saved = try SavedNetwork(
      opening: URL(filePath: source), checkpoint, model.options(dataset: nil),
      catalog: Parts.catalog)
    let (url, state) = (URL(filePath: file), saved.network.store.state)
    if url.pathExtension == "safetensors" {
      try Weights.write(state, to: url)
    } else {
      try PyTorchFile.write(state, to: url)
    }
    print("\(file): \(state.count) tensors of \(saved.network.specification.title)")
  }
}
