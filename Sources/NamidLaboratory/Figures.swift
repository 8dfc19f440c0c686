import Foundation
import NamidAttacks
import NamidStatistics

/// The text forms of numbers in reports.
package enum Figures {
  /// Formats a mean with half of its interval: `0.4123 ± 0.0210`.
  package static func nats(_ value: MeanInterval) -> String {
    let half = value.interval.map { String(format: " ± %.4f", ($0.high - $0.low) / 2) } ?? ""
    return number(value.mean) + half
  }

  /// Formats a number with four digits after the point.
  package static func number(_ value: Double) -> String { String(format: "%.4f", value) }

  /// Formats a share as a percentage: `61.2 %`.
  package static func percent(_ share: Double) -> String { String(format: "%.1f %%", 100 * share) }

  /// Formats a share as a percentage with its interval: `61.2 % (58.0 – 64.3)`.
  package static func percent(_ share: SampleShare) -> String {
    if share.total == 0 { return "–" }
    return "\(percent(share.share)) (\(ends(of: share.interval)))"
  }

  /// Formats the two ends of a share's interval in percent: `58.0 – 64.3`.
  package static func ends(of interval: ConfidenceInterval) -> String {
    interval.text { String(format: "%.1f", 100 * $0) }
  }

  /// Formats an area under the ROC curve with its interval: `0.731 (0.702 – 0.758)`.
  package static func area(_ separation: Separation?) -> String {
    guard let separation else { return "–" }
    let number = { (value: Double) in String(format: "%.3f", value) }
    return "\(number(separation.area)) (\(separation.interval.text(number)))"
  }

  /// Formats a difference with its interval: `+0.120 (+0.101 – +0.139)`.
  static func signed(_ value: Double, interval: ConfidenceInterval) -> String {
    let number = { (value: Double) in String(format: "%+.3f", value) }
    return "\(number(value)) (\(interval.text(number)))"
  }

  /// Formats an attack's settings in order of their keys.
  static func settings(_ attack: AttackRecord) -> String {
    AttackList.settingTexts(of: attack.settings).map { "\($0.key)=\($0.text)" }
      .joined(separator: " ")
  }
}
