/// Counts the columns that a text takes on a terminal.
///
/// East Asian and most pictorial characters take two, combining marks and control characters none.
///
/// - Parameter text: A text of one line.
/// - Returns: The number of columns.
public func displayWidth(_ text: String) -> Int {
  text.reduce(0) { $0 + displayWidth($1) }
}

/// Cuts a text to the longest start that fits into some columns, ending in `…` where it was cut.
///
/// - Parameters:
///   - text: A text of one line.
///   - columns: The most columns that the result takes.
/// - Returns: The text itself where it fits.
public func truncated(_ text: String, toColumns columns: Int) -> String {
  guard displayWidth(text) > columns else { return text }
  guard columns > 0 else { return "" }
  var result = ""
  var room = columns - 1
  for character in text {
    room -= displayWidth(character)
    if room < 0 { break }
    result.append(character)
  }
  return result + "…"
}

private func displayWidth(_ character: Character) -> Int {
  guard let scalar = character.unicodeScalars.first else { return 0 }
  switch scalar.properties.generalCategory {
  case .control, .format, .nonspacingMark, .enclosingMark: return 0
  default: return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
  }
}

/// The blocks whose characters are wide or full-width by Unicode's annex 11.
private let wideRanges: [ClosedRange<UInt32>] = [
  0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
  0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
  0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
]
