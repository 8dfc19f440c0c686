import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

@Suite(.serialized) struct EstimatorTests {
  let specification = EstimatorSpecification(units: 8, classCount: 3, channels: 1)
  let images = ClosedForm.picture([4, 1, 8, 8])
  let attacked = (ClosedForm.picture([4, 1, 8, 8]) * 0.9 + 0.05)
  let natural = ClosedForm.tensor("natural", [4, 3], scale: 2)
  let adversarial = ClosedForm.tensor("adversarial", [4, 3], scale: 2)

  func pair() -> EstimatorPair {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 1))
    ClosedForm.fill(pair.natural.store)
    ClosedForm.fill(pair.adversarial.store)
    return pair
  }

  @Test func bothEncodersAreRegistered() {
    let estimator = Estimator(specification, stream: RandomStream(seed: 0))
    let names = estimator.store.entries.map(\.name)
    #expect(names.filter { $0.hasPrefix("local.") }.count == 23)
    #expect(names.filter { $0.hasPrefix("global.") }.count == 11)
    #expect(names.count == 34)
  }

  @Test func theTwoEstimatorsBeginDifferently() {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 1))
    let weights = [pair.natural, pair.adversarial].map { $0.store.entries[0].tensor.floats() }
    #expect(weights[0] != weights[1])
  }

  @Test func anchorsGiveTheSameLosses() {
    let estimator = pair().natural
    let features = estimator.features(of: images)
    #expect(features.shape == [4, 4, 8])
    let all = estimator.losses(features, logits: natural)
    #expect(all.shape == [4, 4])
    let anchors = Tensor([3, 1], shape: [2])
    let some = estimator.losses(features, logits: natural, anchors: anchors)
    expectClose(some, all.indexSelect(anchors), rtol: 1e-5, atol: 1e-6)
  }

  @Test func measuredValuesAreMinusTheMeanLosses() {
    let pair = pair()
    pair.freeze()
    let values = pair.measure(
      images: images, attacked: attacked, naturalLogits: natural, adversarialLogits: adversarial)
    func expected(_ estimator: Estimator, _ pattern: Tensor, _ logits: Tensor) -> [Float] {
      (-estimator.losses(estimator.features(of: pattern), logits: logits).mean([1])).floats()
    }
    let noise = attacked - images
    expectClose(values.naturalOfNatural, expected(pair.natural, images, natural))
    expectClose(values.naturalOfAdversarial, expected(pair.natural, images, adversarial))
    expectClose(values.adversarialOfNatural, expected(pair.adversarial, noise, natural))
    expectClose(values.adversarialOfAdversarial, expected(pair.adversarial, noise, adversarial))
    let lists = [
      values.naturalOfNatural, values.naturalOfAdversarial, values.adversarialOfNatural,
      values.adversarialOfAdversarial,
    ]
    #expect(Set(lists).count == 4)

    var twice = values
    twice.append(values)
    #expect(twice.naturalOfAdversarial == values.naturalOfAdversarial + values.naturalOfAdversarial)
    #expect(twice.adversarialOfNatural.count == 8)
  }

  @Test func freezingStopsGradientsAndStatistics() {
    let pair = pair()
    pair.isTraining = true
    #expect(pair.natural.store.isTraining && pair.adversarial.store.isTraining)
    pair.freeze()
    #expect(!pair.isTraining)
    let before = pair.natural.store.state.map { $0.tensor.clone() }
    let logits = natural.clone()
    logits.requiresGrad = true
    pair.natural.losses(pair.natural.features(of: images), logits: logits).sum().backward()
    #expect(logits.grad != nil)
    #expect(pair.natural.store.parameters.allSatisfy { $0.grad == nil && !$0.requiresGrad })
    for ((name, tensor), old) in zip(pair.natural.store.state, before) {
      expectIdentical(tensor, old, name)
    }
  }

  @Test(arguments: EstimatorObjective.allCases)
  func trainingLossesReachEveryParameter(_ objective: EstimatorObjective) throws {
    let pair = pair()
    pair.isTraining = true
    // Samples 0 and 1 are flipped, 2 is robust, 3 is wrong already.
    let right: [Float] = [2, 0, 1]
    let wrong: [Float] = [0, 3, 1]
    let losses = pair.trainingLosses(
      images: images, attacked: attacked, labels: .zeros([4], dtype: .int64),
      naturalLogits: Tensor(right + right + right + wrong, shape: [4, 3]),
      adversarialLogits: Tensor(wrong + [1, 2, 0] + right + wrong, shape: [4, 3]),
      objective: objective)
    #expect(losses.selection.flipped.ints() == [0, 1] && losses.selection.robust.ints() == [2])
    for (estimator, loss) in [
      (pair.natural, losses.natural), (pair.adversarial, losses.adversarial),
    ] {
      try #require(loss).backward()
      for entry in estimator.store.entries where entry.isTrainable {
        let gradient = try #require(entry.tensor.grad, "\(entry.name)")
        #expect(gradient.isfinite().all().bools() == [true], "\(entry.name)")
      }
    }
  }

  @Test func trainingRaisesTheEstimate() {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 3))
    pair.isTraining = true
    let optimizer = Adam(pair.natural.store)
    func loss() -> Tensor {
      pair.natural.losses(pair.natural.features(of: images), logits: natural).mean()
    }
    let before = withoutGrad { loss().item() }
    for _ in 0..<20 {
      pair.natural.store.zeroGrad()
      loss().backward()
      optimizer.step(learningRate: 1e-3)
    }
    #expect(withoutGrad { loss().item() } < before - 0.1)
  }

  // MARK: Files

  /// The authors' file of a local encoder, put under `local.`: layers 0 and 1 are there twice.
  private func authorsState(of estimator: Estimator) -> [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (name, tensor) in estimator.store.state {
      state[name] = tensor.clone()
      for layer in 0...1 where name.hasPrefix("local.layer\(layer).") {
        let rest = name.dropFirst("local.layer0.".count)
        state["local.layers.\(layer).\(rest)"] = tensor.clone()
      }
    }
    return state
  }

  @Test func theAuthorsAliasesAreAccepted() throws {
    let source = pair().natural
    let whole = authorsState(of: source)
    #expect(whole.count == 34 + 12)
    let onlyAliases = whole.filter { !$0.key.hasPrefix("local.layer0.") }
    let wrapped = Dictionary(
      uniqueKeysWithValues: whole.map { key, tensor in
        (key.replacing("local.", with: "local.module."), tensor)
      })
    for state in [whole, onlyAliases, wrapped] {
      let estimator = Estimator(specification, stream: RandomStream(seed: 9))
      try estimator.load(state: state)
      for ((name, tensor), (_, expected)) in zip(estimator.store.state, source.store.state) {
        expectIdentical(tensor, expected, name)
      }
    }
  }

  @Test func whatDoesNotFitIsNamedAllAtOnce() {
    let estimator = pair().natural
    var state = authorsState(of: estimator)
    state["local.layer0.0.weight"] = nil
    state["local.layers.0.0.weight"] = nil
    state["local.layers.2.0.weight"] = .zeros([1])
    state["global.linear_shortcut.weight"] = .zeros([8, 10, 1, 1])
    let before = estimator.store.state.map { $0.tensor.clone() }
    #expect {
      try estimator.load(state: state)
    } throws: { error in
      let text = "\(error)"
      return [
        "Missing", "local.layer0.0.weight", "Unexpected", "local.layer2.0.weight", "mismatch",
      ]
      .allSatisfy { text.contains($0) } && text.contains("[8, 3, 1, 1]")
        && text.contains("[8, 10, 1, 1]")
    }
    for ((name, tensor), old) in zip(estimator.store.state, before) {
      expectIdentical(tensor, old, name)
    }
  }

  // MARK: Standard MI

  @Test func standardLossIsTheMeanOverTheBatch() {
    let estimator = pair().natural
    estimator.freeze()
    let loss = estimator.standardLoss(patterns: attacked, logits: adversarial)
    let expected = estimator.losses(estimator.features(of: attacked), logits: adversarial).mean()
    expectClose(loss, expected)
  }

  @Test func kindsHaveTheirEstimators() {
    for kind in EstimatorKind.allCases {
      let set = Estimators(kind, specification, stream: RandomStream(seed: 1))
      #expect(set.kind == kind)
      let names = kind == .pair ? ["natural", "adversarial"] : ["standard"]
      #expect(set.named.map(\.name) == names)
      set.isTraining = true
      #expect(set.isTraining)
      set.freeze()
      #expect(!set.isTraining)
      #expect(
        set.named.allSatisfy { $0.estimator.store.parameters.allSatisfy { !$0.requiresGrad } })
    }
  }
}
