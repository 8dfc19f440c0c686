/// Known names that a misspelt one may stand for, nearest first.
///
/// - Parameters:
///   - name: What was written.
///   - known: The names that exist.
/// - Returns: Names at most a third of their letters away, or that begin as the written one does.
func nearestNames(to name: String, among known: [String]) -> [String] {
  let written = name.lowercased()
  return
    known
    .map { (name: $0, distance: editDistance(written, $0.lowercased())) }
    .filter {
      $0.distance <= max(2, $0.name.count / 3)
        || (written.count >= 3 && $0.name.lowercased().hasPrefix(written))
    }
    .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
    .prefix(3)
    .map(\.name)
}

/// How many letters must be put in, left out or replaced to make one word the other.
private func editDistance(_ first: String, _ second: String) -> Int {
  let letters = Array(second)
  var row = Array(0...letters.count)
  for (index, letter) in first.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for column in letters.indices {
      let replaced = diagonal + (letters[column] == letter ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
    }
  }
  return row[letters.count]
}
