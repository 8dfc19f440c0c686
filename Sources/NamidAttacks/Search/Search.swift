import NamidNetworks
import NamidTorch

/// An attack on a batch under way: its verdicts, the best image of each sample so far, and the passes made.
///
/// All passes through the network go through here and are counted for the samples that they are made for. The
/// network is frozen (evaluation mode, weights without gradients) and nothing is recorded for gradients outside
/// `point(at:of:loss:)`.
public final class Search {
  let classifier: any Classifier
  /// The unattacked images (N, C, H, W), float32 in [0, 1].
  public let images: Tensor
  /// Their classes (N), int64.
  public let labels: Tensor
  /// One random stream per sample.
  public let streams: [RandomStream]
  /// The end of the work on a sample.
  public internal(set) var goal: Goal
  /// The logits of the unattacked images (N, classes).
  public let cleanLogits: Tensor
  /// Samples on which the network errs, unattacked or on an image that was noted.
  public private(set) var fooled: [Bool]
  /// The smallest perturbations, of attacks that look for them.
  var smallest: SmallestFound?
  private var costs: [Cost]
  private let best: Slots
  private let bestLoss: Slots

  /// Runs an attack: `body` is given the search when the unattacked images have been classified, one forward each.
  static func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal, body: (Search) -> Void
  ) -> AttackResult {
    let classifier = Pacing.suited(classifier, to: images.device)
    return classifier.frozen {
      withoutGrad {
        let search = Search(
          on: classifier, images: images, labels: labels, streams: streams, goal: goal)
        body(search)
        let smallest = search.smallest
        return AttackResult(
          images: smallest?.images ?? search.best.values,
          fooled: smallest?.fooled ?? search.fooled, costs: search.costs,
          distances: smallest?.distances)
      }
    }
  }

  private init(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) {
    self.classifier = classifier
    self.images = images
    self.labels = labels
    self.streams = streams
    self.goal = goal
    cleanLogits = classifier.logits(images)
    fooled = misclassified(cleanLogits, labels).bools()
    costs = fooled.map { _ in Cost(forwards: 1) }
    best = Slots(images)
    bestLoss = Slots(.full([fooled.count], -Double.infinity, device: images.device))
  }

  /// The samples still to be worked on: those not fooled, or all when the strongest images are sought.
  public var survivors: Rows {
    let samples = fooled.indices.filter { goal == .strongest || !fooled[$0] }
    return Rows(samples, images: images, labels: labels)
  }

  /// The classes (N) that a targeted attack aims at, one after the other: those that the unattacked images are nearest
  /// to.
  ///
  /// - Parameter count: The most classes; there are never more than all but the label.
  /// - Returns: One tensor per rank, the likeliest class first.
  public func rivals(_ count: Int) -> [Tensor] {
    let ranked = cleanLogits.withoutLabels(labels)
      .topk(min(count, cleanLogits.size(1) - 1)).indices
    return (0..<ranked.size(1)).map { ranked.select(1, $0) }
  }

  // MARK: Passes through the network

  /// The logits (rows, classes) of `current`, without a gradient; `asQuery` for an attacker who only sees scores.
  public func logits(_ current: Tensor, of rows: Rows, asQuery: Bool = false) -> Tensor {
    charge(Cost(forwards: 1, queries: asQuery ? 1 : 0), to: rows)
    return classifier.logits(current)
  }

  /// The logits (rows, classes) of images, to be counted by the caller when it knows for whom.
  func uncountedLogits(_ images: Tensor) -> Tensor { classifier.logits(images) }

  /// The network at `current`, ready for a gradient of `loss`, which maps logits to one value per row.
  public func point(at current: Tensor, of rows: Rows, loss: (Tensor) -> Tensor) -> Point {
    charge(Cost(forwards: 1), to: rows)
    return Point(classifier, at: current, loss: loss)
  }

  /// The gradient (rows, C, H, W) of the summed losses at a point, row-major: sums over an image then have one order.
  public func gradient(at point: Point, of rows: Rows) -> Tensor {
    charge(Cost(backwards: 1), to: rows)
    return point.gradient().contiguous()
  }

  /// Counts passes for each of some rows.
  func charge(_ cost: Cost, to rows: Rows) {
    for sample in rows.samples { costs[sample] += cost }
  }

  /// Counts the passes that another attack has made for each of some rows.
  func charge(_ spent: [Cost], to rows: Rows) {
    for (sample, cost) in zip(rows.samples, spent) { costs[sample] += cost }
  }

  // MARK: Findings

  /// Records an iterate that has been evaluated; returns the rows to go on with, after one question to the device.
  ///
  /// - Parameters:
  ///   - current: The images (rows, C, H, W).
  ///   - logits: Their logits.
  ///   - losses: One value per row, larger for stronger images.
  ///   - rows: The samples that they belong to.
  /// - Returns: The rows that are not fooled; all of them when the strongest images are sought.
  @discardableResult
  public func note(_ current: Tensor, logits: Tensor, losses: Tensor, of rows: Rows) -> Kept {
    let wrong = misclassified(logits, rows.labels)
    take(current, wrong: wrong, losses: losses, of: rows)
    return settle(wrong.bools(), of: rows)
  }

  /// Keeps those of some images that are better than what is known, without a question to the device.
  ///
  /// A sample keeps the first image that fools the network, any other the one of the largest loss so far; when the
  /// strongest images are sought, only the loss counts. A loss that is not a number is no improvement.
  ///
  /// - Parameters:
  ///   - current: The images (rows, C, H, W).
  ///   - wrong: A mask of those on which the network errs (rows).
  ///   - losses: One value per row, larger for stronger images.
  ///   - rows: The samples that they belong to.
  ///   - counted: A mask of the images that count (rows); nil for all.
  public func take(
    _ current: Tensor, wrong: Tensor, losses: Tensor, of rows: Rows, counted: Tensor? = nil
  ) {
    let improves = losses .> bestLoss.at(rows.places)
    let isBetter = goal == .strongest ? improves : wrong .| improves
    let target = best.target(rows.places, where: counted.map { isBetter .& $0 } ?? isBetter)
    best.put(current, at: target)
    bestLoss.put(losses, at: target)
  }

  /// Records the verdicts of some rows; returns the rows to go on with, as `note` does.
  public func settle(_ wrong: [Bool], of rows: Rows) -> Kept {
    for (row, sample) in rows.samples.enumerated() where wrong[row] { fooled[sample] = true }
    return goal == .strongest
      ? .all(rows.count) : Kept(wrong.map { !$0 }, device: images.device)
  }
}

