import Foundation

/// The progress of a loop at one moment, and its text on one line.
///
/// ```
/// epoch 3/14  78%|███████▊  | 304/390 [00:41<00:11, 7.4 it/s] loss 1.482 cos_n 0.31
/// ```
public struct ProgressSnapshot: Sendable {
  /// The name of the work, as in `epoch 3/14`.
  public var title: String

  /// The number of steps done.
  public var completed: Int

  /// The number of steps in all, or nil where that is not known.
  public var total: Int?

  /// Seconds since the first step began.
  public var elapsed: Double

  /// The short name of a step.
  public var unit: String

  /// Names and texts shown at the end, the most important first.
  public var notes: [(name: String, text: String)]

  /// Describes a moment.
  public init(
    title: String, completed: Int, total: Int?, elapsed: Double, unit: String = "it",
    notes: [(name: String, text: String)] = []
  ) {
    self.title = title
    self.completed = completed
    self.total = total
    self.elapsed = elapsed
    self.unit = unit
    self.notes = notes
  }

  /// The moment without a bar, for logs.
  var plainLine: String { line(bar: nil, notes: notes.count) }

  /// Renders the moment on one line of a terminal, see ``ProgressLine/render(_:columns:color:)``.
  func line(columns: Int, color: Bool = false) -> String {
    let bar = bar(cells: 10)
    for count in stride(from: notes.count, through: 0, by: -1) {
      guard displayWidth(line(bar: bar, notes: count)) <= columns else { continue }
      let shown = color ? bar.map { "\u{1B}[36m\($0)\u{1B}[0m" } : bar
      return line(bar: shown, notes: count)
    }
    return truncated(line(bar: nil, notes: 0), toColumns: columns)
  }

  private func line(bar: String?, notes count: Int) -> String {
    var line = title.isEmpty ? "" : title + " "
    if let total, total > 0 {
      line += bar.map { "\(percent)|\($0)| " } ?? "\(percent) "
      line += "\(completed)/\(total) [\(durationText(seconds: elapsed))<\(remaining), \(rate)]"
    } else {
      line += "\(completed) \(unit) [\(durationText(seconds: elapsed)), \(rate)]"
    }
    for note in notes.prefix(count) { line += " \(note.name) \(note.text)" }
    return line
  }

  private var fraction: Double? {
    guard let total, total > 0 else { return nil }
    return min(1, max(0, Double(completed) / Double(total)))
  }

  private var percent: String {
    // 100 % is said of nothing that still has a step to go.
    let percent = fraction.map { $0 < 1 ? min(99, Int(($0 * 100).rounded())) : 100 } ?? 0
    return String(repeating: " ", count: percent < 10 ? 2 : percent < 100 ? 1 : 0) + "\(percent)%"
  }

  private func bar(cells: Int) -> String? {
    guard let fraction else { return nil }
    let eighths = Int(fraction * Double(8 * cells))
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let full = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    return full + String(repeating: " ", count: cells - full.count)
  }

  private var stepsPerSecond: Double? {
    completed > 0 && elapsed > 0 ? Double(completed) / elapsed : nil
  }

  private var remaining: String {
    guard let stepsPerSecond, let total else { return "?" }
    return durationText(seconds: Double(max(0, total - completed)) / stepsPerSecond)
  }

  private var rate: String {
    guard let stepsPerSecond else { return "? \(unit)/s" }
    if stepsPerSecond >= 100 { return "\(Int(stepsPerSecond.rounded())) \(unit)/s" }
    if stepsPerSecond >= 1 { return String(format: "%.1f \(unit)/s", stepsPerSecond) }
    return String(format: "%.1f s/\(unit)", 1 / stepsPerSecond)
  }
}

/// Writes a number with at most four significant digits, as in `1.482`, `0.31` or `2.1e-05`.
///
/// - Parameter value: The number.
/// - Returns: The text.
public func shortNumber(_ value: Double) -> String { String(format: "%.4g", value) }
