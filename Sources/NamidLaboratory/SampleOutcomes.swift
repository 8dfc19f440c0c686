/// What a network says of every sample, unattacked and attacked.
package struct SampleOutcomes: Hashable, Sendable {
  /// Each sample's index in the split as it lies on disk.
  package var index: [Int]
  /// Classes.
  package var label: [Int]
  /// Predicted classes of the unattacked images.
  package var clean: [Int]
  /// Predicted classes of the attacked images.
  package var attacked: [Int]
  /// Whether Equation 6 selects the sample: right unattacked, wrong attacked.
  package var isSelected: [Bool]
  /// The batch, from 0, that the sample was measured in.
  package var batch: [Int]

  /// How many samples there are.
  package var count: Int { label.count }

  /// Outcomes of samples.
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

  /// The places of a group's samples.
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

/// Samples that a figure is of.
package enum SampleGroup: String, CaseIterable, Codable, Sendable {
  /// Every sample.
  case all
  /// Right unattacked.
  case right
  /// Wrong unattacked.
  case wrong
  /// Right attacked.
  case rightAttacked = "right-attacked"
  /// Wrong attacked.
  case wrongAttacked = "wrong-attacked"
  /// Selected by Equation 6.
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
  /// Of the outputs for unattacked images.
  package var clean: [Double]
  /// Of the outputs for attacked images.
  package var attacked: [Double]

  /// Values in the same order.
  package init(clean: [Double], attacked: [Double]) {
    precondition(
      clean.count == attacked.count, "\(clean.count) and \(attacked.count) values")
    self.clean = clean
    self.attacked = attacked
  }

  /// The values of some samples.
  package func at(_ places: [Int]) -> InformationPair {
    InformationPair(clean: places.map { clean[$0] }, attacked: places.map { attacked[$0] })
  }
}

/// Which of two patterns mutual information is with.
package enum InformationKind: String, CaseIterable, Codable, Sendable {
  /// The natural image.
  case natural
  /// The adversarial noise.
  case adversarial

  /// How values are expected to order: natural MI falls under attack, adversarial MI rises.
  package func expected(_ pair: InformationPair) -> (higher: [Double], lower: [Double]) {
    self == .natural ? (pair.clean, pair.attacked) : (pair.attacked, pair.clean)
  }
}

/// Natural and adversarial mutual information of every sample.
package struct InformationValues: Hashable, Sendable {
  /// I_n(x; h(x)) and I_n(x; h(x̃)).
  package var natural: InformationPair
  /// I_a(n; h(x)) and I_a(n; h(x̃)), with the noise n = x̃ − x.
  package var adversarial: InformationPair

  /// Values of samples.
  package init(natural: InformationPair, adversarial: InformationPair) {
    self.natural = natural
    self.adversarial = adversarial
  }

  /// The values of one kind.
  package subscript(kind: InformationKind) -> InformationPair {
    kind == .natural ? natural : adversarial
  }
}
