import Foundation
import NamidStatistics

extension Chart {
  /// The largest number of rows of a chart's table; more would make the file heavy without helping readers.
  static let maximumTableRows = 400

  /// The chart's data as a table, thinned evenly where there are very many rows.
  var table: ReportTable {
    switch content {
    case .line(let series): pointTable(series)
    case .bar(let categories, let series):
      barTable(
        labels: [[xAxis.title]]
          + (0..<Chart.count(categories.count, series)).map { [categories.at($0) ?? ""] }, series)
    case .histogram(let edges, let series):
      barTable(
        labels: [["From", "To"]]
          + zip(edges, edges.dropFirst()).map { [Chart.text($0), Chart.text($1)] },
        series)
    }
  }

  /// Returns the number of groups that hold every category and every bar.
  static func count(_ categories: Int, _ series: [Bars]) -> Int {
    series.reduce(categories) { max($0, $1.values.count) }
  }

  /// Makes a table with one row per horizontal position and one column per series.
  private func pointTable(_ series: [Series]) -> ReportTable {
    let positions = Set(series.flatMap { $0.points.map(\.x) }.filter(\.isFinite)).sorted()
    let heights = series.map { series in
      Dictionary(grouping: series.points, by: \.x).mapValues { points in
        points.map { Chart.text($0.y, $0.interval) }.joined(separator: ", ")
      }
    }
    let rows = positions.map { x in [Chart.text(x)] + heights.map { $0[x] ?? "" } }
    return thinned(
      header: [xAxis.title.isEmpty ? "x" : xAxis.title] + series.map(\.name), rows: rows)
  }

  /// Makes a table with one row per category or bin and one column per series; the first of `labels` is the header.
  private func barTable(labels: [[String]], _ series: [Bars]) -> ReportTable {
    let rows = labels.dropFirst().enumerated().map { index, label in
      label
        + series.map { bars in
          bars.values.at(index).map { Chart.text($0, bars.intervals.at(index) ?? nil) } ?? ""
        }
    }
    return thinned(header: (labels.first ?? []) + series.map(\.name), rows: rows)
  }

  private func thinned(header: [String], rows: [[String]]) -> ReportTable {
    if rows.count <= Chart.maximumTableRows { return ReportTable(header: header, rows: rows) }
    let last = Chart.maximumTableRows - 1
    let kept = (0...last).map { rows[$0 * (rows.count - 1) / last] }
    return ReportTable(
      header: header, rows: kept, caption: "\(kept.count) of \(rows.count) rows.")
  }

  /// Formats a figure with its interval in parentheses.
  static func text(_ value: Double, _ interval: ConfidenceInterval? = nil) -> String {
    figure(value) + (interval.map { " (\(figure($0.low)) to \(figure($0.high)))" } ?? "")
  }

  /// Formats whole numbers, such as steps and counts, in full, and others with five significant digits.
  private static func figure(_ value: Double) -> String {
    let isWhole = value.rounded() == value && abs(value) < 1e15
    return isWhole ? String(Int64(value)) : String(format: "%.5g", value)
  }
}
