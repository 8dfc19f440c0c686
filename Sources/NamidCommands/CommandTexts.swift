import NamidReports
import NamidTerminal

/// The tool's command lines for cards and reports.
struct ToolTexts: CommandTexts {
  let quickstart = "namid quickstart"
  let further = [
    "namid evaluate RUN --attack clean,pgd-40:restarts=5",
    "namid train --defense standard --dataset cifar10 --out runs/at",
  ]
  let transfer = "namid transfer"

  func training(configuration: String, into folder: String) -> String {
    ShellWords.line(["namid", "train", "--config", configuration, "--out", folder])
  }

  func evaluation(_ measurement: RepeatedMeasurement) -> String {
    var words = ["namid", "evaluate", measurement.run]
    let add = { (flag: String, value: String?) in
      if let value { words += [flag, value] }
    }
    add("--checkpoint", measurement.epoch.map { "\($0)" })
    add("--attack", measurement.attacks)
    add("--split", measurement.split)
    add("--limit", measurement.limit.map { "\($0)" })
    add("--norm", measurement.threat?.norm.rawValue)
    add("--epsilon", measurement.threat?.epsilon.description)
    add("--seed", measurement.seed == 0 ? nil : "\(measurement.seed)")
    return ShellWords.line(words) + (measurement.hasOtherData ? " --dataset …" : "")
  }
}
