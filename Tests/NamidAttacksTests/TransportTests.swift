import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct TransportTests {
  // MARK: Windows and plans

  @Test func windowsListOffsetsRowByRow() {
    let odd = TransportWindow(side: 3)
    let diagonal = 2.0.squareRoot()
    #expect(odd.distances == [diagonal, 1, diagonal, 1, 0, 1, diagonal, 1, diagonal])
    #expect(odd.centre == 4)
    // From −2 to 1 in both directions.
    let even = TransportWindow(side: 4)
    #expect(even.centre == 10 && even.distances[10] == 0 && even.distances[11] == 1)
    #expect(even.distances[0] == 8.0.squareRoot() && even.distances[15] == diagonal)
    #expect(TransportWindow(side: 5).rings.map(\.offsets.count) == [1, 4, 4, 4, 8, 4])
  }

  @Test func destinationsAreThePixelsAround() {
    let image = Tensor((0..<6).map { Float($0) }, shape: [1, 1, 2, 3])
    let around = TransportWindow(side: 3).destinations(image)
    #expect(around.shape == [1, 1, 9, 6])
    let none = -Double.infinity
    // The pixel in the first row and second column.
    #expect(around.select(3, 1).doubles == [none, none, none, 0, 1, 2, 3, 4, 5])
    #expect(around.select(3, 5).doubles == [1, 2, none, 4, 5, none, none, none, none])
    let even = TransportWindow(side: 2).destinations(image)
    #expect(even.select(3, 4).doubles == [0, 1, 3, 4])
  }

  @Test(arguments: [1, 2, 3, 4, 5]) func arrivalsAreTheTransposeOfDestinations(_ side: Int) {
    let window = TransportWindow(side: side)
    let values = ClosedForm.tensor("values", [2, 3, 4, 5])
    let reached = window.destinations(values)
    let isInside = reached.isfinite()
    let masses = ClosedForm.tensor("masses", [2, 3, side * side, 20])
      .maskedFill(isInside.logicalNot(), 0)
    let left = (window.arrivals(masses, height: 4, width: 5) * values).sum().item()
    let right = (masses * reached.maskedFill(isInside.logicalNot(), 0)).sum().item()
    expectClose(left, right, rtol: 1e-5)
    let images = ClosedForm.picture([2, 3, 4, 5])
    expectIdentical(TransportPlan(staying: images, window: window).arrivals, images)
  }

  @Test func certificatesTellWhatIsWrong() {
    let images = ClosedForm.picture([3, 2, 3, 3])
    let window = TransportWindow(side: 3)
    func certificates(_ change: (Tensor) -> Void) -> [TransportCertificate] {
      let masses = TransportPlan(staying: images, window: window).masses.clone()
      change(masses.select(0, 1))
      return TransportPlan(window: window, masses: masses, images: images).certificates
    }
    let staying = certificates { _ in }
    #expect(staying.allSatisfy { $0.holds(radius: 0) && $0.cost == 0 && $0.smallestMass == 0 })
    // From here, channel 0 and the middle pixel, whose offset 5 leads right and 4 nowhere.
    let right = (channel: 0, offset: 5, pixel: 4)
    func add(_ masses: Tensor, _ offset: Int, _ value: Double, pixel: Int = 4) {
      let place = masses.select(0, right.channel).select(0, offset).slice(pixel..<pixel + 1)
      place.add_(place.fullLike(value))
    }
    let moved = certificates {
      add($0, 5, 0.1)
      add($0, 4, -0.1)
    }
    let total = images.select(0, 1).sum().item()
    expectClose(moved[1].cost, 0.1 / total, rtol: 1e-5)
    #expect(moved[1].holds(radius: 0.1 / total) && !moved[1].holds(radius: 0.09 / total))
    #expect(moved[0] == staying[0] && moved[2] == staying[2])
    let negative = certificates {
      add($0, 5, -0.01)
      add($0, 4, 0.01)
    }
    #expect(negative[1].smallestMass < 0 && !negative[1].holds(radius: 1))
    let invented = certificates { add($0, 5, 0.01) }
    expectClose(invented[1].rowError, 0.01, rtol: 1e-3)
    #expect(!invented[1].holds(radius: 1))
    // To the right of the last column is nothing.
    let lost = certificates {
      add($0, 5, 0.1, pixel: 5)
      add($0, 4, -0.1, pixel: 5)
    }
    expectClose(lost[1].totalError, 0.1 / total, rtol: 1e-3)
    #expect(lost[1].rowError < 1e-6 && !lost[1].holds(radius: 1))
  }

  // MARK: The linear step

  /// One image (1, 1, H, W) and what mass gains at each of its pixels.
  func example(_ height: Int, _ width: Int, _ key: String) -> (image: Tensor, gains: Tensor) {
    let shape = [1, 1, height, width]
    let image = ClosedForm.picture(shape, "image \(key)") - 0.2
    let gains = ClosedForm.tensor("gains \(key)", shape)
    return (image.clamp(min: 0), gains / gains.abs().max())
  }

  func budget(_ image: Tensor, side: Int, radius: Double) -> TransportBudget {
    TransportBudget(window: TransportWindow(side: side), radius: radius, images: image)
  }

  func oracle(_ image: Tensor, side: Int, radius: Double) -> TransportOracle {
    TransportOracle(
      image.doubles, height: image.size(2), width: image.size(3), side: side, radius: radius)
  }

  func gain(_ masses: Tensor, _ image: Tensor, _ gains: Tensor, side: Int) -> Double {
    let window = TransportWindow(side: side)
    return (window.arrivals(masses, height: image.size(2), width: image.size(3)) * gains)
      .to(.float64).sum().item()
  }

  @Test(arguments: [(4, 4, 3), (4, 4, 5), (2, 6, 4)])
  func withoutEntropyTheLinearStepIsTheExactLinearProgram(_ height: Int, _ width: Int, _ side: Int)
  {
    for radius in [0.005, 0.05, 0.4, 3] {
      let (image, gains) = example(height, width, "\(side)")
      let exact = oracle(image, side: side, radius: radius).largestGain(gains.doubles)
      let staying = (image * gains).to(.float64).sum().item()
      #expect(exact > staying + 1e-3)
      var shortfalls: [Double] = []
      for gamma in [1e-1, 1e-2, 1e-3, 1e-5] {
        let masses = EntropicTransport(
          budget: budget(image, side: side, radius: radius), gamma: gamma, evaluations: 80
        ).masses(along: gains)
        shortfalls.append(
          (exact - gain(masses, image, gains, side: side)) / (exact - staying))
      }
      #expect(shortfalls.allSatisfy { $0 > -1e-4 }, "radius \(radius): \(shortfalls)")
      #expect(shortfalls[3] < 2e-3, "radius \(radius): \(shortfalls)")
      #expect(zip(shortfalls, shortfalls.dropFirst()).allSatisfy { $0 > $1 - 2e-3 })
    }
  }

  @Test(arguments: [3, 4, 5]) func theLinearStepIsTheEntropicOptimum(_ side: Int) {
    for (radius, gamma) in [(0.02, 0.05), (0.2, 0.3), (50, 0.1)] {
      let (image, gains) = example(4, 3, "entropy \(side)")
      let masses = EntropicTransport(
        budget: budget(image, side: side, radius: radius), gamma: gamma, evaluations: 60
      ).masses(along: gains)
      let expected = oracle(image, side: side, radius: radius).entropic(
        gains.doubles, gamma: gamma)
      expectClose(
        masses.view([side * side, 12]).transpose(0, 1).doubles, expected.flatMap { $0 },
        rtol: 1e-2, atol: 1e-6, "radius \(radius)")
    }
  }

  // MARK: The projection

  /// Compares projections of plans moved by `step` with those found by bisection.
  func expectNearestPlans(
    _ images: Tensor, side: Int, step: Double, radius: Double, priceSteps: Int = 15
  ) {
    let budget = budget(images, side: side, radius: radius)
    let (count, pixels) = (images.size(0), images.size(2) * images.size(3))
    var plan = TransportPlan(staying: images, window: budget.window)
    var prices = images.sum([1, 2, 3]).zerosLike()
    /// One image's values as (pixels, offsets); nothing where an offset leads outside.
    func rows(_ masses: Tensor, _ sample: Int) -> Tensor {
      let values = masses.select(0, sample).view([side * side, pixels]).transpose(0, 1)
      return values.maskedFill(values .< -1e9, 0)
    }
    for round in 0..<3 {
      let gains = ClosedForm.tensor("gains \(round)", images.shape)
      let target = budget.window.destinations(gains * step) + plan.masses
      let (masses, found) = TransportProjection(budget: budget, priceSteps: priceSteps).masses(
        nearestTo: target, from: prices, rowTolerance: 1e-6 * (1 + step))
      prices = found
      for sample in 0..<count {
        let image = images.slice(sample..<sample + 1)
        let wanted = rows(target, sample)
        let expected = oracle(image, side: side, radius: radius).projection(
          (0..<pixels).map { wanted.select(0, $0).doubles })
        // A thousandth of the budget may be left unspent.
        expectClose(
          rows(masses, sample).doubles, expected.flatMap { $0 }, rtol: 1e-3,
          atol: 2e-3 * min(step, radius),
          "side \(side), step \(step), radius \(radius), round \(round), sample \(sample)")
      }
      plan = TransportPlan(window: budget.window, masses: masses, images: images)
      #expect(plan.certificates.allSatisfy { $0.holds(radius: radius) })
      #expect(prices.min().item() >= 0)
    }
  }

  @Test(arguments: [(3, 0.01), (5, 0.01), (4, 0.05), (5, 0.3)])
  func projectionsAreTheNearestPlans(_ side: Int, _ step: Double) {
    let images = Tensor.cat(
      (0..<6).map { example(3, 4, "nearest \($0)").image }
        // A black image and one without contrast.
        + [.zeros([1, 1, 3, 4]), .full([1, 1, 3, 4], 0.3)])
    for radius in [0.005, 0.1, 10] {
      expectNearestPlans(images, side: side, step: step, radius: radius)
    }
  }

  @Test func projectionsOfPlansFarAwayAreFoundToo() {
    // Steps longer than masses: Newton's steps alone would run in circles.
    let bright = Tensor.uniform(streams(Array(0..<8)), shape: [1, 3, 4])
    let rounded = (bright * 3).floor() * 0.3 + 0.001
    for side in [3, 4] {
      for (step, radius) in [(0.3, 0.005), (5, 0.005), (5, 0.05)] {
        expectNearestPlans(rounded, side: side, step: step, radius: radius, priceSteps: 30)
      }
    }
  }

  @Test func aProjectionDoesNotWaitForOthers() {
    // A black image is done at once, one with a long way to go is not; each gets what it gets alone.
    let images = Tensor.cat([
      .zeros([1, 1, 3, 4]), example(3, 4, "a").image, example(3, 4, "b").image,
    ])
    func masses(_ images: Tensor, _ gains: Tensor) -> Tensor {
      let budget = budget(images, side: 3, radius: 0.05)
      let target =
        budget.window.destinations(gains)
        + TransportPlan(staying: images, window: budget.window).masses
      return TransportProjection(budget: budget, priceSteps: 15).masses(
        nearestTo: target, from: .zeros([images.size(0)]), rowTolerance: 1e-5
      ).masses
    }
    let gains =
      ClosedForm.tensor("gains", images.shape)
      * Tensor([Float(1), 0.01, 4], shape: [3, 1, 1, 1])
    let together = masses(images, gains)
    for sample in 0..<3 {
      let rows = sample..<sample + 1
      expectIdentical(masses(images.slice(rows), gains.slice(rows)), together.slice(rows).clone())
    }
  }

  @Test func aPlanIsItsOwnProjection() {
    let images = ClosedForm.picture([4, 3, 5, 6])
    let budget = budget(images, side: 5, radius: 0.02)
    let masses = EntropicTransport(budget: budget, gamma: 0.01, evaluations: 40)
      .masses(along: ClosedForm.tensor("gains", images.shape))
    let target = budget.window.destinations(images.zerosLike()) + masses
    let again = TransportProjection(budget: budget, priceSteps: 15).masses(
      nearestTo: target, from: .zeros([4]), rowTolerance: 1e-6)
    expectClose(again.masses, masses, rtol: 1e-3, atol: 1e-5)
  }

  @Test func aPlanThatIsNotAllowedIsMadeOneThatIs() {
    let images = ClosedForm.picture([3, 2, 4, 4])
    for radius in [0, 0.01, 5] {
      let budget = budget(images, side: 3, radius: radius)
      let inside = budget.window.destinations(images).isfinite()
      // Masses that have nothing to do with the images; one pixel sends nothing at all.
      let masses = (ClosedForm.tensor("wild", [3, 2, 9, 16]).abs() * 3)
        .maskedFill(inside.logicalNot(), 0)
      masses.select(3, 5).zero_()
      budget.restrict_(masses)
      let plan = TransportPlan(window: budget.window, masses: masses, images: images)
      #expect(plan.certificates.allSatisfy { $0.holds(radius: radius, tolerance: 1e-5) })
      if radius == 0 { expectClose(plan.arrivals, images, rtol: 1e-6) }
    }
  }
}
