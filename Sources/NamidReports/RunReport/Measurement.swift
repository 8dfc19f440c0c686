import Foundation
import NamidEvaluation
import NamidLaboratory
import NamidPages
import NamidTerminal

/// An evaluation as a report shows it.
struct Measurement {
  /// The name of the network, without the attacks.
  var network: String
  /// The address of the file with the figures.
  var link: String
  var report: EvaluationReport
}

/// Curves of robust accuracy over the radius, from attacks that look for the smallest perturbation.
struct RobustnessCurves {
  let measurements: [Measurement]

  /// The section; nil where no such attack was run.
  var section: Report.Section? {
    let curves = measurements.flatMap { measurement in
      measurement.report.attacks.compactMap { attack -> (title: String, line: Chart.Series)? in
        guard let reading = attack.minimumNorm, reading.radii.count > 1 else { return nil }
        let report = measurement.report
        let points = zip(reading.radii, reading.accuracies).map {
          Chart.Point(x: $0, y: 100 * $1)
        }
        return (
          "\(attack.name): \(report.dataset.name), \(report.threat.norm.rawValue), "
            + "\(report.dataset.count) images", Chart.Series(measurement.network, points: points)
        )
      }
    }
    if curves.isEmpty { return nil }
    return Report.Section(
      "Robustness over ε",
      [
        .paragraph(
          "The share of images without a perturbation of at most ε that misleads the network, as far as one "
            + "run of an attack that looks for the smallest perturbation has found.")
      ]
        + curves.grouped(by: \.title).map { title, curves in
          .chart(
            Chart(
              title: title, xAxis: Chart.Axis("ε", minimum: 0),
              yAxis: Chart.Axis("percent right", minimum: 0, maximum: 100),
              content: .line(curves.map(\.line))))
        })
  }
}

/// The cost of every measurement, attack by attack.
struct CostLedger {
  let measurements: [Measurement]

  /// The section; nil without measurements.
  var section: Report.Section? {
    if measurements.isEmpty { return nil }
    let attacks = measurements.flatMap { measurement in
      measurement.report.attacks.map { (measurement, $0) }
    }
    let seconds = attacks.reduce(0) { $0 + $1.1.seconds }
    let forwards = attacks.reduce(0) { $0 + $1.1.forwards }
    let backwards = attacks.reduce(0) { $0 + $1.1.backwards }
    return Report.Section(
      "What measuring has cost",
      [
        .paragraph(
          "Passes are counted per image that went through a network. In all \(thousands(forwards)) forward and "
            + "\(thousands(backwards)) backward passes in \(durationText(seconds: seconds)); the times are of "
            + "whatever else the machine did, too."),
        .table(
          ReportTable(
            header: [
              "network", "attack", "images", "right", "forward / image", "backward / image",
              "queries / image", "seconds", "ms / image",
            ],
            cells: attacks.map { row($0.0, $0.1) }, numericColumns: Set(2...8))),
      ])
  }

  private func row(_ measurement: Measurement, _ attack: AttackReport) -> [ReportTable.Cell] {
    let count = Double(max(1, attack.total))
    func figure(_ value: Double, _ digits: Int) -> ReportTable.Cell {
      ReportTable.Cell(String(format: "%.\(digits)f", value), value: value)
    }
    return [
      ReportTable.Cell(measurement.network), ReportTable.Cell(attack.name),
      figure(Double(attack.total), 0),
      ReportTable.Cell(
        Figures.percent(attack.robustAccuracy), link: measurement.link,
        value: attack.robustAccuracy),
      figure(Double(attack.forwards) / count, 1), figure(Double(attack.backwards) / count, 1),
      figure(Double(attack.queries) / count, 1), figure(attack.seconds, 1),
      figure(1000 * attack.seconds / count, 1),
    ]
  }
}
