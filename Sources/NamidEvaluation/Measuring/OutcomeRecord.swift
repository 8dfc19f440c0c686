import NamidAttacks
import NamidTorch

/// Gathers what the members of an attack did, one after another, into the attack's outcome.
struct OutcomeRecord {
  private let attack: any Attack
  private let evaluator: Evaluator
  private let clean: [Verdict]
  private var steps: [(member: any Attack, attacked: [Int], results: MemberResults)] = []
  /// The samples that the next member is to attack.
  private(set) var standing: [Int]

  private var isTransfer: Bool { evaluator.source != nil }

  init(_ attack: any Attack, evaluator: Evaluator, clean: MemberResults) {
    self.attack = attack
    self.evaluator = evaluator
    self.clean = (0..<evaluator.data.count).compactMap { clean.verdicts[$0] }
    let verdicts = self.clean
    // A transfer attack's image is judged on its own, whatever the network makes of the unattacked one.
    let takesAll = evaluator.source != nil && attack.changesImages
    standing = verdicts.indices.filter { takesAll || !verdicts[$0].fooled }
  }

  /// Adds what a member did to all samples that were standing.
  mutating func append(_ member: any Attack, attacked: [Int], results: MemberResults) {
    steps.append((member, attacked, results))
    standing = attacked.filter { !isFooled($0, results) }
  }

  /// Checks whether a member has fooled a sample; in a transfer, an unusable image leaves the verdict to the clean one.
  private func isFooled(_ sample: Int, _ results: MemberResults) -> Bool {
    guard let verdict = results.verdicts[sample] else { return false }
    return isTransfer && verdict.problem != nil ? clean[sample].fooled : verdict.fooled
  }

  // MARK: Summing up

  func outcome(keepsImages: Bool) -> Evaluator.Outcome {
    var isRobust = [Bool](repeating: false, count: clean.count)
    for sample in standing { isRobust[sample] = true }
    var costs = clean.map(\.cost)
    for step in steps {
      for sample in step.attacked {
        if let verdict = step.results.verdicts[sample] { costs[sample] += verdict.cost }
      }
    }
    let distances = distances
    return Evaluator.Outcome(
      report: report(isRobust: isRobust, costs: costs, distances: distances), isRobust: isRobust,
      costs: costs, distances: distances, images: keepsImages ? images : nil)
  }

  private func report(isRobust: [Bool], costs: [Cost], distances: [Float]?) -> AttackReport {
    let members = steps.map { step in memberReport(step.member, step.attacked, step.results) }
    var report = AttackReport(
      name: attack.name, robust: isRobust.count(where: \.self), total: clean.count,
      cost: costs.reduce(Cost(), +),
      seconds: clean.reduce(0) { $0 + $1.seconds } + members.reduce(0) { $0 + $1.seconds },
      settings: attack.record)
    report.members = members.count > 1 ? members : nil
    report.refused = steps.isEmpty ? nil : RefusedClaims(members.map(\.refused))
    report.samples = SampleRecords(
      isRobust: isRobust, costs: costs, distances: distances,
      fooledBy: members.count > 1 ? clean.indices.map(fooler) : nil)
    if let distances {
      report.minimumNorm = MinimumNormReading(
        distances: distances, isRight: clean.map { !$0.fooled }, ball: attack.ball,
        valuesPerImage: evaluator.valuesPerImage)
    }
    if isTransfer {
      let right = clean.indices.filter { !clean[$0].fooled }
      report.cleanRight = Share(right.count { isRobust[$0] }, of: right.count)
    }
    return report
  }

  private func memberReport(
    _ member: any Attack, _ attacked: [Int], _ results: MemberResults
  ) -> MemberReport {
    let verdicts = attacked.compactMap { results.verdicts[$0] }
    let fooled = attacked.count { isFooled($0, results) }
    return MemberReport(
      name: member.name, settings: member.record, attacked: attacked.count, fooled: fooled,
      robust: attacked.count - fooled, refused: RefusedClaims(verdicts.compactMap(\.problem)),
      cost: verdicts.reduce(Cost()) { $0 + $1.cost },
      seconds: verdicts.reduce(0) { $0 + $1.seconds })
  }

  /// The place of the member that fooled a sample, or −1.
  private func fooler(_ sample: Int) -> Int {
    steps.firstIndex { $0.results.verdicts[sample]?.fooled == true } ?? -1
  }

  /// Sizes of the smallest perturbations, 0 for images wrong unattacked; nil unless all of them have been checked.
  private var distances: [Float]? {
    guard steps.count == 1, !steps[0].attacked.isEmpty, !isTransfer else { return nil }
    var distances = clean.map { _ in Float(0) }
    for sample in steps[0].attacked {
      guard let distance = steps[0].results.verdicts[sample]?.distance else { return nil }
      distances[sample] = distance
    }
    return distances
  }

  /// The attacked images: one that fools the network where there is one, else what the first member has tried.
  private var images: Tensor {
    let all = evaluator.data.batch(Array(clean.indices)).images.to(.cpu).contiguous()
    for (place, step) in steps.enumerated() {
      let attacked = Set(step.attacked)
      for (samples, images) in step.results.images {
        let rows = samples.indices.filter { row in
          attacked.contains(samples[row])
            && (place == 0 || step.results.verdicts[samples[row]]?.fooled == true)
        }
        if rows.isEmpty { continue }
        all.indexCopy_(
          Tensor(rows.map { samples[$0] }, shape: [rows.count]),
          images.indexSelect(Tensor(rows, shape: [rows.count])))
      }
    }
    return all
  }
}
