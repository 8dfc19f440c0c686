import Foundation
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidInformation

@Suite(.serialized) struct BoundFormulaTests {
  /// Pairs 1, 2, 3; others −1, 0, 0.5 / 0.25, −0.5, 1.
  let scores = Tensor([1.0, -1, 0, 0.5, 2, 0.25, -0.5, 1, 3], shape: [3, 3])
  let others = [-1.0, 0, 0.5, 0.25, -0.5, 1]

  func value(_ bound: InformationBound, _ scores: Tensor) -> Double {
    bound.value(scores).item()
  }

  func softplus(_ x: Double) -> Double { log1p(exp(x)) }

  @Test func valuesFollowTheirFormulas() {
    let meanExp = others.map(exp).reduce(0, +) / 6
    let pairs = [1.0, 2, 3]
    let rows = [[1.0, -1, 0], [0.5, 2, 0.25], [-0.5, 1, 3]]
    #expect(abs(value(.donskerVaradhan, scores) - (2 - log(meanExp))) < 1e-12)
    #expect(abs(value(.mine(), scores) - (2 - log(meanExp))) < 1e-12)
    #expect(abs(value(.nwj, scores) - (2 - meanExp / M_E)) < 1e-12)
    let jsd =
      pairs.map { log(2) - softplus(-$0) }.reduce(0, +) / 3
      - others.map { softplus($0) - log(2) }.reduce(0, +) / 6
    #expect(abs(value(.jensenShannon, scores) - jsd) < 1e-12)
    let nce =
      2 - rows.map { log($0.map(exp).reduce(0, +)) }.reduce(0, +) / 3 + log(3)
    #expect(abs(value(.infoNCE, scores) - nce) < 1e-12)
    let clipped = others.map { exp(min(max($0, -0.5), 0.5)) }.reduce(0, +) / 6
    #expect(abs(value(.smile(limit: 0.5), scores) - (2 - log(clipped))) < 1e-12)
    let sums = [exp(-1) + 1, exp(0.5) + exp(0.25), exp(-0.5) + exp(1)]
    #expect(
      abs(value(.leaveOneOut, scores) - (2 - sums.map { log($0 / 2) }.reduce(0, +) / 3))
        < 1e-12)
    #expect(
      abs(value(.authors, scores) - (2 - sums.map { log((1 + $0) / 2) }.reduce(0, +) / 3))
        < 1e-12)
    #expect(abs(value(.club, scores) - (2 - others.reduce(0, +) / 6)) < 1e-12)
  }

  @Test func zerosAreNoInformation() {
    let zeros = Tensor.zeros([4, 4], dtype: .float64)
    for bound in InformationBound.all where !["nwj", "authors"].contains(bound.name) {
      #expect(abs(value(bound, zeros)) < 1e-12, "\(bound.name)")
    }
    #expect(abs(value(.nwj, zeros) + exp(-1)) < 1e-12)
    #expect(abs(value(.authors, zeros) + log(4.0 / 3)) < 1e-12)
  }

  @Test func shiftsChangeWhatTheyShould() {
    let scores = ClosedForm.tensor("scores", [5, 5]).to(.float64)
    let column = ClosedForm.tensor("column", [5]).to(.float64)
    func moves(_ bound: InformationBound, _ shift: Tensor) -> Bool {
      abs(value(bound, scores + shift) - value(bound, scores)) > 1e-9
    }
    let constant = Tensor([0.7], shape: [1])
    // Constants: free for DV, MINE, InfoNCE, leave-one-out, CLUB.
    for bound in InformationBound.all {
      #expect(
        moves(bound, constant) == ["nwj", "jsd", "authors"].contains(bound.name),
        "\(bound.name)")
    }
    #expect(moves(.smile(limit: 0.5), constant))
    // c(x) is constant along a row: free for the row forms only.
    for bound in InformationBound.all {
      let isFree = ["infonce", "leave-one-out", "club"].contains(bound.name)
      #expect(moves(bound, column.unsqueeze(1)) != isFree, "\(bound.name)")
    }
    // c(z) differs within a row.
    #expect(moves(.infoNCE, column) && moves(.leaveOneOut, column))
  }

  @Test func someHaveNoCeiling() {
    let size = 400
    let eye = Tensor.arange(size).unsqueeze(1) .== Tensor.arange(size)
    let scores = Tensor.full([size, size], -20, dtype: .float64).maskedFill(eye, 20)
    #expect(abs(value(.donskerVaradhan, scores) - 40) < 1e-9)
    #expect(abs(value(.authors, scores) - 25.99) < 0.01)
    #expect(abs(value(.infoNCE, scores) - log(400)) < 1e-9)
    #expect(abs(value(.jensenShannon, scores) - 2 * log(2)) < 1e-6)
    #expect(
      InformationBound.infoNCE.cap(400) == log(400)
        && InformationBound.jensenShannon.cap(3) == 2 * log(2))
    #expect(InformationBound.donskerVaradhan.cap(400) == nil)
  }

  @Test func gradientsAgreeWithDifferences() {
    let scores = ClosedForm.tensor("scores", [4, 4]).to(.float64)
    for bound in InformationBound.all {
      expectGradientsMatchDifferences(at: [scores]) { bound.value($0[0]) }
      if bound.name == "mine" { continue }
      expectGradientsMatchDifferences(at: [scores]) { input in
        var memory: Double?
        return bound.objective(input[0], &memory)
      }
    }
  }

  @Test func mineDividesByTheMovingAverage() {
    let bound = InformationBound.mine(decay: 0.75)
    let scores = ClosedForm.tensor("scores", [4, 4]).to(.float64)
    scores.requiresGrad = true
    var memory: Double?
    let first = grad(of: bound.objective(scores, &memory), wrt: scores)
    let plain = grad(of: InformationBound.donskerVaradhan.value(scores), wrt: scores)
    expectClose(first, plain, rtol: 1e-12, atol: 1e-12)
    let mean = Scores.logMeanExpOfOthers(scores.detach()).item()
    #expect(abs((memory ?? 0) - mean) < 1e-12)

    memory = mean + 1
    let second = grad(of: bound.objective(scores, &memory), wrt: scores)
    let average = 0.75 * exp(mean + 1) + 0.25 * exp(mean)
    #expect(abs((memory ?? 0) - log(average)) < 1e-12)
    let eye = Tensor.arange(4).unsqueeze(1) .== Tensor.arange(4)
    let expected = (-(scores.detach().exp() / (12 * average))).maskedFill(eye, 0.25)
    expectClose(second, expected, rtol: 1e-10, atol: 1e-12)
  }
}
