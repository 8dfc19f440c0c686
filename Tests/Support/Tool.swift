import Foundation

/// The built command-line tool, run as its users run it.
public enum Tool {
  /// The outcome of a run of the tool.
  public struct Outcome: Sendable {
    /// The exit status; 128 and the signal's number after a signal.
    public var status: Int32
    /// All of standard output.
    public var output: String
    /// All of standard error.
    public var errors: String
  }

  /// The tool: `NAMID_TOOL`, else what was built beside the tests; nil, with a printed reason, where there is none.
  public static let url: URL? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path =
      ProcessInfo.processInfo.environment["NAMID_TOOL"]
      ?? root.appending(path: ".build/release/namid").path
    if FileManager.default.isExecutableFile(atPath: path) { return URL(filePath: path) }
    print("skipped: the tool is not at \(path) (build it with -c release, or set NAMID_TOOL)")
    return nil
  }()

  /// True where there is a tool to test.
  public static var isBuilt: Bool { url != nil }

  /// Runs the tool to its end.
  ///
  /// - Parameters:
  ///   - arguments: The words after the tool's name.
  ///   - folder: The working directory.
  ///   - shell: A bash command before it, such as `ulimit -f 4`.
  ///   - program: Another program beside the tool; nil for the tool.
  /// - Returns: Its status and all that it wrote.
  /// - Throws: When it cannot be started.
  public static func run(
    _ arguments: [String], in folder: URL, after shell: String? = nil, of program: String? = nil
  ) throws -> Outcome {
    let running = try start(arguments, in: folder, after: shell, of: program)
    return try running.wait()
  }

  /// Starts the tool.
  public static func start(
    _ arguments: [String], in folder: URL, after shell: String? = nil, of program: String? = nil
  ) throws -> RunningTool {
    guard let tool = url else { throw CocoaError(.fileNoSuchFile) }
    let url = program.map { tool.deletingLastPathComponent().appending(path: $0) } ?? tool
    let process = Process()
    if let shell {
      process.executableURL = URL(filePath: "/bin/bash")
      process.arguments = ["-c", "\(shell); exec \"$0\" \"$@\"", url.path] + arguments
    } else {
      process.executableURL = url
      process.arguments = arguments
    }
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    // Tiny networks gain nothing from threads, and nothing of the user's own must be found.
    environment["OMP_NUM_THREADS"] = "1"
    environment["NAMID_DATA"] = folder.appending(path: "no-data").path
    process.environment = environment
    return try RunningTool(process)
  }
}

/// The tool at work.
public final class RunningTool {
  private let process: Process
  private let folder: URL

  init(_ process: Process) throws {
    self.process = process
    folder = try makeTemporaryFolder()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try Self.file("output", in: folder)
    process.standardError = try Self.file("errors", in: folder)
    try process.run()
  }

  deinit { remove(folder) }

  /// True until it has ended.
  public var isRunning: Bool { process.isRunning }

  /// Ends it as nothing can be caught.
  public func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }

  /// Waits for its end.
  public func wait() throws -> Tool.Outcome {
    process.waitUntilExit()
    let isSignal = process.terminationReason == .uncaughtSignal
    return Tool.Outcome(
      status: process.terminationStatus + (isSignal ? 128 : 0), output: try text("output"),
      errors: try text("errors"))
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
  }

  // Files, not pipes: nobody has to empty them while the tool runs.
  private static func file(_ name: String, in folder: URL) throws -> FileHandle {
    let url = folder.appending(path: name)
    try Data().write(to: url)
    return try FileHandle(forWritingTo: url)
  }
}
