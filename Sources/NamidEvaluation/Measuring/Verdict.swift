import NamidAttacks
import NamidTorch

/// The outcome of an attack on one sample, after its claim was checked.
struct Verdict: Hashable, Sendable {
  /// True where the network errs on an image that the attacker may use.
  var fooled: Bool
  /// The reason why the attack's claim was refused; of an unattacked image, that its logits are not numbers.
  var problem: Certificate.Problem?
  /// The attack's passes and the one that checked its claim.
  var cost: Cost
  /// The size of the smallest perturbation found that fools the network; nil where none is looked for, or where its
  /// image was not handed over.
  var distance: Float?
  /// The sample's share of the time.
  var seconds: Double
}

/// The verdicts of one attack on a batch of samples, and the images that go with them.
struct Chunk {
  /// The samples' places in the data set.
  var samples: [Int]
  /// One verdict per sample.
  var verdicts: [Verdict]
  /// The rows that have an image.
  var imageRows: [Int] = []
  /// Their images (rows, C, H, W), float32, on the CPU; nil when there are none.
  var images: Tensor?
}

/// All verdicts of one attack so far.
struct MemberResults {
  private(set) var verdicts: [Int: Verdict] = [:]
  private(set) var images: [(samples: [Int], images: Tensor)] = []

  /// Adds the verdicts of samples that have none yet.
  mutating func append(_ chunk: Chunk, keepsImages: Bool) {
    for (sample, verdict) in zip(chunk.samples, chunk.verdicts) where verdicts[sample] == nil {
      verdicts[sample] = verdict
    }
    if keepsImages, let tensor = chunk.images {
      images.append((chunk.imageRows.map { chunk.samples[$0] }, tensor))
    }
  }

  /// The cost of all verdicts together.
  var cost: Cost { verdicts.values.reduce(Cost()) { $0 + $1.cost } }
}
