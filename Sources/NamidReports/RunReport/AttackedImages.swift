import Foundation
import NamidData
import NamidInformation
import NamidNetworks
import NamidPages
import NamidTorch

/// The mean mutual information that estimators read from a network's outputs, in nats.
package struct MeanInformation: Sendable {
  /// The means for the outputs of unattacked and of attacked images.
  package typealias Pair = (clean: Double, attacked: Double)

  package var natural: Pair
  package var adversarial: Pair
  /// The number of samples averaged over.
  var count: Int
  /// The number of samples per batch; estimates depend on it.
  var batchSize: Int
}

/// A test image, unattacked and attacked, with a network's predictions.
struct SampleImage: Sendable {
  var clean: Data
  var attacked: Data
  /// The change, enlarged to the full range around gray.
  var noise: Data
  /// The factor by which the change is enlarged.
  var enlargement: Double
  var label: String
  var cleanPrediction: String
  var attackedPrediction: String

  /// The change as an image, with its factor as caption, or “none” where nothing was changed.
  var enlargedNoise: ImageGrid.Cell {
    ImageGrid.Cell(
      png: noise,
      caption: enlargement < 1e6 ? String(format: "×%.0f", enlargement) : "none")
  }
}

/// Images of a data set, their attacked versions, and the network that was attacked.
struct AttackedImages {
  private let set: ImageSet
  private let tensors: ImageTensors
  private let attacked: Tensor
  private let network: Network

  init(_ set: ImageSet, attacked: Tensor, network: Network) {
    self.set = set
    tensors = ImageTensors(set, device: network.store.device)
    self.attacked = attacked.to(network.store.device)
    self.network = network
  }

  /// Measures the means that estimators read from the outputs, over full batches of one size.
  func information(_ estimators: EstimatorPair, batchSize: Int) -> MeanInformation {
    var values = MutualInformationValues()
    for indices in tensors.batches(of: min(batchSize, set.count), dropLast: true) {
      let images = tensors.batch(indices).images
      let rows = Tensor(indices, shape: [indices.count]).to(attacked.device)
      let others = attacked.indexSelect(rows)
      let (natural, adversarial) = withoutGrad {
        (network.logits(images), network.logits(others))
      }
      values.append(
        estimators.measure(
          images: images, attacked: others, naturalLogits: natural,
          adversarialLogits: adversarial))
    }
    let mean = { (list: [Float]) in
      list.isEmpty ? 0 : list.reduce(0) { $0 + Double($1) } / Double(list.count)
    }
    return MeanInformation(
      natural: (mean(values.naturalOfNatural), mean(values.naturalOfAdversarial)),
      adversarial: (mean(values.adversarialOfNatural), mean(values.adversarialOfAdversarial)),
      count: values.naturalOfNatural.count, batchSize: min(batchSize, set.count))
  }

  /// Returns the first image of each class, up to `limit`, with predictions.
  func samples(_ limit: Int) -> [SampleImage] {
    let classes = set.classNames.indices.compactMap { set.labels.firstIndex(of: $0) }
    return classes.prefix(limit).compactMap { index in
      let clean = tensors.batch([index]).images
      let other = attacked.slice(index..<index + 1)
      let change = EnlargedChange(other - clean)
      guard let cleanPNG = try? PNG.encode(image: clean),
        let otherPNG = try? PNG.encode(image: other),
        let noise = try? PNG.encode(image: change.images)
      else { return nil }
      return SampleImage(
        clean: cleanPNG, attacked: otherPNG, noise: noise, enlargement: change.factors.item(),
        label: set.classNames[set.labels[index]],
        cleanPrediction: prediction(clean), attackedPrediction: prediction(other))
    }
  }

  private func prediction(_ image: Tensor) -> String {
    set.classNames[network.predictions(image).ints()[0]]
  }
}

/// Changes of images, each enlarged to the full range around gray.
package struct EnlargedChange {
  /// The enlarged changes, (N, C, H, W) in [0, 1].
  package let images: Tensor
  /// The factor by which each is enlarged, (N, 1, 1, 1); huge where nothing was changed.
  package let factors: Tensor

  /// Enlarges changes, (N, C, H, W).
  package init(_ changes: Tensor) {
    let largest = changes.abs().amax([1, 2, 3], keepdim: true).clamp(min: 1e-12)
    factors = 0.5 / largest
    images = changes * factors + 0.5
  }
}
