import NamidAttacks
import NamidNetworks
import NamidTorch

/// The claims of an attack on a batch, each checked on the images that it has handed over.
///
/// An image that is claimed to fool the network must be finite, in the box and within the ball, and is classified
/// anew in plain evaluation mode, one forward. A minimum-norm attack may hand over an image outside the ball; that is
/// no claim of having fooled the network within it, but the image's size counts if the network errs on it.
struct ClaimCheck {
  private(set) var verdicts: [Verdict] = []
  /// True where a row's image may be used: its values are valid, its claim was not refused, and it lies within the ball
  /// or fools the judge.
  private(set) var isUsable: [Bool] = []

  /// Checks the result of an attack on a batch; in a transfer, with another network as judge, every image is judged.
  init(
    _ result: AttackResult, of attack: any Attack, batch: Batch, judge: any Classifier,
    isTransfer: Bool
  ) {
    let geometry = Certificate.geometry(of: result.images, from: batch.images, ball: attack.ball)
    let distances = isTransfer ? nil : result.distances
    let epsilon = attack.ball?.epsilon.value ?? .infinity
    // A size comes with its image, or cannot be checked: one well beyond ε is not that of an image within it.
    let isFound = result.fooled.indices.map { row in
      distances.map {
        $0[row].isFinite && !(geometry.isWithin[row] && Double($0[row]) > 1.01 * epsilon + 1e-6)
      } ?? false
    }
    let isClaim = result.fooled.indices.map { isTransfer || result.fooled[$0] || isFound[$0] }
    let candidates = result.fooled.indices.filter { row in
      isClaim[row] && geometry.problems[row] == nil && (geometry.isWithin[row] || isFound[row])
    }
    let wrong = Self.wrong(candidates, of: result.images, batch, judge)
    for row in result.fooled.indices {
      let isWithin = geometry.isWithin[row]
      var verdict = Verdict(
        fooled: isWithin && wrong[row] == true, cost: result.costs[row], seconds: 0)
      if wrong[row] != nil { verdict.cost.forwards += 1 }
      if isClaim[row] {
        let saysBeyond = isFound[row] && distances.map { Double($0[row]) > epsilon } == true
        verdict.problem = geometry.problems[row] ?? (isWithin || saysBeyond ? nil : .norm)
        if verdict.problem == nil, !isTransfer, wrong[row] != true { verdict.problem = .label }
      }
      if let distances, isFound[row] || distances[row] == .infinity {
        let size = geometry.sizes[row].isNaN ? distances[row] : Float(geometry.sizes[row])
        verdict.distance = wrong[row] == true ? size : .infinity
      }
      verdicts.append(verdict)
      isUsable.append(
        geometry.problems[row] == nil && verdict.problem == nil
          && (isWithin || wrong[row] == true))
    }
  }

  /// Checks whether the judge errs on some rows; nil for rows that were not looked at.
  private static func wrong(
    _ rows: [Int], of images: Tensor, _ batch: Batch, _ judge: any Classifier
  ) -> [Bool?] {
    var wrong = [Bool?](repeating: nil, count: images.size(0))
    if rows.isEmpty { return wrong }
    let places = Tensor(rows, shape: [rows.count]).to(images.device)
    let found = Certificate.isWrong(
      images.indexSelect(places), batch.labels.indexSelect(places), on: judge)
    for (row, item) in zip(rows, found) { wrong[row] = item.wrong }
    return wrong
  }
}
