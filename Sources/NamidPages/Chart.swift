import NamidStatistics

/// A chart as data, without instructions for drawing it.
///
/// Values that are not finite leave a gap in the drawing and are named in the chart's table.
package struct Chart: Sendable, Equatable, Codable {
  /// The title of the chart.
  package var title: String
  /// The horizontal axis.
  package var xAxis: Axis
  /// The vertical axis.
  package var yAxis: Axis
  /// The kind of chart with its series.
  package var content: Content
  /// A sentence under the chart, such as the meaning of the error bars.
  package var caption: String?

  /// Makes a chart.
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
  package enum Content: Sendable, Equatable, Codable {
    /// Points joined in the order given.
    case line([Series])
    /// Bars in groups, one group per category and one bar per series in it.
    case bar(categories: [String], series: [Bars])
    /// Bars that touch, one between each pair of neighbouring edges; series lie over each other.
    case histogram(edges: [Double], series: [Bars])
  }

  /// An axis: its title and limits.
  package struct Axis: Sendable, Equatable, Codable {
    /// The quantity on the axis, with its unit.
    package var title: String
    /// The lower end; nil lets the data decide.
    package var minimum: Double?
    /// The upper end; nil lets the data decide.
    package var maximum: Double?
    /// True where only whole numbers are marked, as for epochs.
    package var isCount: Bool

    /// Makes an axis.
    package init(
      _ title: String = "", minimum: Double? = nil, maximum: Double? = nil, isCount: Bool = false
    ) {
      self.title = title
      self.minimum = minimum
      self.maximum = maximum
      self.isCount = isCount
    }
  }

  /// Named points.
  package struct Series: Sendable, Equatable, Codable {
    /// The name in the legend.
    package var name: String
    /// The points, in the order in which a line joins them.
    package var points: [Point]

    /// Makes a series of the given points.
    package init(_ name: String, points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  /// A position with an optional interval around its height.
  package struct Point: Sendable, Equatable, Codable {
    /// The horizontal position.
    package var x: Double
    /// The height.
    package var y: Double
    /// The 95 % interval of the height, drawn as an error bar.
    package var interval: Interval?

    /// Makes a point.
    package init(x: Double, y: Double, interval: Interval? = nil) {
      self.x = x
      self.y = y
      self.interval = interval
    }
  }

  /// Named heights, one per category or bin.
  package struct Bars: Sendable, Equatable, Codable {
    /// The name in the legend.
    package var name: String
    /// The heights; one that is not finite leaves its place empty.
    package var values: [Double]
    /// 95 % intervals of the heights, drawn as error bars; those left out at the end are absent.
    package var intervals: [Interval?]

    /// Makes a series of bars.
    package init(_ name: String, values: [Double], intervals: [Interval?] = []) {
      self.name = name
      self.values = values
      self.intervals = intervals
    }
  }

  /// The two ends of an interval.
  package struct Interval: Sendable, Equatable, Codable {
    /// The lower end.
    package var low: Double
    /// The upper end.
    package var high: Double

    /// Makes an interval from a 95 % interval.
    package init(_ interval: ConfidenceInterval) { self.init(interval.low, interval.high) }

    /// Makes an interval; ends given in the wrong order are exchanged.
    package init(_ low: Double, _ high: Double) {
      self.low = low > high ? high : low
      self.high = low > high ? low : high
    }
  }
}
