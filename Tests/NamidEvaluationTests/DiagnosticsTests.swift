import NamidAttacks
import NamidData
import NamidFiles
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidEvaluation

/// Networks made for it raise exactly their flag, and plain ones none.
@Suite(.serialized) struct DiagnosticsTests {
  private let batch = ImageTensors(Bars.set).batch(Array(0..<16))

  private func names(_ classifier: any Classifier) -> [Diagnosis.Name] {
    Diagnostics.examine(classifier, images: batch.images, labels: batch.labels).map(\.name)
  }

  /// Logits of one hidden layer, of whatever is made of the images first and of the logits last.
  private func network(
    first: @escaping (Tensor) -> Tensor = { $0 }, last: @escaping (Tensor) -> Tensor = { $0 }
  ) -> ClosureClassifier {
    let hidden = ClosedForm.tensor("hidden", [20, 432], scale: 0.3)
    let output = ClosedForm.tensor("output", [3, 20])
    return ClosureClassifier(classCount: 3) { images in
      last(first(images).flatten(1).linear(hidden).tanh().linear(output))
    }
  }

  @Test func plainNetworks() throws {
    #expect(names(network()) == [])
    #expect(names(Bars.classifier) == [])
    #expect(names(try trainedNetwork()) == [])
    // Clipping its input is no fault of a network, nor are small or shifted logits.
    #expect(names(network(first: { ($0 * 2 - 0.5).clamp(min: 0, max: 1) })) == [])
    #expect(names(network(last: { $0 * 1e-4 + 7 })) == [])
    #expect(
      names(ClosureClassifier(classCount: 3) { .zeros([$0.size(0), 3]) + $0.sum() * 0 })
        == [.zeroGradient])
  }

  @Test func nothingIsLeftBehind() throws {
    let network = try trainedNetwork()
    network.isTraining = true
    network.store.zeroGrad()
    let before = network.fingerprint
    #expect(names(network) == [])
    #expect(network.isTraining && network.fingerprint == before)
    #expect(network.store.parameters.allSatisfy { $0.grad == nil && $0.requiresGrad })
  }

  /// Batch normalisation by the batch's own statistics.
  @Test func batchDependence() {
    let normalised = network(first: { images in
      let mean = images.mean([0, 2, 3], keepdim: true)
      let variance = (images - mean).square().mean([0, 2, 3], keepdim: true)
      return (images - mean) / (variance + 1e-5).sqrt()
    })
    #expect(names(normalised) == [.batchDependent])
  }

  /// Much noise makes slopes meaningless, too; that is not reported besides.
  @Test(arguments: [0.01, 3])
  func randomness(noise: Double) {
    var calls = 0
    let noisy = network(last: { logits in
      calls += 1
      let streams = (0..<logits.size(0)).map { RandomStream(seed: calls).keyed($0) }
      return logits + Tensor.normal(streams, shape: [3]) * noise
    })
    #expect(names(noisy) == [.randomised])
  }

  @Test func probabilities() {
    #expect(names(network(last: { $0.softmax(1) })) == [.probabilities])
    #expect(names(network(last: { $0.sigmoid() })) == [])
  }

  @Test func zeroGradients() {
    #expect(names(network(first: { ($0 - 0.5).sign() })) == [.zeroGradient])
    let saturated = network(last: { $0 * 1e4 })
    #expect(names(saturated) == [.zeroGradient])
    let flags = Diagnostics.examine(saturated, images: batch.images, labels: batch.labels)
    #expect(flags.first?.meaning.contains("that of the logits for 0") == true, "\(flags)")
  }

  /// Quantised to two levels, with the gradient of the identity put in its place.
  @Test func maskedGradients() {
    let masked = network(first: { images in
      images + ((images - 0.5).sign() * 0.5 + 0.5 - images).detach()
    })
    #expect(names(masked) == [.gradientMismatch])
  }

  @Test func aWrongGradientIsNoticed() {
    let doubled = network(last: { logits in logits * 2 - logits.detach() })
    #expect(names(doubled) == [.gradientMismatch])
  }

  @Test func oneImageIsEnough() {
    let flags = Diagnostics.examine(
      network(last: { $0.softmax(1) }), images: batch.images.slice(0..<1),
      labels: batch.labels.slice(0..<1))
    #expect(flags.map(\.name) == [.probabilities])
  }

  @Test func fewClasses() {
    let odd = StubAttack(name: "odd", fallbackText: "one target instead of nine")
    let ensemble = StubAttack(name: "ensemble", parts: [odd, StubAttack(name: "even")])
    let flags = Diagnostics.fewClasses([StubAttack(name: "plain"), odd, ensemble], classCount: 2)
    #expect(flags.map(\.attack) == ["odd", "ensemble: odd"])
    #expect(flags.allSatisfy { $0.name == .fewClasses })
    #expect(flags.allSatisfy { $0.meaning.contains("one target instead of nine") })
  }

  // MARK: Verdicts

  private func outcome(_ attack: any Attack) -> Evaluator.Outcome {
    Evaluator(Bars.classifier, on: ImageTensors(Bars.set), seed: 0).run(attack)
  }

  /// Makes the same move as another attack, but pays with queries.
  private func asQueries(_ attack: StubAttack) -> StubAttack {
    var queries = attack
    queries.name = "queries"
    queries.body = { classifier, images, labels, streams, goal in
      var result = attack.body(classifier, images, labels, streams, goal)
      result.costs = streams.map { _ in Cost(forwards: 5, queries: 5) }
      return result
    }
    return queries
  }

  @Test func queriesThatFindMore() {
    let weak = Bars.mover("weak", by: 0.01)
    let strong = asQueries(Bars.mover("strong"))
    let flags = VerdictChecks.queriesStronger([outcome(weak), outcome(strong)])
    #expect(flags.map(\.name) == [.queriesStronger] && flags.first?.attack == "queries")
    let within = outcome(StubAttack(name: "ensemble", parts: [weak, strong]))
    #expect(VerdictChecks.queriesStronger([within]).map(\.attack) == ["ensemble: queries"])
  }

  @Test func queriesThatFindNoMore() {
    let strong = Bars.mover("strong")
    let queries = asQueries(strong)
    #expect(VerdictChecks.queriesStronger([outcome(strong), outcome(queries)]).isEmpty)
    let within = outcome(StubAttack(name: "ensemble", parts: [strong, queries]))
    #expect(VerdictChecks.queriesStronger([within]).isEmpty)
    // There is nothing to compare with.
    #expect(VerdictChecks.queriesStronger([outcome(queries)]).isEmpty)
  }
}
