import Foundation
import NamidTestSupport
import Testing
@testable import NamidFiles
@testable import NamidSettings

/// Every message that a user can provoke, word for word.
@Suite struct ConfigurationErrorTests {
  @Test(arguments: [
    (
      "defense.lamda=3",
      #"unknown key "defense.lamda": did you mean "defense.lambda"? (valid: kind, alpha, lambda, warmUp)"#
    ),
    (
      "lambda=3",
      #"unknown key "lambda": did you mean "defense.lambda"? (valid: name, epochs, learningRate, "#
        + "milestones, augment, note, attack, defense, average, widths)"
    ),
    (
      "attack.zzz.deep=3", #"unknown key "attack.zzz" (valid: epsilon, steps)"#
    ),
    (
      "average.dekay=0.5",
      #"unknown key "average.dekay": did you mean "average.decay"? (valid: decay, every)"#
    ),
    ("epochs=many", #"epochs: expected an integer, found "many""#),
    ("epochs=1.5", "epochs: expected an integer from 0 to 65535, found 1.5"),
    ("epochs=-1", "epochs: expected an integer from 0 to 65535, found -1"),
    ("epochs=70000", "epochs: expected an integer from 0 to 65535, found 70000"),
    ("epochs=null", "epochs: expected an integer, found null"),
    ("epochs={a: 1}", "epochs: expected an integer, found a group (a)"),
    ("epochs.x=1", "epochs: expected an integer, found a group (x)"),
    ("attack.steps=2.5", "attack.steps: expected an integer, found 2.5"),
    ("attack.steps=1e30", "attack.steps: expected an integer, found 1e+30"),
    ("learningRate=fast", #"learningRate: expected a number, found "fast""#),
    ("learningRate=.nan", #"learningRate: expected a number, found "nan""#),
    ("learningRate='nan'", #"learningRate: expected a number, found "nan""#),
    ("name=7", "name: expected a text, found 7 (in quotes it is a text)"),
    ("name=null", #"name: expected a text, found null (an empty text is "")"#),
    ("augment=1", "augment: expected true or false, found 1"),
    ("milestones=7", "milestones: expected a list, found 7"),
    ("milestones=[7, x]", #"milestones[1]: expected an integer, found "x""#),
    ("defense=namid", #"defense: expected a group of keys, found "namid""#),
    (
      "defense.kind=nammid",
      #"defense.kind: unknown choice "nammid": did you mean "namid"? (choices: natural, standard, namid)"#
    ),
    ("defense.kind=3", "defense.kind: expected one of natural, standard, namid, found 3"),
    (
      "attack.epsilon=8/0",
      #"attack.epsilon: expected a number such as 8/255, 0.031 or 1e-3, found "8/0""#
    ),
    ("average.decay=1", "average.decay: must lie in [0, 1), found 1"),
  ])
  func refusedOverride(override: String, expected: String) {
    let text = message {
      _ = try ConfigurationLoader.load(defaults: Settings(), overrides: [override])
    }
    #expect(text == "override \"\(override)\": \(expected)")
  }

  @Test(arguments: [
    ("epochs", "expected key.path=value"),
    ("=3", "expected a key before \"=\""),
    ("attack..steps=3", "expected a key before \"=\""),
    ("name=", "expected a value after \"=\" (null for none, \"\" for an empty text)"),
  ])
  func unreadableOverride(override: String, expected: String) {
    let text = message {
      _ = try ConfigurationLoader.load(defaults: Settings(), overrides: [override])
    }
    #expect(text == "override \"\(override)\": \(expected)")
  }

  @Test func valuesThatAreNoYAMLAskForQuotes() throws {
    let text = try #require(
      message { _ = try ConfigurationLoader.load(defaults: Settings(), overrides: ["name=@x"]) })
    #expect(text.hasPrefix("override \"name=@x\": "))
    #expect(text.hasSuffix("(quote texts with special characters)"))
  }

  private func fileMessage(_ content: String, name: String = "a.yaml") throws -> String? {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: name)
      try Data(content.utf8).write(to: url)
      let text = message { _ = try ConfigurationLoader.load(defaults: Settings(), file: url) }
      return text?.replacing(url.path, with: name)
    }
  }

  @Test func faultsInFilesComeWithTheirLine() throws {
    #expect(
      try fileMessage("epochs: 3\nattack:\n  # why\n  stepz: 3\n")
        == #"a.yaml:4: unknown key "attack.stepz": did you mean "attack.steps"? "#
        + "(valid: epsilon, steps)")
    #expect(
      try fileMessage("name: x\nmilestones:\n  - 3\n  - x\n")
        == #"a.yaml:4: milestones[1]: expected an integer, found "x""#)
    #expect(
      try fileMessage(#"{"epochs": "x"}"#, name: "a.json")
        == #"a.json: epochs: expected an integer, found "x""#)
  }

  @Test func theLastWordIsBlamed() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "a.yaml")
      try Data("defense: {lambda: 1}".utf8).write(to: url)
      let text = message {
        _ = try ConfigurationLoader.load(
          defaults: Settings(), file: url, overrides: ["defense={lambda: x}"])
      }
      #expect(text?.hasPrefix("override \"defense={lambda: x}\": defense.lambda: ") == true)
    }
  }

  @Test func filesThatAreNoConfigurations() throws {
    #expect(
      try fileMessage("[1, 2]")
        == "a.yaml: expected keys and values at the top level, found [1,2]")
    #expect(
      try fileMessage("x", name: "a.txt")
        == "a.txt: expected a name that ends in .yaml, .yml or .json")
    #expect(
      try fileMessage("{\"epochs\":}", name: "a.json")
        == "a.json: line 1, column 11: expected a value, found \"}\"")
    let duplicate = try #require(try fileMessage("epochs: 1\nepochs: 2\n"))
    #expect(duplicate == "a.yaml:2: the key \"epochs\" comes twice in one group, first in line 1")
    let missing = message {
      _ = try ConfigurationLoader.load(
        defaults: Settings(), file: URL(filePath: "/nowhere/a.yaml"))
    }
    #expect(missing == "cannot read /nowhere/a.yaml: the folder /nowhere does not exist")
  }

  /// Yams would quote the file, all of it where a key comes twice.
  @Test(arguments: [
    ("epochs: [1\nname: x", "a.yaml:2: while parsing a flow sequence from line 1, did not find "),
    ("epochs: 1\n\tname: x", "a.yaml:2: "),
    ("epochs: *no\n", "a.yaml:1: found undefined alias"),
    ("epochs: 1\nname: a\u{1}b\n", "a.yaml:2: control characters are not allowed"),
    ("epochs: 1\n---\nepochs: 2\n", "a.yaml:2: expected a single document in the stream"),
    ("a: 1\n? [x]\n: 2\n", "a.yaml:2: expected names as keys, found a list or group"),
    ("a: \(String(repeating: "[", count: 20_000))", "a.yaml:1: lists and groups nest too deeply"),
    (
      "attack: {steps: 3}\naverage:\n  decay: 0.5\n  \"every\": 2\n  # decay: 1\n  decay: 1\n",
      "a.yaml:6: the key \"decay\" comes twice in one group, first in line 3"
    ),
    (
      "epochs: 3\nattack: {steps: 1, steps: 2}\n",
      "a.yaml:2: the key \"steps\" comes twice in one group, first in line 2"
    ),
  ])
  func whatIsNoYAMLIsSaidInOneLine(content: String, expected: String) throws {
    let message = try #require(try fileMessage(content))
    #expect(message.hasPrefix(expected), "\(message)")
    #expect(!message.contains("\n") && message.count < 160, "\(message)")
  }

  @Test func hostileFilesAreBounded() throws {
    #expect(
      try fileMessage(String(repeating: "#", count: 1_048_577))
        == "cannot read a.yaml: expected at most 1048576 bytes, found 1048577")
    // Ten levels of ten aliases each: ten thousand million values in ten lines.
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1..<10 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(try fileMessage(bomb) == "a.yaml: expected at most 100000 values")
  }
}
