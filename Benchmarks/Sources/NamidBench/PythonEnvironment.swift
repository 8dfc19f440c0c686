import Foundation

/// The Python that runs the peers, with their packages.
struct PythonEnvironment {
  /// The interpreter.
  let interpreter: URL
  /// The folder of the peers' programs.
  let programs: URL

  /// The clone of the repository: `NAMID_ROOT`, which Benchmarks/run sets, else a folder above the tool.
  static func repository(tool: URL?) -> URL? {
    if let root = ProcessInfo.processInfo.environment["NAMID_ROOT"] { return URL(filePath: root) }
    var folder = tool?.resolvingSymlinksInPath().deletingLastPathComponent()
    while let place = folder, place.path != "/" {
      if FileManager.default.fileExists(atPath: place.appending(path: list).path) { return place }
      folder = place.deletingLastPathComponent()
    }
    return nil
  }

  /// The list of packages within the repository.
  private static let list = "Benchmarks/speed/requirements.txt"

  /// Finds or makes the environment.
  ///
  /// - Parameters:
  ///   - python: An interpreter that has the packages; nil makes one in `.deps/bench-venv` on first use.
  ///   - repository: The clone.
  ///   - say: Receives a line for each thing that takes long.
  /// - Throws: `SuiteError` with what to do.
  init(python: String?, repository: URL?, say: (String) -> Void) throws(SuiteError) {
    guard let repository,
      FileManager.default.fileExists(atPath: repository.appending(path: Self.list).path)
    else { throw .noPrograms }
    programs = repository.appending(path: "Benchmarks/speed")
    if let python {
      let isPath = python.contains("/")
      interpreter = isPath ? URL(filePath: python) : try Self.find(python)
      try Self.check(interpreter.path)
      return
    }
    let folder = repository.appending(path: ".deps/bench-venv")
    interpreter = folder.appending(path: "bin/python")
    try Self.make(folder, requirements: repository.appending(path: Self.list), say: say)
  }

  private static func find(_ name: String) throws(SuiteError) -> URL {
    do {
      return URL(
        filePath: try ShortCommand.output(name, ["-c", "import sys; print(sys.executable)"]))
    } catch {
      throw .noPackages(python: name, reason: error.description)
    }
  }

  private static func check(_ python: String) throws(SuiteError) {
    do {
      try ShortCommand.output(python, ["-c", "import torch, safetensors, torchattacks"])
    } catch {
      throw .noPackages(python: python, reason: error.description)
    }
  }

  /// Makes a virtual environment; one that is whole is left as it is.
  private static func make(
    _ folder: URL, requirements: URL, say: (String) -> Void
  ) throws(SuiteError) {
    let stamp = folder.appending(path: "requirements.txt")
    let wanted = try? Data(contentsOf: requirements)
    if let wanted, wanted == (try? Data(contentsOf: stamp)) { return }
    say("making \(folder.path) with the peers' packages, once (about 1 GB) ...")
    do {
      try ShortCommand.output("python3", ["-m", "venv", folder.path])
    } catch {
      throw .noPython(error.description)
    }
    let python = folder.appending(path: "bin/python").path
    let install = [
      "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps",
      "-r", requirements.path,
    ]
    do {
      try ShortCommand.output(python, install, isShown: true)
    } catch {
      // The usual index has no CPU build for Linux; PyTorch's own has.
      say("not all packages are on the configured index; trying PyTorch's own, too ...")
      do {
        try ShortCommand.output(
          python, install + ["--extra-index-url", "https://download.pytorch.org/whl/cpu"],
          isShown: true)
      } catch {
        throw .noPackages(python: python, reason: error.description)
      }
    }
    try check(python)
    // Written last: an interrupted installation is begun anew.
    do {
      try wanted?.write(to: stamp, options: .atomic)
    } catch {
      throw .noPackages(python: python, reason: "\(stamp.path) cannot be written")
    }
  }
}
