import Foundation
import NamidAttacks
import NamidData
import NamidFiles
import NamidNetworks
import NamidSettings
import NamidTestSupport
import NamidTorch
@testable import NamidEvaluation

/// An attack by a closure, alone or made of parts.
struct StubAttack: Attack {
  typealias Body =
    @Sendable (any Classifier, Tensor, Tensor, [RandomStream], Goal) -> AttackResult

  /// Words by name.
  struct Settings: AttackSettings, ExpressibleByDictionaryLiteral {
    var words: [String: String] = [:]

    init() {}
    init(in threat: ThreatModel) {}
    init(dictionaryLiteral elements: (String, String)...) {
      words = Dictionary(uniqueKeysWithValues: elements)
    }
    func validate(in threat: ThreatModel) {}
  }

  var name = "scripted"
  var settings = Settings()
  var threat: ThreatModel { ball ?? ThreatModel(epsilon: 0) }
  var ball: ThreatModel?
  var parts: [any Attack] = []
  var fallbackText: String?
  var body: Body = { _, images, _, streams, _ in
    AttackResult(
      images: images, fooled: streams.map { _ in false }, costs: streams.map { _ in Cost() })
  }

  init(
    name: String = "scripted", settings: Settings = Settings(), ball: ThreatModel? = nil,
    parts: [any Attack] = [], fallbackText: String? = nil, body: Body? = nil
  ) {
    (self.name, self.settings, self.ball) = (name, settings, ball)
    (self.parts, self.fallbackText) = (parts, fallbackText)
    if let body { self.body = body }
  }

  init(_ settings: Settings, in threat: ThreatModel) { self.init(settings: settings, ball: threat) }

  var members: [any Attack] { parts.isEmpty ? [self] : parts }
  func fallback(classCount: Int) -> String? { fallbackText }
  func budget(classCount: Int) -> Cost { Cost() }
  func attack(_ search: Search) {}
  func run(
    on classifier: any Classifier, images: Tensor, labels: Tensor, streams: [RandomStream],
    goal: Goal
  ) -> AttackResult { body(classifier, images, labels, streams, goal) }
}

/// Images whose class is the place of a bright bar, and the linear network that reads the bars' means.
///
/// All images are right; in L∞ about half of them can be fooled within `threat`.
enum Bars {
  static let set = SyntheticImages.set(60, split: .test)
  static let threat = ThreatModel(epsilon: Fraction(20, over: 255))

  /// The same images, four of them under another class: a network that is good gets these wrong.
  static let mislabelled: ImageSet = {
    let labels = set.labels.indices.map { place in
      [5, 23, 24, 41].contains(place) ? (set.labels[place] + 1) % 3 : set.labels[place]
    }
    return ImageSet(
      name: set.name, title: set.title, split: set.split, height: set.height, width: set.width,
      channels: set.channels, classNames: set.classNames, pixels: set.pixels, labels: labels,
      layout: set.layout)
  }()

  static var classifier: LinearClassifier {
    let size = SyntheticImages.size
    let bar = size / 3
    let perBar = Float(size * bar * 3)
    let weight = (0..<3).flatMap { label in
      (0..<3 * size * size).map { place in (place % size) / bar == label ? 1 / perBar : 0 }
    }
    return LinearClassifier(
      weight: Tensor(weight, shape: [3, 3 * size * size]), bias: .zeros([3]))
  }

  /// Moves the bar of the label down and that of one other class up by `size` times ε.
  static func shifted(
    _ images: Tensor, _ labels: Tensor, by epsilon: Double, towards offset: Int = 1
  )
    -> Tensor
  {
    let weight = classifier.weight
    let other = (labels + offset).remainder(3)
    let direction = (weight.indexSelect(other) - weight.indexSelect(labels)).sign()
    return (images + direction.reshape(images.shape) * epsilon).clamp(min: 0, max: 1)
  }

  /// An attack that makes that one move and says what it has come to.
  static func mover(
    _ name: String, by epsilon: Double = threat.epsilon.value, towards offset: Int = 1
  ) -> StubAttack {
    StubAttack(name: name, ball: threat) { classifier, images, labels, streams, _ in
      let moved = shifted(images, labels, by: epsilon, towards: offset)
      let wrong = (classifier.predictions(moved) .!= labels).bools()
      return AttackResult(
        images: moved, fooled: wrong,
        costs: streams.map { _ in Cost(forwards: 2, backwards: 1) })
    }
  }
}

/// A small network that gets the images right, and some of them no longer when attacked.
func trainedNetwork(classCount: Int = 3, seed: Int = 1) throws -> Network {
  let network = try Network(
    NetworkSpecification(
      architecture: "small-cnn", width: 2, classCount: classCount, imageHeight: 12, imageWidth: 12),
    stream: RandomStream(seed: seed))
  let batch = ImageTensors(SyntheticImages.set(60)).batch(Array(0..<60))
  let optimizer = Adam(network.store)
  withOneThread {
    for _ in 0..<60 {
      network.store.zeroGrad()
      network.logits(batch.images).crossEntropy(batch.labels).backward()
      optimizer.step(learningRate: 0.005)
    }
  }
  return network
}

/// A report's JSON without what depends on the clock.
func timeless(_ report: EvaluationReport) throws -> JSONValue {
  func stripped(_ value: JSONValue) -> JSONValue {
    if let object = value.objectValue {
      let kept = object.filter { $0.key != "seconds" }
      return .object(JSONObject(kept.map { ($0.key, stripped($0.value)) }))
    }
    return value.arrayValue.map { .array($0.map(stripped)) } ?? value
  }
  return stripped(try JSONValue(encoding: report))
}
