import NamidNetworks
import NamidTestSupport
import Testing

@Suite(.serialized) struct ScheduleTests {
  struct Case: Decodable {
    let options: Options
    let rates: [Double]
  }
  struct Options: Decodable {
    var lr: Double?
    var milestones: [Int]?
    var gamma: Double?
    var steps: Int?
    var minimum: Double?
    var max_lr: Double?
    var pct_start: Double?
    var div_factor: Double?
    var final_div_factor: Double?
    var anneal: String?
  }

  @Test func ratesAreThoseOfPyTorch() throws {
    let cases = try Golden.json("schedules", as: [String: Case].self)
    #expect(cases.count == 7)
    for (name, golden) in cases {
      let o = golden.options
      let schedule: Schedule
      if name == "multi_step" {
        schedule = Schedules.multiStep(
          try #require(o.lr), milestones: try #require(o.milestones), gamma: try #require(o.gamma))
      } else if name.hasPrefix("cosine") {
        schedule = Schedules.cosine(
          try #require(o.lr), steps: try #require(o.steps), minimum: try #require(o.minimum))
      } else {
        schedule = Schedules.oneCycle(
          try #require(o.max_lr), steps: try #require(o.steps), warmUp: try #require(o.pct_start),
          divisor: try #require(o.div_factor), finalDivisor: try #require(o.final_div_factor),
          annealing: try #require(o.anneal.flatMap(Schedules.Annealing.init)))
      }
      let rates = golden.rates.indices.map(schedule)
      expectClose(rates, golden.rates, rtol: 1e-12, atol: 1e-16, name)
    }
  }

  @Test func aConstantStays() {
    let schedule = Schedules.constant(0.3)
    #expect([0, 1, 1_000_000].map(schedule) == [0.3, 0.3, 0.3])
  }

  @Test func aRampRisesToTheSchedule() {
    let ramp = Schedules.ramp(Schedules.multiStep(0.4, milestones: [6]), steps: 4)
    expectClose((0..<8).map(ramp), [0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.04, 0.04], rtol: 1e-12)
  }

  @Test func schedulesStayAtTheirEnd() {
    let cosine = Schedules.cosine(0.1, steps: 10, minimum: 0.01)
    expectClose([10, 11, 100].map(cosine), [0.01, 0.01, 0.01], rtol: 1e-12)
    let cycle = Schedules.oneCycle(0.2, steps: 10)
    expectClose([9, 10, 100].map(cycle), [8e-7, 8e-7, 8e-7], rtol: 1e-9)
  }

  @Test func shortSchedulesAreFinite() {
    for steps in 0...4 {
      for warmUp in [0, 0.25, 0.5, 1] {
        let cycle = Schedules.oneCycle(0.2, steps: steps, warmUp: warmUp)
        #expect(
          (0..<6).allSatisfy { cycle($0).isFinite && cycle($0) > 0 && cycle($0) <= 0.2 + 1e-12 })
      }
      let cosine = Schedules.cosine(0.2, steps: steps)
      #expect((0..<6).allSatisfy { cosine($0).isFinite && cosine($0) >= 0 })
    }
  }
}
