import Foundation
import NamidFiles
import NamidTestSupport
import Testing

/// What the tool says of wrong and of right arguments, without training anything.
@Suite(.serialized, .enabled(if: Tool.isBuilt)) struct CommandLineTests {
  private static let verbs: [(arguments: [String], hasExample: Bool)] = [
    ([], false), (["quickstart"], true), (["train"], true), (["train-estimators"], true),
    (["evaluate"], true), (["data"], false), (["data", "fetch"], false),
    (["data", "verify"], false), (["data", "info"], false), (["bench"], false),
    (["doctor"], false),
  ]

  @Test(arguments: verbs)
  func everyVerbExplainsItself(arguments: [String], hasExample: Bool) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run(arguments + ["--help"], in: folder)
    let title = (["namid"] + arguments).joined(separator: " ")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
    #expect(outcome.output.contains("USAGE: \(title)"), "\(outcome.output)")
    #expect(outcome.output.contains("OVERVIEW: "))
    if hasExample {
      #expect(outcome.output.contains("Example"))
      #expect(outcome.output.contains("  \(title) "), "\(outcome.output)")
    }
  }

  /// A wrong call, a part of what it must say, and its exit status: 64 where the command line itself is wrong.
  private static let mistakes: [(arguments: [String], said: [String], status: Int32)] = [
    (["trian"], ["trian"], 64),
    (["train", "--out", "run", "--sed", "1"], ["--sed", "--seed"], 64),
    (["train"], ["--out"], 64),
    (["train", "--out", "run", "--epsilon", "8/0"], ["8/0", "--epsilon"], 64),
    (["train", "--out", "run", "--epsilon", "eight"], ["eight", "--epsilon"], 64),
    (["train", "--out", "run", "--epochs", "many"], ["many", "--epochs"], 64),
    (["train", "--out", "run", "--preset", "papre"], ["papre", "paper", "reference"], 64),
    (["train", "--out", "run", "--device", "gpu"], ["gpu", "cuda"], 64),
    (["train", "--out", "run", "--defense", "standart"], ["standart", "\"standard\""], 1),
    (
      ["train", "--out", "run", "--set", "optimizer.learningrat=1"],
      ["optimizer.learningrat", "did you mean \"optimizer.learningRate\""], 1
    ),
    (["train", "--out", "run", "--set", "modle.width=16"], ["did you mean \"model\""], 1),
    (["train", "--out", "run", "--set", "model.width"], ["key.path=value"], 1),
    (["train", "--out", "run", "--set", "model.width=wide"], ["model.width", "wide"], 1),
    (["train", "--out", "run", "--set", "model.width=0"], ["model.width", "at least 1"], 1),
    (["train", "--out", "run", "--epochs", "0"], ["training.epochs", "at least 1"], 1),
    (["train", "--out", "run", "--epsilon=-8/255"], ["threat.epsilon", "negative"], 1),
    (["train-estimators", "--out", "run", "--epsilon=-0.1"], ["threat.epsilon", "negative"], 1),
    (["train", "--out", "run", "--defense", "namid"], ["train-estimators"], 1),
    (["train", "--out", "run", "--defense", "wmim"], ["--kind standard"], 1),
    (["train", "--out", "run", "--preset", "own", "--defense", "tradse"], ["\"trades\""], 1),
    (["train", "--out", "run", "--preset", "own", "--defense", "namid"], ["train-estimators"], 1),
    (
      ["train", "--out", "run", "--defense", "trades", "--set", "mart.beta=1"],
      ["mart.beta=1", "trades does not read it", "groups that it reads: trades"], 1
    ),
    (["train", "--out", "run", "--seeds", "0,one"], ["0,one", "--seeds"], 64),
    (["train", "--out", "run", "--seeds", "1,1"], ["1,1", "--seeds"], 64),
    (["train", "--out", "run", "--seeds", "1,2", "--seed", "3"], ["exclude each other"], 64),
    (["train-estimators"], ["--out"], 64),
    (["train-estimators", "--out", "run", "--kind", "both"], ["both", "standard"], 1),
    (["train-estimators", "--out", "run", "--control", "none"], ["none", "shuffled"], 1),
    (["train", "--out", "run", "--config", "no.yaml"], ["no.yaml", "does not exist"], 1),
    (["train", "--out", "run", "--dataset", "cifar-10"], ["cifar-10", "cifar10"], 1),
    (["train", "--out", "run", "--dataset", "cifar10"], ["CIFAR-10", "namid data fetch"], 1),
    (["train", "--out", "run", "--dataset", "folder:nowhere"], ["nowhere", "train/CLASS"], 1),
    (["train-estimators", "--out", "run"], ["--target"], 1),
    (["train-estimators", "--out", "run", "--target", "nowhere"], ["nowhere", "config.yaml"], 1),
    (
      ["train-estimators", "--out", "run", "--target", "at-{seed}", "--set", "seed=3"],
      ["at-3 is not a run's folder"], 1
    ),
    (["mi", "estimate", "x.csv", "y.csv", "--json", "no/x.json"], ["no/x.json"], 1),
    (
      ["mi", "estimate", "x.csv", "y.csv", "--neighbours", "9223372036854775807"],
      ["--neighbours must be from 1 to 1000000000"], 64
    ),
    (
      ["train-estimators", "--out", "run", "--objective", "eq6"],
      ["eq6", "eq4", "eq5", "cosine"], 1
    ),
    (["evaluate"], ["<model>"], 64),
    (["evaluate", "x.pt", "--normalize", "mnist"], ["--normalize must be"], 64),
    (["evaluate", "x.pt", "--mean", "0.5"], ["--mean and --std go together"], 64),
    (["predict", "x.pt", "--out", "y.txt"], ["y.txt must end in .safetensors or .csv"], 64),
    (["export", "x.pt", "y.bin"], ["y.bin must end in .pt"], 64),
    (["evaluate", "nowhere"], ["nowhere is not a run's folder"], 1),
    (["evaluate", "nowhere", "--limit", "0"], ["--limit must be at least 1"], 64),
    (["evaluate", "nowhere", "--batch-size", "0"], ["--batch-size"], 64),
    (["evaluate", "nowhere", "--checkpoint", "foo"], ["foo", "--checkpoint"], 64),
    (["evaluate", "nowhere", "--epsilon=-1/255"], ["--epsilon must not be negative"], 64),
    (["evaluate", "nowhere", "--norm", "l3"], ["l3", "linf", "l2"], 64),
    (["evaluate", "nowhere", "--split", "tset"], ["tset", "test"], 64),
    (["data", "info", "fashion"], ["fashion", "fashion-mnist"], 1),
    (["data", "verify", "fashion-mnist"], ["namid data fetch fashion-mnist"], 1),
    (["data", "fetch"], ["<name>"], 64),
    (["bench", "--repeats", "0"], ["--repeats"], 64),
    (["bench", "--widths", "wide"], ["--widths"], 64),
    (["bench", "--widths", "65536"], ["width is 65536", "weights alone", "GB"], 1),
  ]

  @Test(arguments: mistakes)
  func mistakesAreExplainedAndLeaveNothing(
    arguments: [String], said: [String], status: Int32
  ) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run(arguments, in: folder)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.output == "")
    for text in said { #expect(outcome.errors.contains(text), "\(outcome.errors)") }
    #expect(try sortedNames(in: folder) == [])
  }

  /// Terms are balanced unless the paper's letter is asked for.
  @Test(arguments: [
    ("namid", [String](), "cap"), ("namid", ["--preset", "paper"], "none"),
    ("wmim", [], "cap"), ("namid-m", ["--preset", "reference"], "none"),
  ])
  func thePresetDecidesOnTheBalance(
    _ defense: String, _ preset: [String], _ expected: String
  ) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run(
      ["train", "--dry-run", "--defense", defense, "--estimators", "e"] + preset, in: folder)
    expectSuccess(outcome)
    #expect(outcome.output.contains("  balance: \(expected)\n"), "\(outcome.output)")
  }

  /// What a dry run prints is a configuration file that says the same.
  @Test(arguments: [
    ["train", "--out", "run"],
    ["train", "--out", "run", "--preset", "reference", "--epsilon", "8/255"],
    [
      "train", "--out", "run", "--defense", "namid", "--estimators", "a: \"b\" #c", "--seed", "7",
      "--set", "training.averageDecay=0.99", "--set", "schedule.milestones=[1, 2]",
    ],
    ["train-estimators", "--out", "run", "--objective", "eq4", "--set", "units=16"],
    ["train-estimators", "--kind", "standard", "--control", "shuffled"],
    ["train", "--defense", "trades", "--preset", "own", "--set", "weightPerturbation={}"],
    ["train", "--defense", "namid-m", "--estimators", "runs/e", "--set", "mart.beta=6"],
    ["train", "--defense", "wmim", "--set", "wmim.mode=joint"],
  ])
  func aDryRunPrintsAFileThatSaysTheSame(arguments: [String]) throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let first = try Tool.run(arguments + ["--dry-run"], in: folder)
    #expect(first.status == 0, "\(first.errors)")
    #expect(try sortedNames(in: folder) == [])
    try Data(first.output.utf8).write(to: folder.appending(path: "printed.yaml"))
    let second = try Tool.run(
      [arguments[0], "--out", "run", "--config", "printed.yaml", "--dry-run"], in: folder)
    #expect(second.status == 0, "\(second.errors)")
    #expect(second.output == first.output)
    #expect(!first.output.isEmpty)
  }

  /// The preset, then the file, then flags, then --set.
  @Test func laterSettingsWin() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let file = "seed: 1\ntraining: {epochs: 3, batchSize: 32}\nthreat: {epsilon: 4/255}\n"
    try Data(file.utf8).write(to: folder.appending(path: "run.yaml"))
    let outcome = try Tool.run(
      [
        "train", "--out", "run", "--preset", "reference", "--config", "run.yaml", "--epochs", "5",
        "--seed", "2", "--set", "seed=3", "--dry-run",
      ], in: folder)
    let lines = outcome.output.split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    for line in ["seed: 3", "epochs: 5", "batchSize: 32", "stepSize: 0.007"] {
      #expect(lines.contains(line), "\(line)")
    }
    #expect(lines.contains { $0.hasPrefix("epsilon:") && $0.contains("4/255") })
  }

  @Test func theDoctorNamesWhatIsMissing() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run(["doctor"], in: folder)
    #expect(outcome.status == 0)
    for text in ["libtorch", "threads    1 of", "cifar10: not here", "namid data fetch cifar10"] {
      #expect(outcome.output.contains(text), "\(outcome.output)")
    }
    let json = try Tool.run(["doctor", "--json", "-"], in: folder)
    let report = try JSONValue(parsing: Data(json.output.utf8))
    let library = try #require(report["libtorch"]?["file"]?.stringValue)
    #expect(outcome.output.contains(library) && library.contains("/libtorch_cpu."))
    #expect(report["threads"]?.intValue == 1)
    #expect(report["remedies"]?.arrayValue?.isEmpty == false)
  }

  @Test func theVersionIsPrinted() throws {
    let folder = try makeTemporaryFolder()
    defer { remove(folder) }
    let outcome = try Tool.run(["--version"], in: folder)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("."))
  }
}
