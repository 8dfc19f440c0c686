import NamidAttacks
import NamidFiles
import NamidInformation
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidDefenses

/// Defenses by name, and what they are built from.
@Suite(.serialized) struct DefenseEntryTests {
  private let batch = Batch(
    images: ClosedForm.picture([6, 1, 8, 8]), labels: Tensor([0, 1, 2, 0, 1, 2], shape: [6]),
    indices: Array(0..<6))
  private let streams = RandomStreams((0..<6).map { RandomStream(seed: 1).keyed($0) })
  private let specification = EstimatorSpecification(units: 8, classCount: 3, channels: 1)

  private func network() throws -> Network {
    let network = try Network(
      NetworkSpecification(
        architecture: "resnet18", width: 2, classCount: 3, channels: 1, imageHeight: 8,
        imageWidth: 8), stream: RandomStream(seed: 4))
    network.isTraining = true
    return network
  }

  private func estimators(_ need: EstimatorNeed) -> Estimators? {
    switch need {
    case .none: nil
    case .required(let kind), .optional(let kind):
      Estimators(kind, specification, stream: RandomStream(seed: 2))
    }
  }

  @Test func namesAreUniqueAndTextsAreThere() {
    let names = DefenseEntry.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(
      names == ["natural", "standard", "trades", "mart", "wmim", "namid", "namid-t", "namid-m"])
    for entry in DefenseEntry.all {
      #expect(!entry.summary.isEmpty)
      #expect(entry.name == "natural" || !entry.source.isEmpty)
    }
  }

