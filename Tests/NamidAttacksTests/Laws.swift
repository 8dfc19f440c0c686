import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

/// What holds for every attack, as expectations.
enum Laws {
  /// Verdicts and costs are the same, and images within `tolerance`, for batches of 1, 7 and all, in any order.
  ///
  /// - Parameters:
  ///   - count: How many samples there are.
  ///   - tolerance: By how much a value of an image may differ.
  ///   - label: What is attacked with, for the message.
  ///   - sourceLocation: Where a failure is reported.
  ///   - run: Attacks the samples of these indices.
  static func expectIndependenceOfBatches(
    count: Int, tolerance: Double = 1e-5, _ label: String = "",
    sourceLocation: SourceLocation = #_sourceLocation, run: ([Int]) -> AttackResult
  ) {
    let whole = run(Array(0..<count))
    let shuffled = RandomStream(seed: 1).permutation(count)
    for (size, order) in [(1, Array(0..<count)), (7, shuffled), (count, shuffled)] {
      for first in stride(from: 0, to: count, by: size) {
        let indices = Array(order[first..<min(first + size, count)])
        let found = run(indices)
        #expect(
          found.fooled == indices.map { whole.fooled[$0] }, "\(label)",
          sourceLocation: sourceLocation)
        #expect(
          found.costs == indices.map { whole.costs[$0] }, "\(label)",
          sourceLocation: sourceLocation)
        expectClose(
          found.images, whole.images.indexSelect(Tensor(indices, shape: [indices.count])),
          rtol: 0, atol: tolerance, label, sourceLocation: sourceLocation)
      }
    }
  }

  /// A sample counts as fooled where the network errs on its image, some are and some are not, and images that were
  /// wrong unattacked come back as they are.
  static func expectTrueVerdicts(
    of result: AttackResult, on problem: CurvedProblem,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    func wrong(_ images: Tensor) -> [Bool] {
      (problem.classifier.predictions(images) .!= problem.labels).bools()
    }
    let clean = wrong(problem.images)
    #expect(wrong(result.images) == result.fooled, sourceLocation: sourceLocation)
    #expect(result.fooled.contains(false), sourceLocation: sourceLocation)
    #expect(
      zip(clean, result.fooled).contains { !$0 && $1 }, sourceLocation: sourceLocation)
    for (i, isWrong) in clean.enumerated() where isWrong {
      expectIdentical(
        result.images.select(0, i), problem.images.select(0, i), sourceLocation: sourceLocation)
    }
  }

  /// Fooled samples stay fooled when the work grows.
  static func expectMoreFooled(
    _ work: [Int], sourceLocation: SourceLocation = #_sourceLocation, fooled: (Int) -> [Bool]
  ) {
    let verdicts = work.map(fooled)
    for (before, after) in zip(verdicts, verdicts.dropFirst()) {
      #expect(zip(before, after).allSatisfy { !$0 || $1 }, sourceLocation: sourceLocation)
    }
  }

  /// Images at the box's corners and in its middle, besides the problem's own.
  static func hostileImages(_ problem: CurvedProblem) -> [Tensor] {
    let shape = problem.images.shape
    return [
      problem.images, .zeros(shape), .ones(shape), .full(shape, 0.5),
      (problem.images .> 0.5).to(.float32),
    ]
  }

  /// Images have the shape and type of those attacked and lie in the ball and the box.
  static func expectFeasible(
    _ result: AttackResult, around images: Tensor, in threat: ThreatModel, slack: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      result.images.shape == images.shape && result.images.dtype == .float32,
      sourceLocation: sourceLocation)
    #expect(
      result.images.min().item() >= 0 && result.images.max().item() <= 1,
      sourceLocation: sourceLocation)
    let sizes = threat.size(of: (result.images - images).to(.float64)).doubles
    #expect(
      sizes.allSatisfy { $0 <= threat.epsilon.value * (1 + slack) }, "\(threat) \(images.shape)",
      sourceLocation: sourceLocation)
  }

  /// A network in training mode is seen in evaluation mode alone and left as it was, as are the images; nothing leaks.
  static func expectUntouched(
    sourceLocation: SourceLocation = #_sourceLocation,
    by attack: (_ network: SmallNetwork, _ images: Tensor, _ labels: Tensor) -> Void
  ) {
    let images = ClosedForm.picture([6, 1, 5, 6])
    let labels = Tensor([0, 1, 2, 0, 1, 2], shape: [6])
    let network = SmallNetwork()
    network.isTraining = true
    let state = network.store.state.map { $0.tensor.detach().clone() }
    let before = images.clone()
    expectNoTensorLeak { attack(network, images, labels) }
    #expect(network.isTraining && network.modes == [false], sourceLocation: sourceLocation)
    for ((name, tensor), old) in zip(network.store.state, state) {
      expectIdentical(tensor.detach(), old, name, sourceLocation: sourceLocation)
    }
    let untouched = network.store.parameters.allSatisfy { $0.requiresGrad && $0.grad == nil }
    #expect(untouched && !images.requiresGrad, sourceLocation: sourceLocation)
    expectIdentical(images, before, sourceLocation: sourceLocation)
  }
}
