import Foundation

/// One line on standard error that shows how far a loop has come.
///
/// On a terminal the line is redrawn in place, at most ten times a second, and cleared at the end.
/// Elsewhere (logs, `TERM=dumb`) a plain line appears now and then.
///
/// ```swift
/// let progress = ProgressLine("epoch 3/14", total: 390)
/// for batch in 0..<390 {
///   …
///   progress.update(batch + 1, notes: [("loss", shortNumber(loss))])
/// }
/// progress.finish()
/// ```
public final class ProgressLine {
  /// The way in which progress is shown.
  public enum Style: Sendable {
    /// One line redrawn in place, for terminals.
    case redrawn
    /// A new line every so many seconds, for logs.
    case lines(every: Double)

    /// The way that suits standard error: redrawn on a terminal, else a line every 30 seconds.
    public static var automatic: Style {
      Terminal.isInteractive ? .redrawn : .lines(every: 30)
    }
  }

  /// The output that progress is shown on, and the clock.
  struct Screen {
    var write: (String) -> Void = Terminal.writeError
    var columns: () -> Int = { Terminal.columns }
    var now: () -> Double = { ProcessInfo.processInfo.systemUptime }
    var color = Terminal.usesColor
  }

  private static let secondsBetweenDrawings = 0.1

  private let style: Style
  private let screen: Screen
  private let start: Double
  private var lastShown: Double?
  private var isDrawn = false
  private var snapshot: ProgressSnapshot

  /// Starts the clock; nothing is shown before the first update.
  ///
  /// - Parameters:
  ///   - title: The name of the work.
  ///   - total: The number of steps, or nil where that is not known.
  ///   - unit: The short name of a step.
  ///   - style: The way in which progress is shown.
  public convenience init(
    _ title: String, total: Int?, unit: String = "it", style: Style = .automatic
  ) {
    self.init(title, total: total, unit: unit, style: style, screen: Screen())
  }

  init(_ title: String, total: Int?, unit: String, style: Style, screen: Screen) {
    self.style = style
    self.screen = screen
    start = screen.now()
    snapshot = ProgressSnapshot(title: title, total: total, unit: unit)
  }

  /// Notes that some steps are done, and shows it unless it was shown a moment ago.
  ///
  /// - Parameters:
  ///   - completed: The number of steps done in all.
  ///   - notes: Names and texts shown after it, the most important first.
  public func update(_ completed: Int, notes: [(name: String, text: String)] = []) {
    let now = screen.now()
    snapshot.completed = completed
    snapshot.notes = notes
    snapshot.elapsed = now - start
    switch style {
    case .redrawn:
      if let lastShown, now - lastShown < Self.secondsBetweenDrawings { return }
      draw()
    case .lines(let interval):
      guard now - (lastShown ?? start) >= interval else { return }
      screen.write(snapshot.plainLine + "\n")
    }
    lastShown = now
  }

  /// Ends the progress and clears its line.
  public func finish() {
    if isDrawn { screen.write("\r\u{1B}[K") }
    isDrawn = false
  }

  private func draw() {
    // The last column stays free: some terminals wrap a line that fills it.
    let line = snapshot.line(columns: screen.columns() - 1, color: screen.color)
    screen.write("\r\(line)\u{1B}[K")
    isDrawn = true
  }
}

/// The progress of a loop at one moment, and its text on one line.
///
/// ```
/// epoch 3/14  78%|███████▊  | 304/390 [00:41<00:11, 7.4 it/s] loss 1.482 cos_n 0.31
/// ```
struct ProgressSnapshot {
  /// The name of the work, as in `epoch 3/14`.
  var title: String
  /// The number of steps done.
  var completed = 0
  /// The number of steps in all, or nil where that is not known.
  var total: Int?
  /// Seconds since the first step began.
  var elapsed = 0.0
  /// The short name of a step.
  var unit = "it"
  /// Names and texts shown at the end, the most important first.
  var notes: [(name: String, text: String)] = []

  /// The moment without a bar, for logs.
  var plainLine: String { line(bar: nil, notes: notes.count) }

  /// Renders the moment on one line of a terminal.
  ///
  /// A line that is too long loses its notes first, the last ones before the others, then the bar,
  /// then the end of the rest.
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
