import Foundation

/// Ends this process when the one that has started it ends, however that happens.
///
/// The other process holds the far end of a pipe that is this one's standard input. What a step has saved survives
/// that: everything is written so that a kill at any moment loses nothing.
enum Tether {
  /// The environment variable that says that standard input is such a pipe.
  static let variable = "NAMID_TETHER"

  private static let isThere = ProcessInfo.processInfo.environment[variable] != nil

  /// Says again that standard input is such a pipe, for what this process becomes.
  static func hold() { if isThere { setenv(variable, "1", 1) } }

  /// Watches the pipe if there is one.
  static func attach() {
    guard isThere else { return }
    unsetenv(variable)
    let thread = Thread {
      var byte: UInt8 = 0
      while true {
        let count = read(STDIN_FILENO, &byte, 1)
        if count == 0 { _exit(143) }
        if count < 0 && errno != EINTR { return }
      }
    }
    thread.start()
  }
}
