import Foundation
import NamidAttacks
import NamidData
import NamidEvaluation
import NamidPages
import NamidTorch
import NamidTraining

/// A few test images unattacked, attacked and as enlarged changes, in one grid for all networks of a data set and ball.
package struct ExampleImages {
  /// A trained network.
  package struct Subject: Sendable {
    var name: String
    /// The network's run folder.
    var run: URL
  }

  /// The largest number of networks in one grid.
  private static let mostNetworks = 4
  private static let attack = "pgd-20"

  private let count: Int
  private let directory: URL
  private let device: Device
  private let catalog: Catalog

  /// Creates a maker of examples of `count` images per network.
  package init(count: Int, directory: URL, device: Device, catalog: Catalog = .standard) {
    self.count = count
    self.directory = directory
    self.device = device
    self.catalog = catalog
  }

  /// Makes the section; a sentence with the reason replaces a grid that cannot be made.
  ///
  /// - Parameters:
  ///   - subjects: The networks, the most important first.
  ///   - say: A closure called with a line before each attack.
  /// - Returns: The section; nil without networks.
  package func section(_ subjects: [Subject], say: (String) -> Void) -> Report.Section? {
    let networks = subjects.compactMap { subject in
      (try? SavedNetwork.configuration(of: subject.run, catalog: catalog)).map { (subject, $0) }
    }
    let groups = networks.grouped { _, settings in
      "\(settings.data.name), \(settings.threat.norm.rawValue) ε \(settings.threat.epsilon)"
    }
    if groups.isEmpty { return nil }
    let blocks = groups.map { title, networks -> Report.Block in
      say("attacking \(count) images of \(title)")
      do {
        return .imageGrid(try grid(networks.prefix(Self.mostNetworks), title: title))
      } catch {
        return .paragraph("\(title): no images, because \(error)")
      }
    }
    return Report.Section(
      "Attacked images",
      [
        .paragraph(
          "Test images, what \(Self.attack.uppercased()) makes of them against each network's last checkpoint, and "
            + "the changes, enlarged to the full range around gray. The network's answer stands below."
        )
      ] + blocks)
  }

  private func grid(
    _ networks: some Sequence<(Subject, RunConfiguration)>, title: String
  ) throws -> ImageGrid {
    var headings: [String] = []
    var rows: [[ImageGrid.Cell?]] = []
    var labels: [String] = []
    for (subject, settings) in networks {
      let samples = try samples(of: subject, settings)
      if rows.isEmpty {
        labels = samples.map(\.label)
        headings.append("unattacked")
        rows.append(samples.map { ImageGrid.Cell(png: $0.clean) })
      }
      headings += [subject.name, "change"]
      rows.append(
        samples.map {
          ImageGrid.Cell(
            png: $0.attacked, caption: $0.attackedPrediction,
            verdict: $0.attackedPrediction == $0.label ? .right : .wrong)
        })
      rows.append(samples.map(\.enlargedNoise))
    }
    return ImageGrid(columnHeadings: labels, rowHeadings: headings, rows: rows, caption: title)
  }

  private func samples(of subject: Subject, _ settings: RunConfiguration) throws -> [SampleImage] {
    let saved = try SavedNetwork(run: subject.run, device: device, catalog: catalog)
    let all = try catalog.dataset(settings.data.name).load(.test, in: directory)
    try saved.check(all)
    let set = count < all.count ? try all.sample(count, seed: 0) : all
    var request = EvaluationRequest(Self.attack, threat: settings.threat)
    request.keepsImages = true
    let measurement = try Evaluator.measure(
      request,
      of: MeasuredNetwork(
        saved.network, named: subject.name, checkpoint: "epoch \(saved.checkpoint.epoch)"),
      on: set, by: try catalog.attacks(Self.attack, in: settings.threat))
    guard let attacked = measurement.outcomes.first?.images else { return [] }
    return AttackedImages(set, attacked: attacked, network: saved.network).samples(count)
  }
}

extension Sequence {
  /// Groups elements by a key, in the order in which keys appear first.
  func grouped<Key: Hashable>(by key: (Element) -> Key) -> [(key: Key, elements: [Element])] {
    var places: [Key: Int] = [:]
    var groups: [(key: Key, elements: [Element])] = []
    for element in self {
      let key = key(element)
      if let place = places[key] {
        groups[place].elements.append(element)
      } else {
        places[key] = groups.count
        groups.append((key, [element]))
      }
    }
    return groups
  }
}
