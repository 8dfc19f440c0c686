import Foundation
import Namid

/// The tables of a suite's report.
enum SuiteTables {
  // MARK: One comparison

  /// Times of all programs and their ratios over each of this project's.
  static func comparison(_ result: CaseResult) -> TextTable {
    let ours = result.ours
    let over = ours.count < 2 ? ["ratio"] : ours.map { "over \($0.contestant.name)" }
    var table = TextTable(
      ["program", unit(result.suiteCase)] + over,
      alignments: [.left] + Array(repeating: .right, count: over.count + 1))
    for each in result.results {
      let measured = each.spread.map { value($0, of: result.suiteCase) }
      let ratios = ours.map { mine in
        mine.contestant == each.contestant
          ? "1" : Spread.ratios(of: each.values, over: mine.values).map(ratio) ?? "-"
      }
      table.append(
        [each.contestant.name, measured ?? (each.failure == nil ? "-" : "failed")]
          + (over.count == ratios.count ? ratios : ["-"]))
    }
    return table
  }

  /// The unit of a comparison's values.
  static func unit(_ suiteCase: SuiteCase) -> String {
    switch suiteCase.quantity {
    case .peakBytes: "MB"
    case .startSeconds: "s"
    case .secondsPerTeraflop: "s per 10¹² operations"
    case .seconds: suiteCase.images == nil ? "ms" : "ms per image"
    }
  }

  private static func value(_ spread: Spread, of suiteCase: SuiteCase) -> String {
    let factor: Double =
      switch suiteCase.quantity {
      case .peakBytes: 1e-6
      case .startSeconds, .secondsPerTeraflop: 1
      case .seconds: 1e3 / Double(suiteCase.images ?? 1)
      }
    return texts([spread.median, spread.lowest, spread.highest].map { $0 * factor })
  }

  /// A ratio with its ends.
  static func ratio(_ spread: Spread) -> String {
    texts([spread.median, spread.lowest, spread.highest])
  }

  private static func texts(_ values: [Double]) -> String {
    let words = values.map { value in
      value >= 100
        ? String(format: "%.0f", value)
        : String(format: value >= 10 ? "%.1f" : value >= 0.1 ? "%.2f" : "%.4f", value)
    }
    return words[1] == words[2] ? words[0] : "\(words[0]) (\(words[1])–\(words[2]))"
  }

  // MARK: All comparisons

  /// The targets, asked and measured; nil where none was measured.
  static func targets(_ cases: [CaseResult]) -> TextTable? {
    var table = TextTable(
      ["work", "peer", "asked", "measured", "reached"],
      alignments: [.left, .left, .right, .right, .left])
    var isEmpty = true
    for target in SuiteTarget.all {
      guard let found = cases.first(where: { $0.suiteCase.name == target.caseName }),
        found.suiteCase.contestants.contains(where: { $0.kind == target.kind })
      else { continue }
      isEmpty = false
      let measured = found.ratio(over: target.kind)
      table.append([
        target.caseName, target.kind, String(format: "%.2f", target.ratio),
        measured.map(ratio) ?? "-",
        measured.map { $0.median >= target.ratio ? "yes" : "no" } ?? "-",
      ])
    }
    if let share = shares(cases).first(where: { $0.precision == "bfloat16" && $0.width == 64 }) {
      isEmpty = false
      table.append([
        "attack-w64", "matmul bfloat16", String(format: "%.2f", SuiteTarget.share),
        String(format: "%.2f", share.share), share.share >= SuiteTarget.share ? "yes" : "no",
      ])
    }
    return isEmpty ? nil : table
  }

  /// Achieved operations per second beside the machine's best; nil where no matrix product was measured.
  static func roofline(_ cases: [CaseResult]) -> TextTable? {
    let best = bestRates(cases)
    if best.isEmpty { return nil }
    var table = TextTable(
      ["work", "precision", "GFLOP/s", "share"], alignments: [.left, .left, .right, .right])
    for precision in best.keys.sorted() {
      table.append([
        "matrix multiplication", precision, String(format: "%.0f", (best[precision] ?? 0) / 1e9),
        "100 %",
      ])
    }
    for each in shares(cases) {
      table.append([
        "attack, width \(each.width)", each.precision, String(format: "%.0f", each.rate / 1e9),
        String(format: "%.0f %%", 100 * each.share),
      ])
    }
    return table
  }

  /// The facts that each program sent of its work, which show that it was the same; nil where none sent any.
  static func facts(_ cases: [CaseResult]) -> TextTable? {
    let shown = ["attacked_loss", "training_loss", "clean_share", "robust_share"]
    var table = TextTable(
      ["work", "program"] + shown.map { $0.replacing("_", with: " ") },
      alignments: [.left, .left])
    var isEmpty = true
    for each in cases where each.suiteCase.mode == .served {
      for result in each.results {
        let facts = shown.map { result.facts[$0] }
        if facts.allSatisfy({ $0 == nil }) { continue }
        isEmpty = false
        table.append(
          [each.suiteCase.name, result.contestant.name]
            + facts.map { $0.map { String(format: "%.4f", $0) } ?? "" })
      }
    }
    return isEmpty ? nil : table
  }

  /// An attack's rate and its share of the machine's best in the same precision.
  struct RateShare: Equatable {
    let width: Int
    let precision: String
    let rate: Double
    let share: Double
  }

  /// The shares that this project's attacks reach.
  static func shares(_ cases: [CaseResult]) -> [RateShare] {
    let best = bestRates(cases)
    return [16, 64].flatMap { width -> [RateShare] in
      guard let found = cases.first(where: { $0.suiteCase.name == "attack-w\(width)" }) else {
        return []
      }
      return found.ours.compactMap { result in
        guard let precision = precision(of: result), let rate = result.rate,
          let limit = best[precision]
        else { return nil }
        return RateShare(width: width, precision: precision, rate: rate, share: rate / limit)
      }
    }
  }

  /// The best rate of matrix multiplication by precision, whoever reached it.
  private static func bestRates(_ cases: [CaseResult]) -> [String: Double] {
    var best: [String: Double] = [:]
    let products = cases.filter { $0.suiteCase.quantity == .secondsPerTeraflop }
    for result in products.flatMap(\.results) {
      guard let precision = precision(of: result), let spread = result.spread else { continue }
      best[precision] = max(1e12 / spread.lowest, best[precision] ?? 0)
    }
    return best
  }

  private static func precision(of result: ContestantResult) -> String? {
    result.contestant.name.split(separator: " ").last.map(String.init)
  }
}