/// A network at some images, before its gradient is taken.
public struct Point {
  private let input: Tensor
  private let losses: Tensor
  /// The logits (N, classes), without history.
  public let logits: Tensor
  /// The losses (N), without history.
  public let values: Tensor

  init(_ classifier: any Classifier, at images: Tensor, loss: (Tensor) -> Tensor) {
    let input = images.detach()
    input.requiresGrad = true
    let (logits, losses) = withGrad {
      let logits = classifier.logits(input)
      return (logits, loss(logits))
    }
    self.input = input
    self.losses = losses
    self.logits = logits.detach()
    values = losses.detach()
  }

  /// The gradient of the losses with respect to the images, laid out as the network leaves it; elements that are not
  /// finite become 0.
  ///
  /// Losses are summed, not averaged: a mean over a large batch would push gradients towards underflow.
  func gradient() -> Tensor { gradient(weighting: losses.onesLike()) }

  /// The gradient of the sum of all losses, each times a weight; if `isLast` is false, the point can be asked again.
  func gradient(weighting weights: Tensor, isLast: Bool = true) -> Tensor {
    withGrad { grad(of: losses, wrt: [input], outputGradient: weights, retainGraph: !isLast)[0] }
      .nanToNum(posinf: 0, neginf: 0)
  }
}

/// The smallest perturbations that a search has found.
struct SmallestFound {
  /// Sizes (N): 0 for images wrong unattacked, infinity where none was found.
  var distances: [Float]
  /// The images, where they are not those that the search has kept.
  var images: Tensor?
  /// Verdicts, where they are not those of the search.
  var fooled: [Bool]?
}

/// A mask of the samples that a network gets wrong (N), from logits (N, classes) and labels (N).
///
/// Logits that are not numbers are wrong: a network that breaks down on an image does not classify it.
func misclassified(_ logits: Tensor, _ labels: Tensor) -> Tensor {
  (logits.argmax(1) .!= labels) .| logits.sum([1]).isfinite().logicalNot()
}
