import Foundation
import NamidFiles
import NamidPages

/// Per-sample readings of mutual information as distributions.
struct InformationDistributions {
  /// The name of a measurement for people, and the file of its samples, as `SampleFile` writes it.
  typealias Source = (name: String, samples: URL)

  let sources: [Source]
  let say: (String) -> Void

  /// The section; nil where there are no samples.
  var section: Report.Section? {
    let charts = sources.flatMap(charts)
    if charts.isEmpty { return nil }
    return Report.Section(
      "Distributions of mutual information",
      [
        .paragraph(
          "One reading per image, in nats as estimated. Each estimator has its own scale: compare the two "
            + "colours of a chart, not charts with each other.")
      ] + charts)
  }

  private func charts(_ source: Source) -> [Report.Block] {
    let columns: SampleColumns
    do {
      columns = try SampleColumns(source.samples)
    } catch {
      say("left out: \(source.samples.lastPathComponent) of \(source.name): \(error)")
      return []
    }
    return columns.groups.flatMap { group -> [Report.Block] in
      let prefix = ([source.name] + group.facts).joined(separator: ", ")
      return Self.pairs.compactMap { title, names in
        let values = names.compactMap { name in
          group.values[name.column].map { (name: name.label, values: $0) }
        }
        guard values.count == names.count else { return nil }
        return .chart(
          Chart(
            title: "\(title): \(prefix)", xAxis: Chart.Axis("nats"),
            yAxis: Chart.Axis("images"), content: .histogram(of: values)))
      }
    }
  }

  private static let pairs: [(title: String, names: [(column: String, label: String)])] = [
    ("Natural MI", [("natural_clean", "unattacked"), ("natural_attacked", "attacked")]),
    (
      "Adversarial MI", [("adversarial_clean", "unattacked"), ("adversarial_attacked", "attacked")]
    ),
    (
      "Standard MI",
      [
        ("natural_natural", "I(x; h(x))"), ("adversarial_adversarial", "I(x̃; h(x̃))"),
        ("natural_adversarial", "I(x; h(x̃))"),
      ]
    ),
  ]
}

/// The numbers of a file of samples, grouped by attack and estimators.
struct SampleColumns {
  /// An attack and a pair of estimators, and the columns of numbers of their rows by name.
  typealias Group = (facts: [String], values: [String: [Double]])

  /// The size in bytes of the longest file that is read, enough for some millions of samples.
  private static let maximumBytes = 512 << 20
  private static let factNames = ["attack", "estimators"]

  /// The groups in the order of the file.
  let groups: [Group]

  /// Reads a file as `SampleFile` writes it.
  init(_ url: URL) throws {
    let text = String(decoding: try readFile(at: url, limit: Self.maximumBytes), as: UTF8.self)
    var lines = text.split(separator: "\n").makeIterator()
    let header = lines.next().map(CSV.fields) ?? []
    let factPlaces = header.indices.filter { Self.factNames.contains(header[$0]) }
    let numberPlaces = header.indices.filter {
      header[$0].contains("_") && !Self.factNames.contains(header[$0])
    }
    var groups: [Group] = []
    var places: [[String]: Int] = [:]
    while let line = lines.next() {
      let fields = CSV.fields(line)
      guard fields.count == header.count else { continue }
      let facts = factPlaces.map { fields[$0] }
      let place = places[facts] ?? groups.count
      if place == groups.count {
        places[facts] = place
        groups.append((facts, [:]))
      }
      for column in numberPlaces {
        groups[place].values[header[column], default: []].append(Double(fields[column]) ?? .nan)
      }
    }
    self.groups = groups
  }
}
