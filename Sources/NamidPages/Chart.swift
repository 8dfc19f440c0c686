import NamidStatistics

/// A chart as data, without instructions for drawing it.
///
/// Values that are not finite leave a gap in the drawing and are named in the chart's table.
package struct Chart: Sendable {
  package var title: String
  package var xAxis: Axis
  package var yAxis: Axis
  package var content: Content
  /// A sentence under the chart, such as the meaning of the error bars.
  package var caption: String?

  package init(
    title: String, xAxis: Axis = Axis(), yAxis: Axis = Axis(), content: Content,
    caption: String? = nil
  ) {
    self.title = title
    self.xAxis = xAxis
    self.yAxis = yAxis
    self.content = content
    self.caption = caption
  }

  /// The kinds of charts, each with the data it needs.
  package enum Content: Sendable, Equatable {
    /// Points joined in the order given.
    case line([Series])
    /// Bars in groups, one group per category and one bar per series in it.
    case bar(categories: [String], series: [Bars])
    /// Bars that touch, one between each pair of neighbouring edges; series lie over each other.
    case histogram(edges: [Double], series: [Bars])
  }

  /// An axis: its title with the unit, and its limits.
  package struct Axis: Sendable, Encodable {
    package var title: String
    /// The lower end; nil lets the data decide.
    package var minimum: Double?
    /// The upper end; nil lets the data decide.
    package var maximum: Double?
    /// True where only whole numbers are marked, as for epochs.
    package var isCount: Bool

    package init(
      _ title: String = "", minimum: Double? = nil, maximum: Double? = nil, isCount: Bool = false
    ) {
      self.title = title
      self.minimum = minimum
      self.maximum = maximum
      self.isCount = isCount
    }
  }

  /// Points in the order in which a line joins them, with their name in the legend.
  package struct Series: Sendable, Equatable {
    package var name: String
    package var points: [Point]

    package init(_ name: String, points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  /// A position with an optional 95 % interval of its height, drawn as an error bar.
  package struct Point: Sendable, Equatable {
    package var x: Double
    package var y: Double
    package var interval: ConfidenceInterval?

    package init(x: Double, y: Double, interval: ConfidenceInterval? = nil) {
      self.x = x
      self.y = y
      self.interval = interval
    }
  }

  /// Heights, one per category or bin, with their name in the legend.
  package struct Bars: Sendable, Equatable {
    package var name: String
    /// The heights; one that is not finite leaves its place empty.
    package var values: [Double]
    /// 95 % intervals of the heights, drawn as error bars; those left out at the end are absent.
    package var intervals: [ConfidenceInterval?]

    package init(_ name: String, values: [Double], intervals: [ConfidenceInterval?] = []) {
      self.name = name
      self.values = values
      self.intervals = intervals
    }
  }
}

extension Chart.Content {
  /// Counts samples into equal bins that all series share.
  ///
  /// Samples that are not finite, or beyond 1e300, are left out. The last bin includes its upper edge, so every other
  /// sample is counted once. The bins reach from the least to the greatest sample, or over a small stretch around them
  /// where they do not differ.
  package static func histogram(
    of samples: [(name: String, values: [Double])], bins: Int = 30
  ) -> Chart.Content {
    precondition(bins >= 1, "a histogram needs at least 1 bin, not \(bins)")
    // The limit keeps the distance between two samples finite.
    let finite = samples.map { $0.values.filter { abs($0) <= 1e300 } }
    let all = finite.joined()
    var low = all.min() ?? 0
    var high = all.max() ?? 1
    if high - low <= abs(high) * 1e-12 {
      let margin = max(0.5, abs(high) * 1e-6)
      low -= margin
      high += margin
    }
    let span = high - low
    let edges = (0...bins).map { $0 == bins ? high : low + span * (Double($0) / Double(bins)) }
    let series = zip(samples, finite).map { sample, values in
      var counts = [Double](repeating: 0, count: bins)
      for value in values {
        counts[min(bins - 1, Int((value - low) / span * Double(bins)))] += 1
      }
      return Chart.Bars(sample.name, values: counts)
    }
    return .histogram(edges: edges, series: series)
  }
}
