import NamidData
import NamidInformation
import NamidNetworks
import NamidTorch
import Testing

@testable import NamidLaboratory

/// Twelve gray images of 8×8 whose brightness is their place, in two classes by turns.
private let imageSet = ImageSet(
  name: "ramp", title: "Ramp", split: .test, height: 8, width: 8, channels: 1,
  classNames: ["even", "odd"],
  pixels: (0..<12).flatMap { [UInt8](repeating: UInt8(20 * $0), count: 64) },
  labels: (0..<12).map { $0 % 2 }, indices: (0..<12).map { $0 + 100 }, layout: "memory")

/// Says class 0 of every image darker than half, else class 1; counts images and remembers the largest batch.
private final class Threshold: Classifier {
  let classCount = 2
  var isTraining = true
  private(set) var modes: Set<Bool> = []
  private(set) var largest = 0

  func logits(_ images: Tensor) -> Tensor {
    modes.insert(isTraining)
    largest = max(largest, images.size(0))
    let brightness = images.flatten(1).mean([1])
    return .stack([-(brightness - 0.5), brightness - 0.5], dim: 1)
  }
}

@Suite("Laboratory meter", .serialized) struct LaboratoryMeterTests {
  private let data = ImageTensors(imageSet)

  private func meter(
    _ classifier: any Classifier = Threshold(), size: Int = 5, chunk: Int = 128
  ) throws -> InformationMeter {
    InformationMeter(
      classifier, on: data,
      batches: try InformationBatches(count: imageSet.count, size: size, seed: 1), chunk: chunk)
  }

  /// Every image turned to its negative.
  private var negatives: Tensor { 1 - data.batch(Array(0..<12)).images.contiguous() }

  /// What a reader is told comes back at the sample's own place, whatever the batches are.
  @Test(arguments: [2, 5, 12]) func valuesBelongToTheirSamples(size: Int) throws {
    let told = PatternReader { patterns, outputs in
      let brightness = patterns.flatten(1).mean([1])
      return outputs.map { (brightness + $0.select(1, 1) * 10).floats().map(Double.init) }
    }
    let (outcomes, values) = try meter(size: size).measure(
      attacked: negatives, readers: [PairReader(name: "told", natural: told, adversarial: told)])
    let brightness = (0..<12).map { Double(20 * $0) / 255 }
    for (place, value) in brightness.enumerated() {
      let noise = 1 - 2 * value
      #expect(abs(values[0].natural.clean[place] - (value + 10 * (value - 0.5))) < 1e-5)
      #expect(abs(values[0].natural.attacked[place] - (value + 10 * (0.5 - value))) < 1e-5)
      #expect(abs(values[0].adversarial.clean[place] - (noise + 10 * (value - 0.5))) < 1e-5)
      #expect(abs(values[0].adversarial.attacked[place] - (noise + 10 * (0.5 - value))) < 1e-5)
    }
    #expect(outcomes.index == imageSet.indices && outcomes.label == imageSet.labels)
    #expect(outcomes.clean == brightness.map { $0 > 0.5 ? 1 : 0 })
    #expect(outcomes.attacked == brightness.map { $0 < 0.5 ? 1 : 0 })
    // Equation 6: right unattacked and wrong attacked.
    let selected = (0..<12).map { place in
      outcomes.clean[place] == imageSet.labels[place]
        && outcomes.attacked[place] != imageSet.labels[place]
    }
    #expect(outcomes.isSelected == selected && selected.contains(true) && selected.contains(false))
    #expect(Set(outcomes.batch).count == (12 + size - 1) / size)
  }

