import Foundation
import NamidStatistics

/// The data that the report's script needs to draw one chart, as JSON.
///
/// JSON knows no value that is not finite: such a value becomes null, which the charting
/// library leaves out.
struct ChartPayload: Encodable {
  enum Kind: String, Encodable { case line, bar, histogram, binned }

  struct Series: Encodable {
    var name: String
    /// Horizontal positions; empty for bars, which stand at their category or bin.
    var x: [Double?] = []
    var y: [Double?]
    /// Pairs of lower and upper end, or null.
    var intervals: [[Double]?]
  }

  var kind: Kind
  var x: Chart.Axis
  var y: Chart.Axis
  var categories: [String] = []
  var edges: [Double] = []
  var series: [Series]

  init(_ chart: Chart) {
    x = chart.xAxis.finite
    y = chart.yAxis.finite
    switch chart.content {
    case .line(let series):
      kind = .line
      self.series = series.map { series in
        Series(
          name: series.name, x: series.points.map(\.x.finite), y: series.points.map(\.y.finite),
          intervals: series.points.map { $0.interval?.finiteEnds })
      }
    case .bar(let names, let bars):
      kind = .bar
      let count = Chart.count(names.count, bars)
      categories = names + [String](repeating: "", count: count - names.count)
      series = bars.map { Self.series($0, count: count) }
    case .histogram(let limits, let bars):
      // Bars on a numeric axis all get one width, so unequal bins stand on named places.
      kind = Self.areEven(limits) ? .histogram : .binned
      let pairs = Array(zip(limits, limits.dropFirst()))
      if kind == .histogram {
        edges = limits
      } else {
        categories = pairs.map { "\(Chart.text($0.0)) – \(Chart.text($0.1))" }
      }
      series = bars.map { Self.series($0, count: pairs.count) }
    }
  }

  /// True where there is a finite value to draw.
  var hasData: Bool { series.contains { $0.y.contains { $0 != nil } } }

  /// Encodes the payload as JSON text; equal charts give equal text.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  private static func series(_ bars: Chart.Bars, count: Int) -> Series {
    Series(
      name: bars.name,
      y: (0..<count).map { bars.values.at($0)?.finite },
      intervals: (0..<count).map { bars.intervals.at($0)??.finiteEnds })
  }

  private static func areEven(_ edges: [Double]) -> Bool {
    guard let low = edges.first, let high = edges.last, edges.count >= 2 else { return false }
    let width = (high - low) / Double(edges.count - 1)
    guard width.isFinite, width > 0 else { return false }
    return zip(edges, edges.dropFirst()).allSatisfy { abs($1 - $0 - width) < 1e-3 * width }
  }
}

extension Chart.Axis {
  /// The axis without limits that are not finite.
  fileprivate var finite: Chart.Axis {
    Chart.Axis(title, minimum: minimum?.finite, maximum: maximum?.finite, isCount: isCount)
  }
}

extension ConfidenceInterval {
  /// The two ends, or nil where one of them is not finite.
  fileprivate var finiteEnds: [Double]? { low.isFinite && high.isFinite ? ends : nil }
}

extension Double {
  /// The value, or nil where it is not finite.
  fileprivate var finite: Double? { isFinite ? self : nil }
}
