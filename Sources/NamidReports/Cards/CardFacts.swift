import Foundation
import NamidData
import NamidDefenses
import NamidEvaluation
import NamidFiles
import NamidNetworks
import NamidTraining

/// The facts about a network that its run's folder holds.
struct CardFacts {
  /// The figures of one epoch of training.
  typealias Epoch = (number: Int, seconds: Double, validation: [(name: String, value: Double)])

  /// The name of the run's folder.
  var name: String
  var configuration: RunConfiguration
  var specification: NetworkSpecification
  var latest: CheckpointState
  /// The figures of training by epoch; empty where weights were imported.
  var epochs: [Epoch] = []
  /// The measurements of the run's own checkpoints.
  var evaluations: [EvaluationReport] = []
  /// The number of trainable values; nil where it is not known.
  var parameters: Int?
  /// The summary that the training gave of itself; nil where it is not known.
  var trainingLine: String?
  /// The parts that the run may name.
  var catalog: Catalog
  /// The data set; nil where its name is not known here.
  var source: (any DatasetSource)?
  /// The defense; nil where its name is not known here.
  var defense: DefenseEntry?

  /// Reads a run, without its evaluations, and says which optional parts could not be read; throws where the folder is
  /// not the run of a network.
  init(run: URL, catalog: Catalog, say: (String) -> Void) throws {
    name = run.standardizedFileURL.lastPathComponent
    self.catalog = catalog
    configuration = try SavedNetwork.configuration(of: run, catalog: catalog)
    let file = run.appending(path: RunFolder.specificationFile)
    specification = try JSONValue(parsing: readFile(at: file, limit: 1 << 20))
      .decode(NetworkSpecification.self)
    latest = try CheckpointFolder(run: run).state(.latest)
    source =
      try? catalog.dataset(configuration.data.name)
    defense = try? catalog.defense(configuration.defense)
    let metrics = run.appending(path: RunFolder.metricsFile)
    guard FileKind(of: metrics, followingLinks: false) != nil else { return }
    do {
      epochs = try MetricsFile.read(metrics).compactMap { line -> Epoch? in
        guard let number = line["epoch"]?.intValue else { return nil }
        let group = "validation/"
        let validation = line.compactMap { key, value -> (name: String, value: Double)? in
          guard key.hasPrefix(group), let value = value.doubleValue else { return nil }
          return (String(key.dropFirst(group.count)), value)
        }
        return (number, line["seconds"]?.doubleValue ?? .nan, validation)
      }
    } catch {
      say("the card of \(run.relativePath) is without figures of its training: \(error)")
    }
  }

  // MARK: What follows from it

  /// True where weights were imported, so that their training is not known.
  var isImported: Bool { latest.configurationHash == CheckpointState.imported }

  /// The epoch whose weights represent the run: the best by validation, else the last.
  var chosenEpoch: Int { latest.best?.epoch ?? latest.epoch }

  /// The data set's name for people, without its path.
  var dataTitle: String { source?.title ?? configuration.data.name }

  /// Checks that a report is about images of the data set that the network was trained on, in any copy of it.
  func isOwnData(_ report: EvaluationReport) -> Bool {
    report.dataset.name == dataTitle || report.dataset.name.hasPrefix(dataTitle + " (")
  }

  /// The ball of the run's configuration, as text for people.
  var ball: String { MeasurementText.text(of: configuration.threat) }

  /// The training in a few words; in leaderboards a “standard” network is one without a defense.
  var trainingName: String {
    switch configuration.defense {
    case _ where isImported: "imported weights"
    case .natural: "natural training without a defense"
    case .standard: "standard adversarial training"
    default: "\(configuration.defense.rawValue) training"
    }
  }

  /// The network's name in papers, with the width where it is not the usual one.
  var architecture: String {
    let usual = catalog.architecture(specification.architecture)?.defaultWidth
    let width = specification.width
    let marked = { (name: String) in width == usual ? name : "\(name) (width \(width))" }
    switch specification.architecture {
    case "resnet18": return marked("ResNet-18")
    case "preactresnet18": return marked("PreActResNet-18")
    case "vgg19": return marked("VGG-19")
    case "wideresnet-34-10", "wideresnet-28-10":
      let depth = specification.architecture.split(separator: "-")[1]
      let factor = width.isMultiple(of: 16) ? "-\(width / 16)" : " (width \(width))"
      return "WideResNet-\(depth)\(factor)"
    default: return marked(specification.architecture)
    }
  }

  /// Returns the number of images of a split in the published data set; nil where it is not known for certain.
  func published(_ split: Split) -> Int? {
    source.flatMap { $0.acceptsSubsets ? nil : $0.expectedCounts[split] }
  }
}
