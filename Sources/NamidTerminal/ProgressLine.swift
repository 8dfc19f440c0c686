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
    snapshot = ProgressSnapshot(title: title, completed: 0, total: total, elapsed: 0, unit: unit)
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

  /// Renders the line for a moment.
  ///
  /// A line that is too long loses its notes first, the last ones before the others, then the bar,
  /// then the end of the rest.
  ///
  /// - Parameters:
  ///   - snapshot: The moment.
  ///   - columns: The most columns that the line takes.
  ///   - color: True for a coloured bar.
  /// - Returns: The line, without carriage return or newline.
  public static func render(
    _ snapshot: ProgressSnapshot, columns: Int, color: Bool = false
  ) -> String {
    snapshot.line(columns: columns, color: color)
  }

  private func draw() {
    // The last column stays free: some terminals wrap a line that fills it.
    let line = snapshot.line(columns: screen.columns() - 1, color: screen.color)
    screen.write("\r\(line)\u{1B}[K")
    isDrawn = true
  }
}
