import Foundation

/// Writes a number with at most four significant digits, as in `1.482`, `0.31` or `2.1e-05`.
public func shortNumber(_ value: Double) -> String { String(format: "%.4g", value) }

/// Writes a span of time as short as people read it: `03:41`, `1h02m`, `2d03h`.
///
/// Fractions of a second are dropped; a number that is not finite, negative, or 10⁹ and more becomes `--:--`.
public func durationText(seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "--:--" }
  let total = Int(seconds)
  let (days, hours, minutes) = (total / 86400, total / 3600, total / 60)
  if days > 0 { return "\(days)d\(twoDigits(hours % 24))h" }
  if hours > 0 { return "\(hours)h\(twoDigits(minutes % 60))m" }
  return "\(twoDigits(minutes)):\(twoDigits(total % 60))"
}

private func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

/// Formats a count with commas between thousands: `100,000`.
package func thousands(_ count: Int) -> String {
  count.formatted(.number.locale(Locale(identifier: "en_US")))
}
