import Foundation

/// The process's error output.
public enum Terminal {
  /// True where standard error is a terminal on which a line can be redrawn.
  public static var isInteractive: Bool {
    isInteractive(isTerminal: isatty(STDERR_FILENO) == 1, environment: environment)
  }

  /// True where colours are welcome there.
  public static var usesColor: Bool {
    usesColor(isTerminal: isatty(STDERR_FILENO) == 1, environment: environment)
  }

  /// Its present width; it may change at any time.
  public static var columns: Int {
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return environment["COLUMNS"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil } ?? 80
  }

  /// Writes to standard error; that nobody can read it there is no failure.
  public static func writeError(_ text: String) {
    var rest = Data(text.utf8)
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }

  static func isInteractive(isTerminal: Bool, environment: [String: String]) -> Bool {
    isTerminal && environment["TERM"] != "dumb"
  }

  /// Follows no-color.org: any text in `NO_COLOR`, be it `0`, turns colours off.
  static func usesColor(isTerminal: Bool, environment: [String: String]) -> Bool {
    isInteractive(isTerminal: isTerminal, environment: environment)
      && environment["NO_COLOR", default: ""].isEmpty
  }

  private static var environment: [String: String] { ProcessInfo.processInfo.environment }
}
