import Foundation
import NamidTorch
import Testing
@testable import NamidInformation

@Suite(.serialized) struct Theorem1Tests {
  @Test(arguments: RandomJoints.Channel.allCases)
  func theIdentityHoldsForRandomJoints(_ channel: RandomJoints.Channel) {
    let error = RandomJoints.largestError(
      count: 2500, channel: channel, stream: RandomStream(seed: 11))
    #expect(error < 1e-12, "\(channel): \(error)")
  }

  @Test func theOppositeSignFails() {
    let parity = TheoremCases.parity.terms.inBits
    #expect(abs(parity.coInformation + 1) < 1e-12)
    let wrong = parity.natural + parity.adversarial + parity.coInformation
    #expect(abs(wrong + 1) < 1e-12 && abs(parity.standard - 1) < 1e-12)
  }

  @Test func theTableOfCounterexamples() {
    // In bits: standard, natural, adversarial, co-information, Equation 3.
    let bits: [(TheoremCase, [Double])] = [
      (TheoremCases.parity, [1, 0, 0, -1, 0]),
      (TheoremCases.and, [0.8112781, 0.3112781, 0.3112781, -0.1887219, 0.6225562]),
      (TheoremCases.bitSum, [1.5, 0.5, 0.5, -0.5, 1]),
      (TheoremCases.deterministic, [1, 1, 1, 1, 2]),
    ]
    for (example, expected) in bits {
      let terms = example.terms.inBits
      let values = [
        terms.standard, terms.natural, terms.adversarial, terms.coInformation, terms.approximation,
      ]
      #expect(
        zip(values, expected).allSatisfy { abs($0 - $1) < 1e-7 }, "\(example.name): \(values)")
      #expect(abs(terms.identityError) < 1e-12)
    }
    // In nats.
    for (m, expected) in [
      (16, [3.27, 0.496, -2.28]), (256, [6.05, 0.500, -5.05]), (1024, [7.43, 0.500, -6.43]),
    ] {
      let terms = TheoremCases.uniformSum(m).terms
      let values = [terms.standard, terms.natural, terms.coInformation]
      #expect(
        zip(values, expected).allSatisfy { abs($0 - $1) < 0.006 }, "m = \(m): \(values)")
      #expect(abs(terms.natural - terms.adversarial) < 1e-12)
      #expect(abs(terms.identityError) < 1e-11)
    }
    for (sigma, expected) in [
      (1.0, [0.41, 0.29, 0.06, -0.05, 0.35]), (0.3, [1.35, 0.69, 0.10, -0.56, 0.79]),
      (0.1, [2.42, 0.79, 0.11, -1.52, 0.90]), (0.01, [4.72, 0.80, 0.11, -3.80, 0.92]),
    ] {
      let terms = TheoremCases.gaussian(sigma).terms
      let values = [
        terms.standard, terms.natural, terms.adversarial, terms.coInformation, terms.approximation,
      ]
      #expect(
        zip(values, expected).allSatisfy { abs($0 - $1) < 0.0075 }, "σ = \(sigma): \(values)")
      #expect(abs(terms.identityError) < 1e-12)
    }
  }

  @Test func whatXTellsBeyondThePartsIsNothingForAFunctionOfX() {
    for index in 0..<200 {
      let joint = RandomJoints.joint(.noisy, stream: RandomStream(seed: 5).keyed(index))
      let terms = Theorem1(joint)
      #expect(abs(terms.entropyGivenParts - terms.entropyGivenInput) < 1e-12)
      #expect(abs(joint.mutualInformation(["x", "n"], ["z"]) - terms.standard) < 1e-12)
    }
    // With a channel that sees both parts it is something.
    let gaps = (0..<200).map { index in
      let terms = Theorem1(
        RandomJoints.joint(.ofBothParts, stream: RandomStream(seed: 5).keyed(index)))
      return abs(terms.entropyGivenParts - terms.entropyGivenInput)
    }
    #expect(gaps.contains { $0 > 0.05 })
  }

  @Test func aDeterministicAttackIsCountedTwice() {
    for index in 0..<100 {
      var stream = RandomStream(seed: 9).keyed(index)
      let attack = (0..<6).map { _ in stream.integer(below: 3) }
      let joint = DiscreteJoint(
        ["x", "n", "input", "z"],
        outcomes: attack.indices.map { x in
          (
            values: [x, attack[x], x + attack[x], (x + attack[x]) % 3],
            weight: Double(stream.uniform()) + 0.01
          )
        })
      let terms = Theorem1(joint)
      #expect(abs(terms.coInformation - terms.adversarial) < 1e-12)
      #expect(abs(terms.approximationError - terms.adversarial) < 1e-12)
    }
  }

  @Test func entropiesOfKnownDistributions() {
    let joint = DiscreteJoint(
      ["a", "b"], outcomes: [([0, 7], 1), ([0, 7], 1), ([1, 7], 2), ([5, -3], 0)])
    #expect(abs(joint.entropy("a") - log(2)) < 1e-15)
    #expect(joint.entropy("b") == 0 && joint.entropy() == 0)
    #expect(abs(joint.entropy("a", "b") - log(2)) < 1e-15)
    #expect(abs(joint.entropy(of: ["a"], given: ["b"]) - log(2)) < 1e-15)
    #expect(joint.mutualInformation(["a"], ["b"]) == 0)
    #expect(abs(joint.mutualInformation(["a"], ["a"]) - log(2)) < 1e-15)
  }
}
