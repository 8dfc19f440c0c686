import Foundation

/// Runs programs of the system that end soon and say little, or that talk to the user while they work.
enum ShortCommand {
  /// The reason why a program did not do its work.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a program to its end and gives back what it has written, without the last newline.
  ///
  /// - Parameters:
  ///   - program: Its path, or its name on the search path.
  ///   - arguments: Its arguments; no shell reads them.
  ///   - isShown: True where its output goes to standard error instead, for programs that take long.
  /// - Returns: Its standard output.
  /// - Throws: `Failure` when it cannot be started or ends with another status than 0, with its last words.
  @discardableResult
  static func output(
    _ program: String, _ arguments: [String], isShown: Bool = false
  ) throws(Failure) -> String {
    let process = Process()
    // `env` finds names on the search path, and says 127 for what is not there.
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardInput = FileHandle.nullDevice
    let folder = FileManager.default.temporaryDirectory
    let files = ["output", "errors"].map {
      folder.appending(path: "namid-\(UUID().uuidString).\($0)")
    }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    do {
      for file in files { try Data().write(to: file) }
      process.standardOutput =
        isShown ? FileHandle.standardError : try FileHandle(forWritingTo: files[0])
      process.standardError = try FileHandle(forWritingTo: files[1])
      try process.run()
    } catch {
      throw Failure(description: "\(program) cannot be started: \(error.localizedDescription)")
    }
    process.waitUntilExit()
    if process.terminationStatus == 127 {
      throw Failure(description: "there is no program \(program)")
    }
    guard process.terminationStatus == 0, process.terminationReason == .exit else {
      throw Failure(
        description:
          "\(program) ended with status \(process.terminationStatus)\(lastWords(files[1]))")
    }
    let text = (try? String(contentsOf: files[0], encoding: .utf8)) ?? ""
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The last lines of a file of complaints, after a colon; nothing where there are none.
  static func lastWords(_ file: URL, lines: Int = 3) -> String {
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    let words = text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.suffix(lines)
    return words.isEmpty ? "" : ": " + words.joined(separator: " / ")
  }
}
