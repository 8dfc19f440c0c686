/// Writes a span of time as short as people read it: `03:41`, `1h02m`, `2d03h`.
///
/// - Parameter seconds: The span; fractions of a second are dropped.
/// - Returns: The text, or `--:--` for a number that is not finite, negative, or 10⁹ and more.
public func durationText(seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "--:--" }
  let total = Int(seconds)
  let (days, hours, minutes) = (total / 86400, total / 3600, total / 60)
  if days > 0 { return "\(days)d\(twoDigits(hours % 24))h" }
  if hours > 0 { return "\(hours)h\(twoDigits(minutes % 60))m" }
  return "\(twoDigits(minutes)):\(twoDigits(total % 60))"
}

private func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
