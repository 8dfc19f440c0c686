import Foundation
import NamidFiles
import NamidLaboratory
import NamidPages
import NamidSettings
import NamidStatistics
import NamidTorch
import NamidTraining

/// The quickstart's figures as a report.
struct QuickstartReport {
  let rows: [Quickstart.Row]
  let plan: QuickstartPlan
  let texts: any CommandTexts

  var report: Report {
    let epsilon = QuickstartPlan.threat.epsilon
    let torch = TorchEnvironment.read()
    let images = rows.first?.report.dataset
    return Report(
      title: texts.quickstart,
      subtitle: "\(images?.name ?? ""), \(images?.count ?? 0) test images; "
        + "L∞ ball of ε = \(epsilon); seed \(plan.seed); torch \(torch.compiledVersion), \(torch.threads) threads",
      sections: [accuracy, information, examples, training, again])
  }

  private var names: [String] { rows.map(\.name) }
  private var attackName: String { "PGD-\(plan.measuringSteps)" }

  private func bars(_ title: String, _ attack: Int) -> Chart.Bars {
    Chart.Bars(
      title, values: rows.map { 100 * $0.report.attacks[attack].robustAccuracy },
      intervals: rows.map { 100 * $0.report.attacks[attack].interval })
  }

  private var accuracy: Report.Section {
    Report.Section(
      "Accuracy",
      [
        .paragraph(
          "The same network trained three ways. Clean is the share of unattacked test images classified "
            + "correctly, \(attackName) the share still classified correctly under attack."),
        .table(
          ReportTable(
            header: ["training", "clean", attackName, "95 % interval", "spec"],
            rows: rows.map { row in
              let attack = row.report.attacks[1]
              return [
                row.name, Figures.percent(row.report.cleanAccuracy),
                Figures.percent(attack.robustAccuracy),
                Figures.ends(of: attack.interval),
                row.report.specificationHash,
              ]
            }, command: texts.quickstart)),
        .chart(
          Chart(
            title: "Accuracy", yAxis: Chart.Axis("%", minimum: 0, maximum: 100),
            content: .bar(categories: names, series: [bars("clean", 0), bars(attackName, 1)]),
            caption: "Bars with 95 % intervals (Wilson).")),
      ])
  }

  private var information: Report.Section {
    func pair(
      _ title: String, _ pair: KeyPath<MeanInformation, MeanInformation.Pair>
    ) -> Report.Block {
      let values = rows.map { $0.information[keyPath: pair] }
      return .chart(
        Chart(
          title: title, yAxis: Chart.Axis("nats"),
          content: .bar(
            categories: names,
            series: [
              Chart.Bars("clean", values: values.map(\.clean)),
              Chart.Bars("attacked", values: values.map(\.attacked)),
            ])))
    }
    let first = rows.first?.information
    return Report.Section(
      "Mutual information",
      [
        .paragraph(
          "What the two estimators read off each network's outputs, as a mean over \(first?.count ?? 0) images in "
            + "batches of \(first?.batchSize ?? 0). They were trained on the outputs of the network called "
            + "standard, and are neither bounds of the true mutual information nor comparable between batch "
            + "sizes: compare clean with attacked, not networks with each other."),
        pair("Natural MI", \.natural), pair("Adversarial MI", \.adversarial),
      ])
  }

  private var examples: Report.Section {
    let labels = rows.first?.samples.map(\.label) ?? []
    let cells = rows.flatMap { row -> [[ImageGrid.Cell?]] in
      [
        row.samples.map { cell($0.clean, $0.cleanPrediction, $0.label) },
        row.samples.map { cell($0.attacked, $0.attackedPrediction, $0.label) },
        row.samples.map(\.enlargedNoise),
      ]
    }
    return Report.Section(
      "Images and predictions",
      [
        .imageGrid(
          ImageGrid(
            columnHeadings: labels,
            rowHeadings: rows.flatMap {
              ["\($0.name), clean", "\($0.name), attacked", "\($0.name), change"]
            },
            rows: cells,
            caption:
              "The first test image of each class, the strongest attacked version found, and the "
              + "change, enlarged to the full range around gray."
          ))
      ])
  }

  private func cell(_ png: Data, _ prediction: String, _ label: String) -> ImageGrid.Cell? {
    ImageGrid.Cell(
      png: png, caption: prediction, verdict: prediction == label ? .right : .wrong)
  }

  private var training: Report.Section {
    func line(_ title: String, _ axis: String, _ key: String, scale: Double) -> Report.Block {
      .chart(
        Chart(
          title: title, xAxis: Chart.Axis("epoch", isCount: true), yAxis: Chart.Axis(axis),
          content: .line(
            rows.map { Chart.Series($0.name, epochs: $0.history, key: key, scale: scale) })))
    }
    return Report.Section(
      "Training",
      [
        line("Validation accuracy, clean", "%", "validation/clean_accuracy", scale: 100),
        line("Validation accuracy, PGD-10", "%", "validation/pgd_10_accuracy", scale: 100),
        line("Training loss", "mean per batch", "train/loss", scale: 1),
      ])
  }

  private var again: Report.Section {
    Report.Section(
      "Again, and further",
      [.code(([texts.quickstart] + texts.further).joined(separator: "\n"))])
  }
}
