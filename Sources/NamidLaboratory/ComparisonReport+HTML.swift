import NamidInformation
import NamidPages

extension ComparisonReport {
  /// Makes the document with tables, charts and the command that makes it again.
  package func document(command: String) -> Report {
    Report(
      title: "Estimators of Equation 4 and of Equation 5", subtitle: setting.summary,
      sections: [
        Report.Section("What was measured", [.paragraph(Self.question), facts])
      ]
        + attacks.flatMap { $0.sections(command: command, only: attacks.count == 1) })
  }

  private static let question =
    "Pairs of estimators on the same network (the paper's Figure 4): trained by Equation 4, by "
    + "Equation 5, and, as placebos, not at all or on shuffled pairs. Expected is smaller natural MI and "
    + "larger adversarial MI under attack. AUC is the share of all pairs of an unattacked and an "
    + "attacked value in the expected order: 0.5 says nothing, 1 separates perfectly. Equation 4 is "
    + "trained on all samples, as it is printed; Equation 5 on those that Equation 6 selects, with its "
    + "lowered terms floored at 0. What a placebo separates, too, is no sign of mutual information."

  private var facts: Report.Block {
    .facts(
      [
        ("Network", "\(setting.model.name), \(setting.model.checkpoint)"),
        ("Batches", setting.batchSummary), ("Seed", "\(setting.seed)"),
        ("Spec", specificationHash),
      ]
        + (attacks.first?.readings ?? []).map { reading in
          (
            reading.role.rawValue,
            ([reading.estimators.summary] + reading.remarks).joined(separator: "; ")
          )
        })
  }
}

extension AttackComparison {
  fileprivate func sections(command: String, only: Bool) -> [Report.Section] {
    let prefix = only ? "" : "\(attack.name): "
    return [
      Report.Section(
        "\(prefix)Findings",
        [
          .facts([
            ("Attack", "\(attack.name), goal \(attack.goal.rawValue)"),
            ("Settings", Figures.settings(attack)),
            ("Right unattacked", Figures.percent(attack.cleanAccuracy)),
            ("Right attacked", Figures.percent(attack.robustAccuracy)),
            ("Selected by Equation 6", Figures.percent(selected)),
          ]),
          .table(
            ReportTable(
              header: ["question", "answer", "figures"],
              rows: findings.map { [$0.question, $0.answer.rawValue, $0.figures] },
              caption: "Over all samples; an answer is undecided where the 95 % interval holds 0.")),
        ]),
      Report.Section(
        "\(prefix)Separation",
        InformationKind.allCases.flatMap { [means($0, command), separation($0)] }
          + InformationKind.allCases.map(areas)),
      Report.Section(
        "\(prefix)Means, lowest value moved to 0",
        InformationKind.allCases.map(offsets)),
      Report.Section(
        "\(prefix)Distributions",
        readings.flatMap { reading in
          InformationKind.allCases.map { Self.distribution(reading, $0) }
        }),
    ]
  }

  private func means(_ kind: InformationKind, _ command: String) -> Report.Block {
    .table(
      ReportTable(
        header: [
          "estimators", "unattacked", "attacked", "change",
          kind == .natural ? "samples that fall" : "samples that rise", "spec",
        ],
        rows: readings.map { reading in
          let own = reading[kind].summary
          return [reading.role.rawValue] + [own.clean, own.attacked, own.change].map(Figures.nats)
            + [
              Figures.percent(kind == .natural ? own.falls : own.rises), reading.specificationHash,
            ]
        },
        caption: "\(Self.title(kind)) in nats, as estimated, over all \(selected.total) samples; "
          + "95 % intervals over samples.", command: command))
  }

  private func separation(_ kind: InformationKind) -> Report.Block {
    .table(
      ReportTable(
        header: ["estimators", "AUC, all", "AUC, selected", "difference / deviation", "spec"],
        rows: readings.map { reading in
          let own = reading[kind]
          return [
            reading.role.rawValue, Figures.area(own.separation), Figures.area(own.selected),
            own.separation.standardised.map(Figures.number) ?? "–", reading.specificationHash,
          ]
        },
        caption:
          "Separation by \(kind.rawValue) MI, in the expected direction; the last figure is the "
          + "mean difference in its own standard deviations."))
  }

  private static func title(_ kind: InformationKind) -> String {
    kind == .natural ? "Natural MI" : "Adversarial MI"
  }

  private func areas(_ kind: InformationKind) -> Report.Block {
    func bars(_ name: String, _ separation: (EstimatorReading.Kind) -> Separation?) -> Chart.Bars {
      Chart.Bars(
        name, values: readings.map { separation($0[kind])?.area ?? .nan },
        intervals: readings.map { separation($0[kind])?.interval })
    }
    return .chart(
      Chart(
        title: "Separation by \(kind.rawValue) MI", xAxis: Chart.Axis("estimators"),
        yAxis: Chart.Axis("AUC", minimum: 0, maximum: 1),
        content: .bar(
          categories: readings.map(\.role.rawValue),
          series: [bars("all samples") { $0.separation }, bars("selected") { $0.selected }]),
        caption: "0.5 is no separation. Bars with 95 % intervals."))
  }

  private func offsets(_ kind: InformationKind) -> Report.Block {
    .chart(
      Chart(
        title: Self.title(kind), xAxis: Chart.Axis("estimators"),
        yAxis: Chart.Axis("nats above the lowest value"),
        content: .bar(
          categories: readings.map(\.role.rawValue),
          series: [
            Chart.Bars("unattacked", values: readings.map { $0[kind].offset.clean }),
            Chart.Bars("attacked", values: readings.map { $0[kind].offset.attacked }),
          ]),
        caption: "As the paper's Figure 4. Each estimator has its own scale: compare orders, not "
          + "heights."))
  }

  private static func distribution(
    _ reading: EstimatorReading, _ kind: InformationKind
  ) -> Report.Block {
    let values = reading[kind].values
    return .chart(
      Chart(
        title: "\(reading.role.rawValue): \(kind.rawValue) MI", xAxis: Chart.Axis("nats"),
        yAxis: Chart.Axis("samples"),
        content: .histogram(
          of: [("unattacked", values.clean), ("attacked", values.attacked)])))
  }
}
