/// Fields of comma-separated values: one line per record, as `SampleFile` and tables write them.
public enum CSV {
  /// A record as a line without its end; fields with commas, quotes or line ends are quoted.
  public static func line(_ fields: [String]) -> String {
    fields.map { field in
      guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
      return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }.joined(separator: ",")
  }

  /// The fields of a line; quoted ones may hold commas and doubled quotes, but no line ends.
  public static func fields(_ line: Substring) -> [String] {
    var fields = [""]
    var isQuoted = false
    var hasJustClosed = false
    for character in line where character != "\r" {
      if character == "\"" {
        if hasJustClosed { fields[fields.count - 1].append(character) }
        hasJustClosed = isQuoted
        isQuoted.toggle()
        continue
      }
      hasJustClosed = false
      if character == ",", !isQuoted {
        fields.append("")
      } else {
        fields[fields.count - 1].append(character)
      }
    }
    return fields
  }
}
