import Namid

/// The settings that decide which measurements a suite makes.
struct SuiteSettings: Equatable {
  var items = SuiteItem.allCases
  var repeats = 5
  /// True for tiny batches and one round, which show that everything runs, not how fast.
  var isQuick = false
  var threads: Int
  var device = "cpu"
  /// Images of the evaluation.
  var evaluationImages = 512
  /// False for this project's programs alone.
  var hasPeers = true
  /// The run whose network is evaluated; nil for one with random weights.
  var run: String?

  /// The items of a list of names.
  ///
  /// - Parameter names: Names separated by commas.
  /// - Returns: The items in the order of the suite.
  /// - Throws: `SuiteError.unknownItem`.
  static func items(_ names: String) throws(SuiteError) -> [SuiteItem] {
    var wanted: Set<SuiteItem> = []
    for part in names.split(separator: ",") {
      let name = part.trimmingPrefix(while: \.isWhitespace)
      guard let item = SuiteItem(rawValue: String(name)) else {
        throw .unknownItem(String(name))
      }
      wanted.insert(item)
    }
    guard !wanted.isEmpty else { throw .unknownItem(names) }
    return SuiteItem.allCases.filter(wanted.contains)
  }
}

/// An error that keeps a suite from beginning; its text says the remedy.
enum SuiteError: Error, CustomStringConvertible, Equatable {
  case unknownItem(String)
  case noPrograms
  case noPython(String)
  case noPackages(python: String, reason: String)
  case notAResNet(String, architecture: String)
  case damaged(String, reason: String)

  var description: String {
    switch self {
    case .unknownItem(let name):
      let known = SuiteItem.allCases.map(\.rawValue)
      let hint = nearest(name, among: known).map { "did you mean \"\($0)\"? " } ?? ""
      return "the suite has no item \"\(name)\"; \(hint)it has \(known.joined(separator: ", "))"
    case .noPrograms:
      return
        "the peers' programs (Benchmarks/speed) are not found: start the suite by Benchmarks/run of a "
        + "clone of the repository, or set NAMID_ROOT to that clone"
    case .noPython(let reason):
      return
        "the peers need Python 3.11 or later with venv and pip, and \(reason); install them "
        + "(Debian: apt install python3-venv python3-pip), or name an interpreter that has the packages of "
        + "Benchmarks/speed/requirements.txt with --python"
    case .noPackages(let python, let reason):
      return
        "\(python) cannot import what the peers need: \(reason); install the packages of "
        + "Benchmarks/speed/requirements.txt for it, or leave --python out"
    case .notAResNet(let path, let architecture):
      return
        "\(path) holds a \(architecture), and the peers know ResNet-18 only: name a run of resnet18"
    case .damaged(let path, let reason):
      return "\(path) is not an input of the suite: \(reason)"
    }
  }
}
