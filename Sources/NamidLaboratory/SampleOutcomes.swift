/// A network's predictions for every sample, unattacked and attacked.
package struct SampleOutcomes: Hashable, Sendable {
  /// Each sample's index in the split as it lies on disk.
  var index: [Int]
  /// The true classes.
  var label: [Int]
  /// The predicted classes of the unattacked images.
  var clean: [Int]
  /// The predicted classes of the attacked images.
  var attacked: [Int]
  /// True for each sample that Equation 6 selects: right unattacked, wrong attacked.
  var isSelected: [Bool]
  /// The batch, from 0, that the sample was measured in.
  var batch: [Int]

  var count: Int { label.count }

  /// Returns the places of a group's samples.
  func members(of group: SampleGroup) -> [Int] {
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
  case all, right, wrong
  case rightAttacked = "right-attacked"
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
  var clean: [Double]
  /// The values for the outputs of attacked images, in the same order of samples.
  var attacked: [Double]

  /// Returns the values of some samples.
  func at(_ places: [Int]) -> InformationPair {
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
  func expected(_ pair: InformationPair) -> (higher: [Double], lower: [Double]) {
    self == .natural ? (pair.clean, pair.attacked) : (pair.attacked, pair.clean)
  }
}

/// The natural and adversarial mutual information of every sample.
package struct InformationValues: Hashable, Sendable {
  /// The natural MI, I_n(x; h(x)) and I_n(x; h(x̃)).
  var natural: InformationPair
  /// The adversarial MI, I_a(n; h(x)) and I_a(n; h(x̃)), with the noise n = x̃ − x.
  var adversarial: InformationPair

  subscript(kind: InformationKind) -> InformationPair { kind == .natural ? natural : adversarial }

  /// The columns of a file of samples.
  package var columns: [(name: String, values: [Double])] {
    [
      ("natural_clean", natural.clean), ("natural_attacked", natural.attacked),
      ("adversarial_clean", adversarial.clean), ("adversarial_attacked", adversarial.attacked),
    ]
  }
}
