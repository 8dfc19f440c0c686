import NamidEvaluation
import NamidLaboratory
import NamidTerminal

/// The figures of several runs for people: each run's table, then what they came to.
struct RepeatedText {
  private let report: RepeatedReport

  init(_ report: RepeatedReport) {
    self.report = report
  }

  var text: String {
    let runs = report.runs.map { "\($0.model.name)\n" + EvaluationText($0).text + "\n" }
    return runs.joined()
      + "\(report.runs.count) runs, mean ± standard deviation between runs (percent)\n" + table.text
  }

  private var table: TextTable {
    var table = TextTable(["attack", "right", "least", "most"])
    for (place, line) in report.summary.enumerated() {
      let values = report.runs.compactMap { run in
        place < run.attacks.count
          ? run.attacks[place].robustAccuracy : run.worstCase?.share.accuracy
      }
      table.append([
        line.name, line.robustAccuracy.text(times: 100, digits: 1),
        Figures.percent(values.min() ?? .nan), Figures.percent(values.max() ?? .nan),
      ])
    }
    return table
  }
}
