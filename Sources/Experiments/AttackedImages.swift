import Datasets
import Foundation
import Models
import MutualInformation
import Torch

/// Mean mutual information that estimators read off a network's outputs, in nats.
public struct MutualInformationSummary: Codable, Sendable {
  /// I_n(x; h(x)).
  public var naturalOfNatural: Double
  /// I_n(x; h(x̃)).
  public var naturalOfAdversarial: Double
  /// I_a(n; h(x)).
  public var adversarialOfNatural: Double
  /// I_a(n; h(x̃)).
  public var adversarialOfAdversarial: Double
  /// Samples that were averaged over.
  public var count: Int
  /// Samples per batch; estimates depend on it.
  public var batchSize: Int
}

/// One image of a network's test, as it was and attacked.
struct SampleImage: Sendable {
  var clean: Data
  var attacked: Data
  /// The change, enlarged to the full range around gray.
  var noise: Data
  /// By how much it is enlarged.
  var enlargement: Double
  var label: String
  var cleanPrediction: String
  var attackedPrediction: String

  /// The change with the factor by which it is enlarged; nothing to see where nothing was changed.
  var enlargedNoise: ImageGrid.Cell {
    ImageGrid.Cell(
      png: noise,
      caption: enlargement < 1e6 ? String(format: "×%.0f", enlargement) : "none")
  }
}

/// Images of a data set beside their attacked twins, and the network that was attacked.
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

  /// What estimators read off the outputs, in full batches of one size.
  func information(_ estimators: EstimatorPair, batchSize: Int) -> MutualInformationSummary {
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
    return MutualInformationSummary(
      naturalOfNatural: mean(values.naturalOfNatural),
      naturalOfAdversarial: mean(values.naturalOfAdversarial),
      adversarialOfNatural: mean(values.adversarialOfNatural),
      adversarialOfAdversarial: mean(values.adversarialOfAdversarial),
      count: values.naturalOfNatural.count, batchSize: min(batchSize, set.count))
  }

  /// The first image of each class, up to `limit`, with predictions.
  func samples(_ limit: Int) -> [SampleImage] {
    let classes = set.classNames.indices.compactMap { set.labels.firstIndex(of: $0) }
    return classes.prefix(limit).compactMap { index in
      let clean = tensors.batch([index]).images
      let other = attacked.slice(index..<index + 1)
      let change = other - clean
      let enlargement = 0.5 / max(change.abs().amax([1, 2, 3]).item(), 1e-12)
      guard let cleanPNG = png(clean), let otherPNG = png(other),
        let noise = png(change * enlargement + 0.5)
      else { return nil }
      return SampleImage(
        clean: cleanPNG, attacked: otherPNG, noise: noise, enlargement: enlargement,
        label: set.classNames[set.labels[index]],
        cleanPrediction: prediction(clean), attackedPrediction: prediction(other))
    }
  }

  private func prediction(_ image: Tensor) -> String {
    set.classNames[network.predictions(image).ints()[0]]
  }

  private func png(_ image: Tensor) -> Data? {
    let bytes = (image * 255.0 + 0.5).clamp(min: 0, max: 255).to(.uint8).permute([0, 2, 3, 1])
    return try? PNG.encode(
      pixels: bytes.array(of: UInt8.self), height: set.height, width: set.width,
      channels: set.channels)
  }
}
