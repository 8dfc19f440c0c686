import ArgumentParser
import Foundation
import NamidFiles
import NamidTorch

/// `namid selftest`.
struct SelfTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selftest",
    abstract: "Compare a device with the CPU: operators, attacks, training, resuming.",
    discussion: """
      Takes less than a minute. A row is one comparison; the exit status is 1 if \
      any of them is further from the CPU than it may be. Run it before trusting \
      a new card, driver or libtorch.

      Examples:
        namid selftest --device cuda
        namid selftest --json selftest.json
      """)

  @OptionGroup var place: DeviceOptions
  @OptionGroup var output: FigureOutput

  func run() throws {
    let device = try place.prepare()
    try output.check()
    let begin = ContinuousClock.now
    var report = SelfTestReport(device: device)
    OperatorChecks.run(on: device, into: &report)
    let subject = try SelfTestSubject()
    try PrecisionChecks.run(subject, on: device, into: &report)
    try AttackChecks.run(subject, on: device, into: &report)
    try TrainingChecks.run(subject, on: device, into: &report)
    try GraphChecks.run(subject, on: device, into: &report)
    try TrainingChecks.resume(on: device, into: &report)
    report.seconds = (ContinuousClock.now - begin) / .seconds(1)
    try output.write(report, asText: report.text)
    if !report.failures.isEmpty { throw ExitCode.failure }
  }
}
