import Foundation

/// A program under measurement: started, asked for measurements one at a time, and ended.
final class PeerProcess {
  /// The reason why a program gives no answer.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The program to start, with its arguments and added variables.
  struct Launch {
    var executable: URL
    var arguments: [String]
    var environment: [String: String] = [:]
  }

  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private let complaints: URL
  private var buffer = Data()
  /// When the process was started.
  let begin: ContinuousClock.Instant

  /// Starts a program; throws `Failure` when it cannot be started.
  init(_ launch: Launch) throws {
    complaints = FileManager.default.temporaryDirectory
      .appending(path: "namid-peer-\(UUID().uuidString).log")
    try Data().write(to: complaints)
    process.executableURL = launch.executable
    process.arguments = launch.arguments
    process.environment = ProcessInfo.processInfo.environment
      .merging(launch.environment) { _, new in new }
    process.standardInput = requests
    process.standardOutput = answers
    process.standardError = try FileHandle(forWritingTo: complaints)
    begin = .now
    do {
      try process.run()
    } catch {
      try? FileManager.default.removeItem(at: complaints)
      throw Failure(
        description: "\(launch.executable.path) cannot be started: \(error.localizedDescription)")
    }
  }

  deinit { try? FileManager.default.removeItem(at: complaints) }

  /// Waits until the program is ready; throws `Failure` or `PeerLineError`.
  func ready(within limit: Duration) throws -> (
    facts: [String: Double], versions: [String: String]
  ) {
    guard case .ready(let facts, let versions) = try message(within: limit) else {
      throw Failure(description: "it sent a measurement before it was ready")
    }
    return (facts, versions)
  }

  /// Asks for a measurement: seconds of the work, and the most memory so far.
  ///
  /// Throws `Failure` or `PeerLineError`.
  func measure(within limit: Duration) throws -> (seconds: Double, peakBytes: Double?) {
    do {
      try requests.fileHandleForWriting.write(contentsOf: Data("measure\n".utf8))
    } catch {
      throw Failure(description: ended())
    }
    guard case .measurement(let seconds, let peak) = try message(within: limit) else {
      throw Failure(description: "it said twice that it was ready")
    }
    return (seconds, peak)
  }

  /// Lets the program end, and ends it where it does not.
  func close() {
    try? requests.fileHandleForWriting.close()
    if hasEnded(within: .seconds(10)) { return }
    kill(process.processIdentifier, SIGKILL)
    _ = hasEnded(within: .seconds(2))
  }

  /// Waits for the end, but not for ever: helpers that a program leaves behind can hide that it is gone.
  private func hasEnded(within limit: Duration) -> Bool {
    let deadline = ContinuousClock.now + limit
    while process.isRunning, .now < deadline { usleep(5_000) }
    return !process.isRunning
  }

  /// Waits for the program's end; throws `Failure` when its status is not 0.
  func waitForSuccess() throws {
    try requests.fileHandleForWriting.close()
    _ = try answers.fileHandleForReading.readToEnd()
    process.waitUntilExit()
    if process.terminationStatus != 0 || process.terminationReason != .exit {
      throw Failure(description: ended())
    }
  }

  private func message(within limit: Duration) throws -> PeerLine {
    let deadline = ContinuousClock.now + limit
    while true {
      let line = try PeerLine.parse(line(before: deadline))
      if line != .chatter { return line }
    }
  }

  /// The next line of standard output.
  private func line(before deadline: ContinuousClock.Instant) throws -> String {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: buffer[buffer.startIndex..<end], as: UTF8.self)
        buffer = Data(buffer[buffer.index(after: end)...])
        return line
      }
      let handle = answers.fileHandleForReading
      var request = pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0)
      let count = poll(&request, 1, 200)
      if count > 0 {
        let data = handle.availableData
        if data.isEmpty { throw Failure(description: ended()) }
        buffer.append(data)
        // A program that prints without an end has gone wrong.
        if buffer.count > 1 << 20 { throw Failure(description: "it prints without end") }
      } else if .now > deadline {
        kill(process.processIdentifier, SIGKILL)
        throw Failure(description: "it gave no answer in time and was ended")
      }
    }
  }

  /// The status with which the program ended, and its last words.
  private func ended() -> String {
    guard hasEnded(within: .seconds(10)) else {
      return "it closed its output" + ShortCommand.lastWords(complaints)
    }
    let how = process.terminationReason == .uncaughtSignal ? "signal" : "status"
    return "it ended with \(how) \(process.terminationStatus)"
      + ShortCommand.lastWords(complaints)
  }
}
