import Testing
@testable import NamidAttacks

struct APGDScheduleTests {
  @Test func bothAgreeForAHundredSteps() {
    for schedule in APGDSchedule.allCases {
      #expect(schedule.checkpoints(steps: 100) == [22, 41, 57, 70, 80, 87, 93, 99])
      #expect(schedule.checkpoints(steps: 200) == [44, 82, 114, 140, 160, 174, 186, 198])
    }
  }

  @Test func shortRunsFollowTheCode() {
    let code = APGDSchedule.code
    #expect(code.checkpoints(steps: 10) == Array(2...10))
    #expect(code.checkpoints(steps: 20) == [4, 7, 9] + Array(10...20))
    #expect(code.checkpoints(steps: 40) == [8, 15, 21, 26, 30, 33, 35, 37, 39])
    #expect(code.checkpoints(steps: 50) == [11, 21, 30, 38, 45])
    #expect(code.checkpoints(steps: 1) == [1])
  }

  @Test func shortRunsFollowThePaper() {
    // A checkpoint that rounding gives twice is one.
    let paper = APGDSchedule.paper
    #expect(paper.checkpoints(steps: 10) == [3, 5, 6, 7, 8, 9, 10])
    #expect(paper.checkpoints(steps: 20) == [5, 9, 12, 14, 16, 18, 19, 20])
    #expect(paper.checkpoints(steps: 40) == [9, 17, 23, 28, 32, 35, 38, 40])
    #expect(paper.checkpoints(steps: 50) == [11, 21, 29, 35, 40, 44, 47, 50])
    #expect(paper.checkpoints(steps: 1) == [1])
  }

  @Test func checkpointsRiseAndLieWithinTheRun() {
    for schedule in APGDSchedule.allCases {
      for steps in 1...300 {
        let found = schedule.checkpoints(steps: steps)
        #expect(found.first.map { $0 >= 1 } == true && found.last.map { $0 <= steps } == true)
        #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
      }
    }
  }
}
