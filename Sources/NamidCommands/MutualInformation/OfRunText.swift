import Foundation
import NamidLaboratory
import NamidSettings
import NamidTerminal

/// The figures of `namid mi of` for people.
struct OfRunText {
  let report: InformationReport

  var text: String {
    var lines = [report.setting.summary]
    if let estimators = report.estimators {
      lines.append("estimators: \(estimators.summary)")
      lines.append(report.setting.batchSummary)
    }
    lines += report.remarks.map { "remark: the estimators were \($0)" }
    return lines.map { $0 + "\n" }.joined() + report.attacks.map(text).joined()
      + (report.estimators == nil ? "" : Self.legend)
  }

  private static let legend =
    "means in nats, as estimated, ± 95 % over samples; fall, rise: samples whose value does under "
    + "attack; positive: values above 0, in the order of the four columns\n"

  private func text(_ information: AttackInformation) -> String {
    var text =
      "\n\(information.attack.line(selecting: information.selected)); "
      + "spec \(information.specificationHash)\n"
    if let groups = information.groups { text += table(groups) }
    let (clean, attacked) = (information.labelsClean, information.labelsAttacked)
    text +=
      "I(Y; Ŷ) \(Figures.number(clean.corrected)) → \(Figures.number(attacked.corrected)) nats, "
      + "bias corrected (plug-in \(Figures.number(clean.plugIn)) → "
      + "\(Figures.number(attacked.plugIn)))\n"
    return text
  }

  private func table(_ groups: [GroupSummary]) -> String {
    var table = TextTable([
      "samples", "n", "I_n(x;h(x))", "I_n(x;h(x̃))", "fall", "I_a(n;h(x))", "I_a(n;h(x̃))", "rise",
      "positive",
    ])
    for group in groups {
      guard let natural = group.natural, let adversarial = group.adversarial else {
        table.append(
          [group.group.title, "0"] + Array(repeating: "–", count: 7))
        continue
      }
      let share = { (share: SampleShare) in String(format: "%.0f %%", 100 * share.share) }
      let positive = [
        natural.positiveClean, natural.positiveAttacked, adversarial.positiveClean,
        adversarial.positiveAttacked,
      ].map { String(format: "%.0f", 100 * $0.share) }.joined(separator: " ")
      table.append([
        group.group.title, "\(group.count)", Figures.nats(natural.clean),
        Figures.nats(natural.attacked), share(natural.falls), Figures.nats(adversarial.clean),
        Figures.nats(adversarial.attacked), share(adversarial.rises), positive + " %",
      ])
    }
    return table.text
  }
}
