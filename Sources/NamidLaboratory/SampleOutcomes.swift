/// A network's predictions for every sample, unattacked and attacked.
package struct SampleOutcomes: Hashable, Sendable {
  /// Each sample's index in the split as it lies on disk.
  package var index: [Int]
  /// The true classes.
  package var label: [Int]
  /// The predicted classes of the unattacked images.
  package var clean: [Int]
  /// The predicted classes of the attacked images.
  package var attacked: [Int]
  /// True for each sample that Equation 6 selects: right unattacked, wrong attacked.
  package var isSelected: [Bool]
  /// The batch, from 0, that the sample was measured in.
  package var batch: [Int]

  /// The number of samples.
  package var count: Int { label.count }

  /// Creates outcomes from lists with one entry per sample.
  package init(
    index: [Int], label: [Int], clean: [Int], attacked: [Int], isSelected: [Bool], batch: [Int]
  ) {
    self.index = index
    self.label = label
    self.clean = clean
    self.attacked = attacked
    self.isSelected = isSelected
    self.batch = batch
  }

  /// Returns the places of a group's samples.
  package func members(of group: SampleGroup) -> [Int] {
    label.indices.filter { place in
      switch group {
      case .all: true
      case .right: clean[place] == label[place]
      case .wrong: clean[place] != label[place]
      case .rightAttacked: attacked[place] == label[place]
      case .wrongAttacked: attacked[place] != label[place]
      case .selected: isSelected[place]
      }
    }
  }
}

/// A group of samples that a figure describes.
package enum SampleGroup: String, CaseIterable, Codable, Sendable {
  /// Every sample.
  case all
  /// Samples that are right unattacked.
  case right
  /// Samples that are wrong unattacked.
  case wrong
  /// Samples that are right attacked.
  case rightAttacked = "right-attacked"
  /// Samples that are wrong attacked.
  case wrongAttacked = "wrong-attacked"
  /// Samples that Equation 6 selects.
  case selected

  /// The group in words.
  package var title: String {
    switch self {
    case .all: "all"
    case .right: "right unattacked"
    case .wrong: "wrong unattacked"
    case .rightAttacked: "right attacked"
    case .wrongAttacked: "wrong attacked"
    case .selected: "selected (Equation 6)"
    }
  }
}

/// One kind of mutual information, of the same samples unattacked and attacked, in nats.
package struct InformationPair: Hashable, Sendable {
  /// The values for the outputs of unattacked images.
  package var clean: [Double]
  /// The values for the outputs of attacked images.
  package var attacked: [Double]

  /// Creates a pair from values of the same samples in the same order.
  package init(clean: [Double], attacked: [Double]) {
    precondition(
      clean.count == attacked.count, "\(clean.count) and \(attacked.count) values")
    self.clean = clean
    self.attacked = attacked
  }

  /// Returns the values of some samples.
  package func at(_ places: [Int]) -> InformationPair {
    InformationPair(clean: places.map { clean[$0] }, attacked: places.map { attacked[$0] })
  }
}

/// The pattern whose mutual information with the output is estimated.
package enum InformationKind: String, CaseIterable, Codable, Sendable {
  /// The natural image.
  case natural
  /// The adversarial noise.
  case adversarial

  /// Returns the values expected to be higher and lower: natural MI falls under attack, adversarial MI rises.
  package func expected(_ pair: InformationPair) -> (higher: [Double], lower: [Double]) {
    self == .natural ? (pair.clean, pair.attacked) : (pair.attacked, pair.clean)
  }
}

/// The natural and adversarial mutual information of every sample.
package struct InformationValues: Hashable, Sendable {
  /// The natural MI, I_n(x; h(x)) and I_n(x; h(x̃)).
  package var natural: InformationPair
  /// The adversarial MI, I_a(n; h(x)) and I_a(n; h(x̃)), with the noise n = x̃ − x.
  package var adversarial: InformationPair

  /// Creates values from both kinds.
  package init(natural: InformationPair, adversarial: InformationPair) {
    self.natural = natural
    self.adversarial = adversarial
  }

  /// The values of one kind.
  package subscript(kind: InformationKind) -> InformationPair {
    kind == .natural ? natural : adversarial
  }
}
