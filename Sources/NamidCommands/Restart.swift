import Foundation

/// A new beginning of this very process with fewer images at once.
///
/// Finished batches lie on disk, and results do not depend on the batch size: the same command line goes on where it
/// was, under the same process number.
enum Restart {
  private static let variable = "NAMID_IMAGES_AT_ONCE"

  /// The most images at once, where this process has begun anew.
  static let batchSize = ProcessInfo.processInfo.environment[variable].flatMap(Int.init)

  /// Reads what the process was told before it began anew; its children are not meant.
  static func note() {
    _ = batchSize
    unsetenv(variable)
  }

  /// Begins anew; comes back only where the system refuses.
  static func again(batchSize: Int) {
    guard let tool = Bundle.main.executableURL?.path else { return }
    setenv(variable, "\(batchSize)", 1)
    Tether.hold()
    fflush(nil)
    let words = CommandLine.arguments.map { strdup($0) }
    execv(tool, words + [nil])
  }
}
