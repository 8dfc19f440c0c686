import NamidAttacks
import NamidData
import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidEvaluation

/// No attack is believed: every claim is checked on the image that it has handed over.
@Suite(.serialized) struct CertificateTests {
  private let data = ImageTensors(Bars.set)
  private var epsilon: Double { Bars.threat.epsilon.value }

  private func run(_ attack: any Attack, keepsImages: Bool = false) -> Evaluator.Outcome {
    Evaluator(Bars.classifier, on: data, batchSize: 16, seed: 0)
      .run(attack, keepsImages: keepsImages)
  }

  /// Claims that all samples are fooled by what `change` makes of the images.
  private func liar(
    ball: ThreatModel? = Bars.threat, distances: Float? = nil,
    _ change: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> StubAttack {
    StubAttack(name: "liar", ball: ball) { _, images, labels, streams, _ in
      AttackResult(
        images: change(images, labels), fooled: streams.map { _ in true },
        costs: streams.map { _ in Cost(forwards: 1) },
        distances: distances.map { size in streams.map { _ in size } })
    }
  }

  @Test func imagesThatFoolNobodyAreRefused() {
    let outcome = run(liar { images, _ in images })
    #expect(outcome.report.robust == 60)
    #expect(outcome.report.refused?.label == 60 && outcome.report.refused?.count == 60)
    // The unattacked one, the attack's own, and the check.
    #expect(outcome.costs == Array(repeating: Cost(forwards: 3), count: 60))
  }

  @Test func perturbationsThatAreTooLargeAreRefused() {
    let outcome = run(liar { Bars.shifted($0, $1, by: 0.3) })
    #expect(outcome.report.robust == 60)
    #expect(outcome.report.refused?.norm == 60 && outcome.report.refused?.count == 60)
    // An image that may not be used needs no forward.
    #expect(outcome.costs == Array(repeating: Cost(forwards: 2), count: 60))
  }

  @Test func imagesOutsideTheBoxAreRefused() {
    let outcome = run(liar { Bars.shifted($0, $1, by: 0.3) - 0.4 })
    #expect(outcome.report.robust == 60)
    #expect(outcome.report.refused?.box == 60 && outcome.report.refused?.count == 60)
  }

  @Test(arguments: [Double.nan, .infinity])
  func valuesThatAreNoNumbersAreRefused(value: Double) {
    let outcome = run(
      liar { images, _ in
        let isFirst = Tensor.arange(images.size(3)) .== 0
        return images.maskedFill(isFirst, value)
      }, keepsImages: true)
    #expect(outcome.report.robust == 60)
    #expect(outcome.report.refused?.notFinite == 60 && outcome.report.refused?.count == 60)
    // What is refused is not handed on.
    expectIdentical(
      outcome.images ?? .zeros([0]), data.batch(Array(0..<60)).images.contiguous())
  }

  /// The radius holds up to rounding, and not a hair more.
  @Test(arguments: [Norm.linf, .l2, .l1])
  func theRadiusHoldsUpToRounding(norm: Norm) {
    let images = data.batch(Array(0..<60)).images
    let direction = ClosedForm.tensor("direction", images.shape)
    for radius in [8.0 / 255, 0.5] {
      let ball = ThreatModel(norm: norm, epsilon: Fraction(radius))
      let sizes = ball.size(of: direction.to(.float64)).reshape([60, 1, 1, 1])
      let unit = direction.to(.float64) / sizes
      for (factor, isWithin) in [(1.0, true), (1.0001, false)] {
        let moved = (images.to(.float64) + unit * (radius * factor)).to(.float32)
        let geometry = Certificate.geometry(of: moved, from: images, ball: ball)
        // Sums of 432 roundings to float32 in L1 are as large as a ten-thousandth of a small radius.
        if norm == .l1, radius < 0.1, !isWithin { continue }
        #expect(geometry.isWithin == Array(repeating: isWithin, count: 60), "\(norm) \(radius)")
      }
    }
  }

  /// Without a ball, as for transport of mass, box and label are checked.
  @Test func withoutABallTheSizeDoesNotCount() {
    let outcome = run(liar(ball: nil) { Bars.shifted($0, $1, by: 0.3) })
    #expect(outcome.report.robust == 0)
    #expect(outcome.report.refused?.count == 0)
    #expect(run(liar(ball: nil) { images, _ in images + 2 }).report.refused?.box == 60)
  }

  @Test func honestClaimsStand() {
    let outcome = run(Bars.mover("honest"))
    #expect((1..<60).contains(outcome.report.robust), "\(outcome.report.robust)")
    #expect(outcome.report.refused?.count == 0)
  }

  // MARK: Minimum-norm attacks

  /// An image outside the ball is no claim of having fooled the network within it; its size counts.
  @Test func sizesBeyondTheRadiusAreFindingsNotClaims() throws {
    let outcome = run(liar(distances: 0.3) { Bars.shifted($0, $1, by: 0.3) })
    #expect(outcome.report.robust == 60)
    #expect(outcome.report.refused?.count == 0)
    let distances = try #require(outcome.distances)
    #expect(distances.allSatisfy { abs($0 - 0.3) < 1e-5 })
    #expect(outcome.report.minimumNorm?.unbounded == 0)
    #expect(outcome.report.minimumNorm?.withinEpsilon == 1)
  }

  /// The size is measured, not believed, and a lie about it is refused.
  @Test func sizesAreMeasured() throws {
    let outcome = run(liar(distances: 0.001) { Bars.shifted($0, $1, by: 0.3) })
    #expect(outcome.report.robust == 60)
    #expect(outcome.report.refused?.norm == 60)
    #expect(try #require(outcome.distances).allSatisfy { abs($0 - 0.3) < 1e-5 })
  }

  @Test func sizesOfImagesThatFoolNobodyAreRefused() throws {
    let outcome = run(liar(distances: 0.5) { images, _ in images * 0.5 })
    #expect(outcome.report.robust == 60)
    #expect(outcome.report.refused?.label == 60)
    #expect(try #require(outcome.distances).allSatisfy { $0 == .infinity })
    #expect(outcome.report.minimumNorm?.unbounded == 1)
  }

  /// A size beyond ε that comes with an image within ε cannot be checked: then there is no reading.
  @Test func sizesWithoutTheirImageAreNotRead() {
    let attack = StubAttack(name: "fab-like", ball: Bars.threat) { _, images, _, streams, _ in
      AttackResult(
        images: images, fooled: streams.map { _ in false },
        costs: streams.map { _ in Cost(forwards: 1) }, distances: streams.map { _ in 0.3 })
    }
    let outcome = run(attack)
    #expect(outcome.report.refused?.count == 0)
    #expect(outcome.distances == nil && outcome.report.minimumNorm == nil)
    #expect(outcome.costs.allSatisfy { $0.forwards == 2 })
  }
}
