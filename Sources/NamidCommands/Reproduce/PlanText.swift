import NamidReproduction
import NamidTerminal

/// A plan for people: each step with what it needs, whether it is done, and what it is estimated to take.
struct PlanText {
  private let work: ReproductionWork
  private let costs: CostTable
  private let jobs: Int

  init(_ work: ReproductionWork, costs: CostTable, jobs: Int) {
    self.work = work
    self.costs = costs
    self.jobs = jobs
  }

  var text: String {
    var table = TextTable(
      ["#", "step", "needs", "state", "time", "memory"],
      alignments: [.right, .left, .left, .left, .right, .right])
    var seconds = 0.0
    var unknown = 0
    var memory = 0.0
    for (place, step) in work.plan.steps.enumerated() {
      let needs = step.needs.compactMap(work.plan.place(of:)).map { "\($0 + 1)" }
      var cells = ["\(place + 1)", step.title, needs.joined(separator: ", ")]
      if work.store.finished(step) != nil {
        cells += ["finished", "", ""]
      } else if let estimate = step.workload.flatMap(costs.estimate) {
        seconds += estimate.seconds
        memory = max(memory, estimate.memory)
        cells += ["to do", durationText(seconds: estimate.seconds), byteText(estimate.memory)]
      } else {
        unknown += 1
        cells += ["to do", "unknown", "unknown"]
      }
      table.append(cells)
    }
    let left = work.remaining.count
    let missing = unknown > 0 ? ", without \(unknown) of unknown length" : ""
    return table.text
      + "\(work.plan.steps.count) steps, \(left) to do: about \(durationText(seconds: seconds))"
      + "\(missing), at most about \(byteText(Double(jobs) * memory)) of memory\n"
      + "estimates: passes through networks times their cost, which was measured for a moment on this "
      + "machine (other work on it\nmakes them much too high); a third of all images is taken to "
      + "withstand attacks; best checkpoints count in full,\nthough those that are the last epoch's "
      + "cost nothing\n"
  }
}
