/// Counts of successes with their uncertainty.
public enum Statistics {
  /// Wilson's 95 % interval of a proportion (Wilson, 1927); (0, 1) without samples.
  public static func wilson95(_ successes: Int, of total: Int) -> (low: Double, high: Double) {
    guard total > 0 else { return (0, 1) }
    let z = 1.959963984540054
    let n = Double(total)
    let p = Double(successes) / n
    let center = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return (max(center - half, 0), min(center + half, 1))
  }

  /// The middle value, or the mean of the two in the middle; nil of nothing, infinite where one of them is.
  public static func median(_ values: [Double]) -> Double? {
    let sorted = values.sorted()
    if sorted.isEmpty { return nil }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
