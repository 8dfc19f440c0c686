import NamidAttacks
import NamidData
import NamidEvaluation
import NamidSettings
import NamidTorch

/// Attacks of every kind with small budgets: verdicts and costs on a device beside those on the CPU.
enum AttackChecks {
  private static let count = 32
  private static let budgets: [(norm: Norm, epsilon: Fraction, attacks: String)] = [
    (
      .linf, Fraction(3, over: 255),
      "pgd-10,pgd-5:start=uniform,apgd-ce-10,apgd-dlr-10,apgd-t-8:targets=2,fab:steps=5,"
        + "fab-t:steps=4:targets=2,square:queries=60,fmn-10,ti-dim-5,fwa-3"
    ),
    (
      .l2, Fraction(2, over: 10),
      "pgd-10,apgd-ce-10,apgd-t-8:targets=2,fab-t:steps=4:targets=2,square:queries=60,"
        + "cw-20:search_steps=2,ddn-10,fmn-10"
    ),
    (.l1, Fraction(3, over: 1), "apgd-ce-10,fab-t:steps=4:targets=2,square:queries=60,fmn-10"),
  ]

  /// Adds a row per attack and norm.
  ///
  /// Rounding differs between devices, so that an image at the very edge may fall on either side: one verdict in 32
  /// may differ.
  static func run(
    _ subject: SelfTestSubject, on device: Device, into report: inout SelfTestReport
  ) throws {
    for (norm, epsilon, list) in budgets {
      let threat = ThreatModel(norm: norm, epsilon: epsilon)
      for attack in try Parts.catalog.attacks(list, in: threat) {
        let outcomes = try [Device.cpu, device].map { place in
          Evaluator(
            try subject.network(on: place),
            on: ImageTensors(SelfTestSubject.images(count), device: place), seed: 0
          ).run(attack)
        }
        let differing = zip(outcomes[0].isRobust, outcomes[1].isRobust).count { $0 != $1 }
        let robust = outcomes.map { $0.isRobust.count { $0 } }
        report.add(
          SelfTestReport.Row(
            part: "attacks", name: "\(attack.name) \(norm.rawValue)",
            difference: Double(differing), limit: 1, unit: "of \(count) verdicts",
            remark: "\(robust[0]) robust on the CPU, \(robust[1]) here"))
      }
    }
  }
}