  @Test(arguments: DefenseEntry.all.map(\.name), [Norm.linf, .l2])
  func everyDefenseTrainsEveryWeight(_ name: String, _ norm: Norm) throws {
    let entry = try #require(DefenseEntry.all.first { $0.name == name })
    let network = try network()
    let attack = TrainingAttack(
      PGD(threat: ThreatModel(norm: norm, epsilon: norm == .linf ? 0.3 : 2), steps: 2))
    let settings = SettingsGroups()
    let parts = DefenseParts(
      network: network, attack: attack, labelLoss: LabelLoss(smoothing: 0.1),
      estimators: estimators(entry.estimators(settings)), settings: settings)
    let defense = try entry.make(parts)
    #expect(defense.name == name && defense.companions.isEmpty)
    let loss = defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    loss.total.backward()
    #expect(network.store.parameters.allSatisfy { $0.grad?.isfinite().all().bools() == [true] })
    #expect(network.isTraining && network.store.statisticsMomentum == nil)
    let names = loss.terms.map(\.name)
    let first: [String: [String]] = [
      "natural": ["ce"], "standard": ["ce_adv"], "trades": ["ce", "kl"],
      "mart": ["ce_adv", "margin", "kl_weighted"], "wmim": ["ce_adv", "mi_s"],
      "namid": ["ce_adv"], "namid-t": ["ce", "kl"],
      "namid-m": ["ce_adv", "margin", "kl_weighted"],
    ]
    let expected = first[name] ?? []
    #expect(Array(names.prefix(expected.count)) == expected)
    if name.hasPrefix("namid") { #expect(names.contains("selected")) }
  }

  @Test func missingEstimatorsAreNamed() throws {
    for entry in DefenseEntry.all {
      guard case .required(let kind) = entry.estimators(SettingsGroups()), kind == .pair else {
        continue
      }
      let parts = DefenseParts(
        network: try network(),
        attack: TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1)))
      #expect {
        _ = try entry.make(parts)
      } throws: {
        "\($0)".contains("estimators of natural-adversarial MI")
      }
    }
  }

  @Test func theNeedOfWMIMFollowsItsMode() throws {
    let entry = try #require(DefenseEntry.all.first { $0.name == "wmim" })
    var settings = SettingsGroups()
    #expect(entry.estimators(settings) == .required(.standard))
    settings[WMIM.Settings.self].mode = .joint
    settings[WMIM.Settings.self].units = 8
    #expect(entry.estimators(settings) == .optional(.standard))
    let network = try network()
    let parts = DefenseParts(
      network: network,
      attack: TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1)),
      settings: settings)
    let defense = try entry.make(parts)
    let companion = try #require(defense.companions.first)
    #expect(companion.name == "standard" && companion.learningRate == 1e-4)
    companion.store.isTraining = true
    let loss = defense.loss(of: network, batch: batch, streams: streams, epoch: 0)
    loss.total.backward()
    #expect(companion.store.parameters.allSatisfy { $0.grad != nil })
  }

  @Test func groupsHaveDefaultsUntilTheyAreSet() {
    var groups = SettingsGroups()
    #expect(groups[TRADES.Settings.self].beta == 6 && groups.all.isEmpty)
    groups[TRADES.Settings.self].beta = 3
    groups[MART.Settings.self].beta = 2
    #expect(groups.all.map(\.key) == ["mart", "trades"])
    let only = groups.only([TRADES.Settings.self, NAMID.Settings.self])
    #expect(only.all.map(\.key) == ["namid", "trades"])
    #expect(only[TRADES.Settings.self].beta == 3)
    #expect(only != groups && only == groups.only([NAMID.Settings.self, TRADES.Settings.self]))
  }

  /// The control pulls logits together exactly as hard as the MI term pulls on them.
  @Test func theControlIsAsStrongAsTheTerm() throws {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 2))
    let attack = TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1))
    let right: [Float] = [2, 0, 1]
    let wrong: [Float] = [0, 1, 3]
    let natural = Tensor((0..<6).flatMap { _ in right }, shape: [6, 3])
    let adversarial = Tensor(wrong + wrong + right + wrong + right + right, shape: [6, 3])
    let zeros = Batch(
      images: batch.images, labels: .zeros([6], dtype: .int64), indices: batch.indices)
    var lengths: [NAMID.Term: Double] = [:]
    for term in NAMID.Term.allCases {
      var settings = NAMID.Settings()
      settings.term = term
      let defense = NAMID(StandardAT(attack: attack), estimators: pair, settings: settings)
      let leaves = [natural.clone(), adversarial.clone()]
      for leaf in leaves { leaf.requiresGrad = true }
      let loss = defense.addedLoss(
        batch: zeros, attacked: batch.images * 0.9, natural: leaves[0], adversarial: leaves[1],
        epoch: 0)
      let squares = grad(of: loss.total, wrt: leaves).map { $0.square().sum().item() }
      lengths[term] = (squares[0] + squares[1]).squareRoot()
      #expect(loss.terms.contains { $0.name == "pairing" } == (term == .logitPairing))
      #expect(loss.terms.contains { $0.name == "cos_n" })
    }
    let values = NAMID.Term.allCases.compactMap { lengths[$0] }
    #expect(values[0] > 1e-4)
    expectClose(values[1], values[0], rtol: 1e-4)
    expectClose(values[2], values[0], rtol: 1e-4)
  }

  @Test func aFixedWeightOfTheControlIsTaken() throws {
    let pair = EstimatorPair(specification, stream: RandomStream(seed: 2))
    var settings = NAMID.Settings()
    settings.term = .logitPairing
    settings.pairingWeight = 0.5
    let attack = TrainingAttack(PGD(threat: ThreatModel(epsilon: 0.1), steps: 1))
    let defense = NAMID(StandardAT(attack: attack), estimators: pair, settings: settings)
    let natural = Tensor([3, 0, 0, 3] as [Float], shape: [2, 2])
    let adversarial = Tensor([0, 1, 0, 3] as [Float], shape: [2, 2])
    let two = Batch(
      images: batch.images.slice(0..<2), labels: Tensor([0, 1], shape: [2]), indices: [0, 1])
    let narrow = NAMID(
      StandardAT(attack: attack),
      estimators: EstimatorPair(
        EstimatorSpecification(units: 8, classCount: 2, channels: 1),
        stream: RandomStream(seed: 2)), settings: defense.settings)
    natural.requiresGrad = true
    let loss = narrow.addedLoss(
      batch: two, attacked: two.images * 0.9, natural: natural, adversarial: adversarial,
      epoch: 0)
    // Sample 0 alone is selected: half of 3² + 1² is 5.
    expectClose(loss.total.item(), 2.5)
  }
}
