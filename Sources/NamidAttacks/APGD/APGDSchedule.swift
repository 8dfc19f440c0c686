/// After which steps APGD looks at its progress and may halve the step (L∞ and L2).
///
/// Both begin with 22 % of the steps and shorten the windows to 6 %; they agree for 100 and 200 steps.
public enum APGDSchedule: String, CaseIterable, Codable, Sendable {
  /// Windows of whole steps, as in the authors' code: what published figures were made with. Rounding down makes
  /// the windows of short runs so narrow that the step is halved almost every time.
  case code
  /// The paper's formula: w_j = ⌈p_j·n⌉ with p_0 = 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j − p_{j−1} − 0.03, 0.06).
  case paper

  /// The checkpoints among the steps 1 to `steps`, rising, each once.
  public func checkpoints(steps: Int) -> [Int] {
    let unit = self == .code ? max(steps * 3 / 100, 1) : 3
    let narrowest = self == .code ? max(steps * 6 / 100, 1) : 6
    let end = self == .code ? steps : 100
    // In steps for the code, in hundredths of the run for the paper: whole numbers, so nothing is rounded twice.
    var window = self == .code ? max(steps * 22 / 100, 1) : 22
    var place = window
    var found: [Int] = []
    while place <= end {
      let step = self == .code ? place : (place * steps + 99) / 100
      if step != found.last { found.append(step) }
      window = max(window - unit, narrowest)
      place += window
    }
    return found
  }
}
