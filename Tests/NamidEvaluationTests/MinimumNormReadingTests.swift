import NamidAttacks
import NamidSettings
import Testing
@testable import NamidEvaluation

/// Robust accuracy at every radius, from sizes.
@Suite struct MinimumNormReadingTests {
  private let ball = ThreatModel(norm: .l2, epsilon: Fraction(1, over: 2))
  private let distances: [Float] = [0, 0, 0.1, 0.4, 0.5, 0.7, 2, .infinity]

  private var reading: MinimumNormReading {
    MinimumNormReading(
      distances: distances, isRight: distances.map { $0 > 0 }, ball: ball, valuesPerImage: 3072)
  }

  @Test func sharesAndMedians() {
    #expect(reading.withinEpsilon == 3.0 / 8)
    #expect(reading.unbounded == 1.0 / 8)
    #expect(reading.median == (Double(Float(0.4)) + 0.5) / 2)
    // Among those right: 0.1, 0.4, 0.5, 0.7, 2, ∞.
    let middle = (Double(Float(0.5)) + Double(Float(0.7))) / 2
    #expect(reading.medianAmongRight == middle)
  }

  @Test func theCurveFallsFromCleanAccuracy() {
    #expect(reading.radii.count == 21)
    #expect(reading.radii.first == 0 && reading.radii[10] == 0.5 && reading.radii.last == 1)
    #expect(reading.accuracies.first == 6.0 / 8)
    #expect(reading.accuracies[10] == reading.withinEpsilon)
    #expect(reading.accuracies.last == 2.0 / 8)
    #expect(zip(reading.accuracies, reading.accuracies.dropFirst()).allSatisfy { $0 >= $1 })
  }

  @Test func withoutARadiusTheCurveReachesTheLargestSize() {
    for ball in [nil, ThreatModel(norm: .l2, epsilon: 0)] {
      let reading = MinimumNormReading(
        distances: distances, isRight: distances.map { $0 > 0 }, ball: ball, valuesPerImage: 12)
      #expect(reading.radii.last == 2)
      #expect(reading.accuracies.last == 1.0 / 8)
    }
  }

  @Test func mostWithstanding() {
    let reading = MinimumNormReading(
      distances: [.infinity, .infinity, 0.3], isRight: [true, true, true], ball: ball,
      valuesPerImage: 12)
    #expect(reading.median == .infinity)
    #expect(reading.unbounded == 2.0 / 3)
  }

  @Test func nothing() {
    let reading = MinimumNormReading(distances: [], isRight: [], ball: ball, valuesPerImage: 12)
    #expect(reading.median == nil && reading.withinEpsilon == 0)
  }
}
