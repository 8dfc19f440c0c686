/// A command line for a shell.
public enum ShellWords {
  /// Joins words on one line, quoted where a shell would read something else.
  public static func line(_ words: [String]) -> String {
    words.map { word in
      let isPlain =
        !word.isEmpty
        && word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0) }
      return isPlain ? word : quoted(word)
    }.joined(separator: " ")
  }

  private static func quoted(_ word: String) -> String {
    "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
