import ArgumentParser
import Foundation
import NamidData
import NamidLaboratory
import NamidNetworks
import NamidTorch
import NamidTraining

/// The options for a network in a file: what names and shapes do not tell.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The kind of network of a file; auto reads it off names and shapes.",
      discussion:
        "Kinds: \(Parts.catalog.architectures.map(\.name).joined(separator: ", ")).",
      valueName: "name"))
  var model = "auto"
  @Option(
    help: ArgumentHelp(
      "Where a checkpoint holds several sets of weights: the one to take.", valueName: "name"))
  var key: String?
  @Option(
    help: ArgumentHelp(
      "Images are normalised with the usual numbers of a data set: cifar10, cifar100, imagenet; "
        + "image (each by its own) or none.",
      discussion: "Default: the numbers in the file, if there are any.", valueName: "name"))
  var normalize: String?
  @Option(help: .init("Means of the channels, such as 0.491,0.482,0.447.", valueName: "list"))
  var mean: NumberList?
  @Option(help: .init("Standard deviations of the channels.", valueName: "list"))
  var std: NumberList?
  @Option(
    help: ArgumentHelp(
      "Details of a network in a file: shortcut=raw, activation=silu, head=cosine, stem=imageNet, "
        + "padding=after.", valueName: "k=v,…"))
  var variant: String?

  func validate() throws {
    if (mean == nil) != (std == nil) {
      throw ValidationError("--mean and --std go together")
    }
    if normalize != nil && mean != nil {
      throw ValidationError("--normalize and --mean exclude each other")
    }
    _ = try options(dataset: nil)
  }

  /// The choices as the library reads them.
  func options(dataset: String?) throws -> ModelFile.Options {
    var options = ModelFile.Options()
    options.key = key
    options.recognition.architecture = model == "auto" ? nil : model
    options.recognition.dataset = dataset ?? options.recognition.dataset
    options.recognition.normalization = try normalization()
    options.recognition.takesNoNormalization = normalize == "none"
    options.recognition.variant = try (variant ?? "").split(separator: ",").map { part in
      let sides = part.split(separator: "=", maxSplits: 1)
      guard sides.count == 2 else {
        throw ValidationError("--variant must be such as shortcut=raw; found “\(part)”")
      }
      return (String(sides[0]), String(sides[1]))
    }
    return options
  }

  private func normalization() throws -> InputNormalization? {
    if let mean, let std { return .channels(mean: mean.values, deviation: std.values) }
    switch normalize {
    case nil, "none": return nil
    case "image": return .image
    case let name?:
      guard let usual = InputNormalization.usual(for: name) else {
        throw ValidationError(
          "--normalize must be cifar10, cifar100, imagenet, image or none; others by --mean and --std"
        )
      }
      return usual
    }
  }
}

/// Numbers separated by commas.
struct NumberList: ExpressibleByArgument {
  let values: [Double]

  /// Parses `0.491,0.482,0.447`; nil for anything else.
  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    values = parts.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
    guard values.count == parts.count, values.allSatisfy(\.isFinite) else { return nil }
  }
}

/// A first look at a network from a file: its kind, its accuracy on some images, and whether another reading of the same
/// weights would be more accurate.
struct ModelCheck {
  private static let sampleSize = 256
  /// Fewer images say nothing about chance.
  private static let smallestSample = 50
  /// Another reading must be better by so much before it is worth a word.
  private static let worthSaying = 0.05

  private let lines: [String]

  /// Looks at a network; nil for one of a run, about which everything is known.
  init?(_ saved: SavedNetwork, on set: ImageSet) throws {
    guard let file = saved.file else { return nil }
    let sample = try set.count > Self.sampleSize ? set.sample(Self.sampleSize, seed: 0) : set
    let images = ImageTensors(sample, device: saved.network.store.device)
    let accuracy = Self.accuracy(saved.network, images)
    let network = saved.network
    var lines = [
      "\(file.url.lastPathComponent): \(file.specification.title), \(network.store.parameterCount) parameters"
        + (file.specification.normalization == nil ? "" : ", normalises its images")
        + "; right on \(Figures.percent(accuracy)) of \(sample.count) images"
    ]
    if !file.unused.isEmpty {
      let names = file.unused.prefix(5).joined(separator: ", ")
      lines.append(
        "not used: \(names)" + (file.unused.count > 5 ? " and \(file.unused.count - 5) more" : ""))
    }
    lines += file.notes
    var best: (option: String, accuracy: Double)?
    for other in file.alternatives(on: set.name) {
      // A program that normalises its images itself takes no other normalisation.
      guard
        let rival = try? file.network(on: network.store.device, { $0 = other.specification })
      else { continue }
      let value = Self.accuracy(rival, images)
      if value > (best?.accuracy ?? accuracy + Self.worthSaying) { best = (other.option, value) }
    }
    if let best {
      lines.append(
        "WARNING: with \(best.option) it is right on \(Figures.percent(best.accuracy)): probably that is how it was trained"
      )
    }
    let chance = 1 / Double(network.classCount)
    if best == nil, sample.count >= Self.smallestSample, accuracy < 2 * chance {
      lines.append(
        "WARNING: that is hardly better than chance: are these the images, the order of classes and the normalisation of its training?"
      )
    }
    self.lines = lines
  }

  /// Hands the lines over one by one.
  func say(_ say: (String) -> Void) { lines.forEach(say) }

  private static func accuracy(_ network: Network, _ images: ImageTensors) -> Double {
    network.frozen {
      var right = 0.0
      for start in stride(from: 0, to: images.count, by: 64) {
        let batch = images.batch(Array(start..<min(start + 64, images.count)))
        right += (network.predictions(batch.images) .== batch.labels).to(.float32).sum().item()
      }
      return right / Double(max(1, images.count))
    }
  }

}
