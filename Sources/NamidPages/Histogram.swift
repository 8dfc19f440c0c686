extension Chart.Content {
  /// Counts samples into equal bins that all series share.
  ///
  /// Samples that are not finite, or beyond 1e300, are left out. The last bin includes its upper
  /// edge, so every other sample is counted once.
  /// - Parameters:
  ///   - samples: names with their samples.
  ///   - bins: the number of bins, at least 1.
  /// - Returns: a histogram from the least to the greatest sample, or of a small stretch around
  ///   them where they do not differ.
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
