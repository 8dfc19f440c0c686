import Foundation
import Namid

/// The results of a suite as text.
struct SuiteReport {
  let machine: SuiteMachine
  let settings: SuiteSettings
  var cases: [CaseResult]

  /// Remarks on figures that prove nothing.
  var warnings: [String] {
    var lines: [String] = []
    if settings.isQuick {
      lines.append("Made with --quick: shows that everything runs; the times mean nothing.")
    }
    if machine.isBusy {
      lines.append("Other programs were running when the suite began: read ratios with care.")
    }
    return lines + differingVersions
  }

  /// A title and a table for each part.
  var tables: [(title: String, table: TextTable)] {
    cases.map { ($0.suiteCase.title, SuiteTables.comparison($0)) }
      + [
        // Tiny batches reach nothing and prove nothing.
        (settings.isQuick ? nil : SuiteTables.targets(cases)).map {
          ("What is asked, against the best variant of each peer", $0)
        },
        SuiteTables.roofline(cases).map {
          ("Against the machine's own best matrix multiplication", $0)
        },
        SuiteTables.facts(cases).map { ("The same work", $0) },
      ].compactMap { $0 }
  }

  /// Failures, and programs that do other work than this project's.
  var problems: [String] {
    cases.flatMap { each in
      each.results.compactMap { result in
        result.failure.map { "\(each.suiteCase.name): \(result.contestant.name) failed: \($0)" }
      }
        + each.disagreements.map {
          "\(each.suiteCase.name): \($0.name) has \($0.fact) \(shortNumber($0.found)), not "
            + "\(shortNumber($0.expected)): it does not do the same work"
        }
    }
  }

  /// The report for a terminal.
  var text: String {
    let parts = tables.map { "\($0.title)\n\n\($0.table.text)" }
    return ([header("\n")] + parts + problems.map { "! \($0)\n" }).joined(separator: "\n")
  }

  /// The report as Markdown.
  var markdown: String {
    let parts = tables.map { "## \($0.title)\n\n\($0.table.markdown)" }
    let list = problems.map { "- \($0)\n" }.joined()
    return
      (["# Speed, side by side\n", header("\n\n")] + parts
      + (list.isEmpty ? [] : ["## Problems\n", list]))
      .joined(separator: "\n")
  }

  private func header(_ separator: String) -> String {
    let rounds = settings.repeats == 1 ? "1 round" : "\(settings.repeats) rounds"
    let lines =
      [
        machine.text.replacing("\n", with: separator),
        "\(rounds); medians, in brackets the lowest and highest. A ratio is a peer's time over this "
          + "project's in the same round: above 1, this project is faster.",
      ] + warnings
    return lines.joined(separator: separator) + "\n"
  }

  private var differingVersions: [String] {
    let versions = Set(
      cases.flatMap(\.results).filter { !$0.contestant.isOurs }.compactMap { $0.versions["torch"] })
    return versions.filter { !$0.hasPrefix(machine.libtorch) }.sorted().map {
      "The peers run torch \($0), this project libtorch \(machine.libtorch)."
    }
  }
}
