import ArgumentParser
import Foundation
import NamidFiles
import NamidInformation
import NamidTerminal
import NamidTorch

/// `namid mi theorem`.
struct TheoremCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "theorem", abstract: "Check Theorem 1 by exact enumeration.",
    discussion: """
      Theorem 1: I(X̃; Z) = I(X; Z) + I(N; Z) − I(X; N; Z) + H(Z | X, N) − H(Z | X̃). \
      Equation 3 keeps the first two terms. The identity is checked on random \
      distributions; then cases whose terms are known exactly show how good \
      Equation 3 is. See Docs/Theory.md.
      """)

  @Option(help: ArgumentHelp("Random distributions of each kind.", valueName: "n"))
  var joints = 2500
  @Option(help: "Seed of the random distributions.")
  var seed = 0
  @Flag(help: "Show bits instead of nats.")
  var bits = false
  @Flag(help: "Print everything as JSON.")
  var json = false

  /// The command's findings, as written to JSON.
  struct Findings: Encodable {
    var joints: Int
    var seed: Int
    var largestErrors: [String: Double]
    var cases: [TheoremCase]

    enum CodingKeys: String, CodingKey {
      case joints, seed, cases
      case largestErrors = "largest_errors"
    }
  }

  func validate() throws {
    if joints < 1 { throw ValidationError("--joints must be at least 1") }
  }

  func run() throws {
    var errors: [(RandomJoints.Channel, Double)] = []
    for channel in RandomJoints.Channel.allCases {
      errors.append(
        (
          channel,
          RandomJoints.largestError(
            count: joints, channel: channel, stream: RandomStream(seed: seed))
        ))
    }
    let cases = TheoremCases.all
    if json {
      let findings = Findings(
        joints: joints, seed: seed,
        largestErrors: Dictionary(uniqueKeysWithValues: errors.map { ($0.rawValue, $1) }),
        cases: cases)
      FileHandle.standardOutput.write(try JSONValue(encoding: findings).data(indent: 2))
      print()
    } else {
      show(errors, cases)
    }
    if errors.contains(where: { $0.1 > 1e-12 }) { throw ExitCode.failure }
  }

  private func show(_ errors: [(RandomJoints.Channel, Double)], _ cases: [TheoremCase]) {
    print("Equation 2, left side minus right side, the largest of \(joints) distributions each:")
    var table = TextTable(["Z is", "largest error"])
    for (channel, error) in errors {
      table.append([Self.words(channel), String(format: "%.1e", error)])
    }
    print(table.text)
    print("Equation 3 against the truth, in \(bits ? "bits" : "nats"):")
    var terms = TextTable(["case", "I(X̃;Z)", "I(X;Z)", "I(N;Z)", "I(X;N;Z)", "Eq. 3", "off by"])
    for example in cases {
      let values = bits ? example.terms.inBits : example.terms
      terms.append(
        [example.name]
          + [
            values.standard, values.natural, values.adversarial, values.coInformation,
            values.approximation, values.approximationError,
          ].map { String(format: "%.4f", $0) })
    }
    print(terms.text, terminator: "")
  }

  private static func words(_ channel: RandomJoints.Channel) -> String {
    switch channel {
    case .function: "a function of X̃"
    case .noisy: "drawn given X̃"
    case .ofBothParts: "drawn given X and N"
    case .unrelatedInput: "a function of X + N, X̃ unrelated noise"
    }
  }
}
