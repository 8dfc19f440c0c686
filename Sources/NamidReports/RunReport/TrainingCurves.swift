import Foundation
import NamidFiles
import NamidPages
import NamidTraining

/// The history of a training run.
struct TrainingHistory {
  /// The run's name in legends.
  var name: String
  /// The name that comparable runs share: data and ball, or `estimators`.
  var group: String
  /// The metrics, one record per epoch.
  var epochs: [JSONObject]

  /// Reads a run's metrics; nil where there are none yet, or none that can be read.
  init?(run: URL, named name: String, catalog: Catalog = .standard, say: (String) -> Void) {
    let file = run.appending(path: RunFolder.metricsFile)
    do {
      epochs = try MetricsFile.read(file)
    } catch {
      if FileManager.default.fileExists(atPath: file.path) {
        say("left out: the curves of \(name): \(error)")
      }
      return nil
    }
    if epochs.isEmpty { return nil }
    self.name = name
    if let settings = try? SavedNetwork.configuration(of: run, catalog: catalog) {
      let threat = settings.threat
      group = "\(settings.data.name), \(threat.norm.rawValue) ε \(threat.epsilon)"
    } else {
      group = "estimators"
    }
  }

}

extension Chart.Series {
  /// Makes the series of a quantity over the epochs that have it.
  init(_ name: String, epochs: [JSONObject], key: String, scale: Double) {
    self.init(
      name,
      points: epochs.compactMap { epoch in
        guard let x = epoch["epoch"]?.doubleValue, let y = epoch[key]?.doubleValue else {
          return nil
        }
        return Chart.Point(x: x, y: scale * y)
      })
  }
}

/// Charts of training by epoch, with runs on the same data in one chart.
struct TrainingCurves {
  let histories: [TrainingHistory]

  /// The section; nil without histories.
  var section: Report.Section? {
    let charts = histories.grouped(by: \.group).flatMap { self.charts($0.elements, $0.key) }
    if charts.isEmpty { return nil }
    return Report.Section(
      "Training",
      [
        .paragraph(
          "Means over the batches of an epoch, and accuracy on images held out of training. Losses of "
            + "different defenses are different quantities.")
      ] + charts)
  }

  private static let titles: [(key: String, title: String, axis: String, scale: Double)] = [
    ("validation/clean_accuracy", "Validation, clean", "percent right", 100),
    ("train/loss", "Training loss", "mean per batch", 1),
    ("train/selected", "Selected by Equation 6", "percent of samples", 100),
    ("train/mi_n", "Natural MI term", "nats", 1),
    ("train/mi_a", "Adversarial MI term", "nats", 1),
    ("train/loss_n", "Estimator of natural MI, loss", "mean per batch", 1),
    ("train/loss_a", "Estimator of adversarial MI, loss", "mean per batch", 1),
  ]

  private func charts(_ histories: [TrainingHistory], _ group: String) -> [Report.Block] {
    var quantities = Self.titles
    // Validation attacks have their steps in their name.
    let attacks = Set(histories.flatMap(\.epochs).flatMap(\.keys)).filter {
      $0.hasPrefix("validation/pgd_") && $0.hasSuffix("_accuracy")
    }
    for key in attacks.sorted() {
      let steps = key.dropFirst("validation/pgd_".count).dropLast("_accuracy".count)
      quantities.insert((key, "Validation, PGD-\(steps)", "percent right", 100), at: 1)
    }
    return quantities.compactMap { quantity in
      let series = histories.map {
        Chart.Series($0.name, epochs: $0.epochs, key: quantity.key, scale: quantity.scale)
      }.filter { !$0.points.isEmpty }
      // A single epoch makes no curve.
      guard series.contains(where: { $0.points.count > 1 }) else { return nil }
      return .chart(
        Chart(
          title: "\(quantity.title): \(group)", xAxis: Chart.Axis("epoch", isCount: true),
          yAxis: Chart.Axis(quantity.axis), content: .line(series)))
    }
  }
}
