import Foundation
import NamidReproduction

/// A call of this very tool in another process.
final class StepProcess {
  /// The tool could not be started.
  struct StartError: Error, CustomStringConvertible {
    var reason: String
    var description: String { "the step could not be started: \(reason)" }
  }

  private let child: pid_t
  /// The end of a pipe whose other end the child watches: it ends with this process.
  private let tether: Int32
  private var isTold = false

  /// Starts a call.
  ///
  /// - Parameters:
  ///   - arguments: Words after `namid`.
  ///   - folder: The folder that it runs in.
  ///   - log: The file that what it prints is appended to.
  /// - Throws: `StartError`.
  init(arguments: [String], in folder: URL, log: URL) throws(StartError) {
    guard let tool = Bundle.main.executableURL?.path else {
      throw StartError(reason: "this tool does not know where it lies")
    }
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw StartError(reason: Self.text(errno)) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    do throws(StartError) {
      child = try Self.spawn(tool, arguments, in: folder, log: log, input: ends[0])
    } catch {
      close(ends[1])
      throw error
    }
    tether = ends[1]
  }

  deinit { close(tether) }

  /// Asks for the end of the process, with the memory that it took; nil while it is at work.
  ///
  /// Passes on that this process is told to stop.
  func poll() -> StepEnd? {
    var status: Int32 = 0
    var usage = rusage()
    let ended = wait4(child, &status, WNOHANG, &usage)
    if ended < 0 && errno != EINTR { return StepEnd(.exited(-1)) }
    guard ended == child else {
      if Interruption.received != nil, !isTold {
        // At a terminal it has got the signal itself; a second one does no harm.
        kill(child, SIGTERM)
        isTold = true
      }
      return nil
    }
    let signal = status & 0x7f
    let way: StepEnd.Way =
      Interruption.received != nil && status != 0
      ? .interrupted : signal != 0 ? .signal(signal) : .exited((status >> 8) & 0xff)
    #if os(Linux)
      let unit = 1024
    #else
      let unit = 1
    #endif
    return StepEnd(way, peakMemory: Int(usage.ru_maxrss) * unit)
  }

  private static func spawn(
    _ tool: String, _ arguments: [String], in folder: URL, log: URL, input: Int32
  ) throws(StartError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, log.path, O_WRONLY | O_CREAT | O_APPEND, 0o666)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    var environment = ProcessInfo.processInfo.environment
    environment[Tether.variable] = "1"
    var child = pid_t()
    // Not every system can start a process in another folder; every shell can, and then becomes the tool.
    let shell = ["/bin/sh", "-c", "cd -- \"$0\" && exec \"$@\"", folder.path, tool]
    let status = withCStrings(shell + arguments) { words in
      withCStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
        posix_spawn(&child, shell[0], &actions, nil, words, variables)
      }
    }
    guard status == 0 else { throw StartError(reason: text(status)) }
    return child
  }

  private static func withCStrings<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
