/// Finds the word that was probably meant.
///
/// Case, `_` and `-` do not count, a swap of neighbouring letters counts as one mistake; a word
/// that differs in more than a third of its letters is no suggestion, unless it begins one.
///
/// - Parameters:
///   - word: The word as it was written.
///   - candidates: The words that would have been understood.
/// - Returns: The nearest candidate (the first of several equally near ones), or nil.
public func nearest(_ word: String, among candidates: [String]) -> String? {
  let letters = plainLetters(word)
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let other = plainLetters(candidate)
    let allowed = max(1, max(letters.count, other.count) / 3)
    let distance = editDistance(letters, other)
    if distance <= allowed, distance < max(letters.count, other.count),
      distance < best?.distance ?? .max
    {
      best = (distance, candidate)
    }
  }
  return best?.candidate
    ?? candidates.first { letters.count >= 3 && plainLetters($0).starts(with: letters) }
}

private func plainLetters(_ word: String) -> [Character] {
  word.lowercased().filter { $0 != "_" && $0 != "-" }
}

/// Insertions, deletions, substitutions and swaps of neighbours that lead from one to the other.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for (row, letter) in left.enumerated() {
    var current = [row + 1]
    for (column, other) in right.enumerated() {
      var cost = min(last[column + 1] + 1, current[column] + 1)
      cost = min(cost, last[column] + (letter == other ? 0 : 1))
      if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
        cost = min(cost, beforeLast[column - 1] + 1)
      }
      current.append(cost)
    }
    (beforeLast, last) = (last, current)
  }
  return last[right.count]
}
