import Dispatch
import Foundation

/// Runs programs of the system: a package manager, a downloader, an unpacker.
enum Command {
  /// A failure of a program, in its own last words.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a program of the search path to its end, without a shell; `meanwhile` is called about once a second.
  ///
  /// - Throws: `Failure` when it cannot start or ends with another status than 0.
  static func run(
    _ name: String, _ arguments: [String], in folder: URL, meanwhile: () -> Void = {}
  ) throws {
    // Not in that folder: the output may be that its disk is full.
    let log = FileManager.default.temporaryDirectory
      .appendingPathComponent("\(name)-\(UUID().uuidString).log")
    guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
      throw Failure(description: "\(log.path) cannot be written")
    }
    let output = try FileHandle(forWritingTo: log)
    defer {
      try? output.close()
      try? FileManager.default.removeItem(at: log)
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    do {
      try process.run()
    } catch {
      throw Failure(description: "\(name) cannot be started: \(Files.reason(error))")
    }
    while ended.wait(timeout: .now() + 1) == .timedOut { meanwhile() }
    guard process.terminationStatus != 0 else { return }
    // /usr/bin/env says 127 when there is no such program.
    guard process.terminationStatus != 127 else {
      throw Failure(description: "the program \(name) is not installed")
    }
    let text = String(
      decoding: (try? Data(contentsOf: log))?.suffix(2_000) ?? Data(), as: UTF8.self)
    // The last line is often "a subprocess failed"; those before say why. Retries repeat lines.
    var seen: Set<Substring> = []
    let words = text.split(whereSeparator: \.isNewline).filter { seen.insert($0).inserted }
      .suffix(3).joined(separator: "; ")
    throw Failure(
      description: words.isEmpty ? "\(name) ended with status \(process.terminationStatus)" : words)
  }
}
