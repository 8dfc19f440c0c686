import Foundation
import NamidEvaluation
import NamidNetworks
import NamidPages
import NamidTerminal

/// The limits of a card's figures, in sentences.
struct LimitText {
  let facts: CardFacts

  /// The sentences, one limit per entry.
  var sentences: [String] {
    autoAttack + choice + extent + copies + size
      + [
        "Not measured: other radii and norms than those in the table, other data sets, images from "
          + "elsewhere, corruptions and everything else that the table does not name. The figures "
          + "say nothing about them.",
        facts.isImported
          ? "The licence of the weights is not known."
          : "One run with seed \(facts.configuration.seed): nothing is known about the spread between "
            + "runs. No licence is stated for the weights.",
      ]
  }

  private var autoAttack: [String] {
    if facts.evaluations.isEmpty {
      return ["Nothing was measured on test images: neither accuracy nor robustness is known."]
    }
    guard let headline = HeadlineMeasurement(facts), let attack = headline.autoAttack else {
      return [
        "AutoAttack was not measured on test images of \(Markdown.plain(facts.dataTitle)) within "
          + "\(facts.ball): robust accuracy under other attacks is an upper bound."
      ]
    }
    guard let all = facts.published(.test), attack.total < all else { return [] }
    return [
      "AutoAttack was measured on \(thousands(attack.total)) of \(thousands(all)) test images only."
    ]
  }

  /// The sentence about a checkpoint that validation chose and that was not measured.
  private var choice: [String] {
    let epochs = Set(facts.evaluations.compactMap(RunEvaluations.epoch))
    guard let best = facts.latest.best?.epoch, !epochs.isEmpty, !epochs.contains(best) else {
      return []
    }
    return ["Epoch \(best), which validation chose, was not measured: the figures are of others."]
  }

  private var extent: [String] {
    guard let all = facts.published(.test) else { return [] }
    let parts = facts.evaluations.filter {
      facts.isOwnData($0) && $0.dataset.split == "test" && $0.dataset.count < all
    }
    if parts.isEmpty { return [] }
    let most = parts.map(\.dataset.count).max() ?? 0
    let whole = facts.evaluations.contains { facts.isOwnData($0) && $0.dataset.count == all }
    return [
      (whole ? "Some measurements use" : "Every measurement uses")
        + " at most \(thousands(most)) of the \(thousands(all)) test images; the intervals say what that "
        + "leaves open."
    ]
  }

  /// The sentences about data sets that are copies or parts of the published one.
  private var copies: [String] {
    let titles = Set(facts.evaluations.filter(facts.isOwnData).map(\.dataset.name))
      .subtracting([facts.dataTitle])
    return titles.sorted().map { title in
      "Measured on \(Markdown.plain(title)), not on \(Markdown.plain(facts.dataTitle)) as it was "
        + "published: figures on the published images may differ."
    }
  }

  private var size: [String] {
    if facts.isImported { return [] }
    var parts: [String] = []
    let usual = facts.catalog.architecture(facts.specification.architecture)?.defaultWidth
    if let usual, facts.specification.width < usual {
      parts.append("a network of base width \(facts.specification.width), usual is \(usual)")
    }
    let epochs = facts.latest.epoch
    // The paper's experiments and most others have about a hundred.
    if epochs < 50 { parts.append("\(epochs) \(epochs == 1 ? "epoch" : "epochs") of training") }
    if let limit = facts.configuration.data.limit, let all = facts.published(.train),
      limit < all / 2
    {
      parts.append("\(thousands(limit)) of \(thousands(all)) training images")
    }
    if parts.isEmpty { return [] }
    return [
      "A small experiment (\(parts.joined(separator: "; "))): not to be compared with published "
        + "figures of full size."
    ]
  }
}