  /// An estimator whose natural MI is lower for attacked outputs, as the paper claims, is found to be so.
  @Test func aDropOfNaturalInformationIsSeen() throws {
    let falling = PatternReader { _, outputs in
      outputs.enumerated().map { number, logits in
        (0..<logits.size(0)).map { Double($0) * 0.01 + (number == 0 ? 1 : 0.4) }
      }
    }
    let rising = PatternReader { _, outputs in
      outputs.enumerated().map { number, logits in
        (0..<logits.size(0)).map { Double($0) * 0.01 + (number == 0 ? 0.1 : 0.7) }
      }
    }
    let (outcomes, values) = try meter().measure(
      attacked: negatives,
      readers: [PairReader(name: "scripted", natural: falling, adversarial: rising)])
    let all = GroupSummary.all(values[0], outcomes)[0]
    #expect(all.natural?.falls.count == 12 && all.adversarial?.rises.count == 12)
    #expect(abs((all.natural?.change.mean ?? 0) + 0.6) < 1e-9)
    let (higher, lower) = InformationKind.adversarial.expected(values[0].adversarial)
    #expect(Separation(higher: higher, lower: lower)?.area == 1)
  }

  @Test func theNetworkIsMeasuredInEvaluationModeAndLeftAsItWas() throws {
    let classifier = Threshold()
    _ = try meter(classifier, size: 12, chunk: 5).measure(attacked: negatives, readers: [])
    #expect(classifier.modes == [false] && classifier.isTraining)
    #expect(classifier.largest == 5)
  }

  /// Reading in blocks and through the library's own measure gives the same values.
  @Test func anEstimatorReadsAsTheLibraryMeasures() throws {
    let pair = EstimatorPair(
      EstimatorSpecification(units: 8, classCount: 2, channels: 1), stream: RandomStream(seed: 4))
    pair.isTraining = true
    let images = data.batch(Array(0..<12)).images
    let classifier = Threshold()
    // Statistics of batch normalisation that are not the initial ones.
    _ = pair.natural.losses(pair.natural.features(of: images), logits: classifier.logits(images))
    pair.freeze()
    let attacked = negatives
    let library = pair.measure(
      images: images, attacked: attacked, naturalLogits: classifier.logits(images),
      adversarialLogits: classifier.logits(attacked))
    let outputs = [classifier.logits(images), classifier.logits(attacked)]
    for bytes in [1, 4 * 12 * 4 * 5, PatternScores.usualBlockBytes] {
      let natural = PatternReader(pair.natural, blockBytes: bytes).read(images, outputs)
      let noise = PatternReader(pair.adversarial, blockBytes: bytes)
        .read(attacked - images, outputs)
      let expected = [
        library.naturalOfNatural, library.naturalOfAdversarial, library.adversarialOfNatural,
        library.adversarialOfAdversarial,
      ]
      for (own, theirs) in zip(natural + noise, expected) {
        #expect(zip(own, theirs).allSatisfy { abs($0 - Double($1)) < 1e-4 }, "\(own) \(theirs)")
      }
    }
  }

  /// The three pairings of Appendix B: which image is read with which output.
  @Test func pairingsAreThoseOfTheProofOfConcept() throws {
    let told = PatternReader { patterns, outputs in
      let brightness = patterns.flatten(1).mean([1])
      return outputs.map { (brightness * 100 + $0.select(1, 1)).floats().map(Double.init) }
    }
    let (_, readings) = try meter().pairings(attacked: negatives, reader: told, named: "told")
    for place in 0..<12 {
      let value = Double(20 * place) / 255
      let expected = [
        100 * value + value - 0.5, 100 * (1 - value) + 0.5 - value, 100 * value + 0.5 - value,
      ]
      for (own, wanted) in zip(readings.map { $0[place] }, expected) {
        #expect(abs(own - wanted) < 1e-3)
      }
    }
  }

  @Test func brokenEstimatorsAreRefused() throws {
    let broken = PatternReader { _, outputs in
      outputs.map { logits in (0..<logits.size(0)).map { $0 == 0 ? .nan : 1 } }
    }
    let measured = {
      try meter(size: 12).measure(
        attacked: negatives,
        readers: [PairReader(name: "broken", natural: broken, adversarial: broken)])
    }
    #expect(throws: LaboratoryError.notFinite(estimators: "broken", count: 1, total: 12)) {
      _ = try measured()
    }
  }
}
