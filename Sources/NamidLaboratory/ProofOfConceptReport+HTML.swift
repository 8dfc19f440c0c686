import NamidPages

extension ProofOfConceptReport {
  /// Makes the document with tables and charts.
  ///
  /// - Parameter command: The command that makes the document again.
  /// - Returns: The document.
  package func document(command: String) -> Report {
    Report(
      title: "Proof of concept: what standard MI mixes",
      subtitle: setting.summary,
      sections: [
        Report.Section(heading: "What was measured", blocks: [.paragraph(Self.question), facts]),
        Report.Section(
          heading: "Mutual information", blocks: [table(command), differences, means, areas]),
        Report.Section(heading: "Attacks", blocks: [attacks]),
      ])
  }

  private static let question =
    "One estimator, trained on natural images x and their outputs h(x), reads three pairings: x with "
    + "h(x), the attacked image x̃ with h(x̃), and x with h(x̃) (the paper's Appendix B and Figure 2). "
    + "The paper's claim: attacking lowers standard MI, I(x̃; h(x̃)) < I(x; h(x)), and what is left "
    + "still exceeds I(x; h(x̃)), so that standard MI mixes natural and adversarial patterns. The "
    + "estimates are no bounds of the true mutual information."

  private var facts: Report.Block {
    .facts(
      [
        Report.Fact("Network", "\(setting.model.name), \(setting.model.checkpoint), \(training)"),
        Report.Fact("Estimator", estimator.summary),
        Report.Fact("Batches", setting.batchSummary),
        Report.Fact("Seed", "\(setting.seed)"),
        Report.Fact(
          "Lowest reading", "\(Figures.number(offset)) nats, which the paper moves to 0"),
      ] + remarks.map { Report.Fact("Remark", $0) })
  }

  private func table(_ command: String) -> Report.Block {
    .table(
      ReportTable(
        header: ["attack", "I(x; h(x))", "I(x̃; h(x̃))", "I(x; h(x̃))", "spec"],
        rows: rows.map { row in
          [row.attack.name] + [row.natural, row.standard, row.crossed].map(Figures.nats)
            + [row.specificationHash]
        },
        caption: "Means over samples in nats, as estimated, with 95 % intervals over samples.",
        command: command))
  }

  private var differences: Report.Block {
    .table(
      ReportTable(
        header: [
          "attack", "I(x; h(x)) − I(x̃; h(x̃))", "positive", "I(x̃; h(x̃)) − I(x; h(x̃))", "positive",
          "spec",
        ],
        rows: rows.map { row in
          [
            row.attack.name, Figures.nats(row.loss), Figures.percent(row.losing),
            Figures.nats(row.confused), Figures.percent(row.confusing), row.specificationHash,
          ]
        },
        caption: "Differences sample by sample: means, and the share of samples where they are "
          + "positive, with 95 % intervals."))
  }

  private var means: Report.Block {
    .chart(
      Chart(
        title: "Three pairings", xAxis: Chart.Axis("attack"), yAxis: Chart.Axis("nats"),
        content: .bar(
          categories: rows.map(\.attack.name),
          series: [
            bars("I(x; h(x))", \.natural), bars("I(x̃; h(x̃))", \.standard),
            bars("I(x; h(x̃))", \.crossed),
          ]), caption: "Means with 95 % intervals over samples."))
  }

  private var areas: Report.Block {
    .chart(
      Chart(
        title: "Differences, sample by sample", xAxis: Chart.Axis("attack"),
        yAxis: Chart.Axis("nats"),
        content: .bar(
          categories: rows.map(\.attack.name),
          series: [
            bars("I(x; h(x)) − I(x̃; h(x̃))", \.loss),
            bars("I(x̃; h(x̃)) − I(x; h(x̃))", \.confused),
          ]),
        caption: "The second is the shaded area of Figure 2. Means with 95 % intervals."))
  }

  private func bars(_ name: String, _ value: (Row) -> MeanInterval) -> Chart.Bars {
    Chart.Bars(
      name, values: rows.map { value($0).mean },
      intervals: rows.map { value($0).interval.map(Chart.Interval.init) })
  }

  private var attacks: Report.Block {
    .table(
      ReportTable(
        header: [
          "attack", "goal", "settings", "right unattacked", "right attacked", "I(Y; Ŷ) unattacked",
          "I(Y; Ŷ) attacked",
        ],
        rows: rows.map { row in
          [
            row.attack.name, row.attack.goal.rawValue, Figures.settings(row.attack),
            Figures.percent(row.attack.cleanAccuracy), Figures.percent(row.attack.robustAccuracy),
            Figures.number(row.labelsClean.corrected), Figures.number(row.labelsAttacked.corrected),
          ]
        },
        caption: "I(Y; Ŷ) of labels and predicted classes in nats, plug-in with Miller and Madow's "
          + "correction."))
  }
}
