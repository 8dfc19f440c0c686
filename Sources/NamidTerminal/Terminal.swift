import Foundation

/// The process's error output.
public enum Terminal {
  /// True where standard error is a terminal on which a line can be redrawn.
  public static var isInteractive: Bool {
    isInteractive(isTerminal: isatty(STDERR_FILENO) == 1, environment: environment)
  }

  /// True where colours may be written to standard error.
  public static var usesColor: Bool {
    usesColor(isTerminal: isatty(STDERR_FILENO) == 1, environment: environment)
  }

  /// The terminal's present width in columns; it may change at any time.
  public static var columns: Int {
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return environment["COLUMNS"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil } ?? 80
  }

  /// Writes to standard error; a failure to write is ignored.
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

  /// Checks that colours are allowed by no-color.org: any text in `NO_COLOR`, even `0`, turns them off.
  static func usesColor(isTerminal: Bool, environment: [String: String]) -> Bool {
    isInteractive(isTerminal: isTerminal, environment: environment)
      && environment["NO_COLOR", default: ""].isEmpty
  }

  private static var environment: [String: String] { ProcessInfo.processInfo.environment }
}
