import ArgumentParser
import Foundation
import NamidEvaluation
import NamidFiles
import NamidReproduction
import NamidSettings
import NamidTraining

/// `namid step`, by which `namid reproduce` carries out each step in a process of its own.
struct Step: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Carry out one step of namid reproduce.",
    discussion: """
      The file (steps/ID/request.json) says all that decides the result; runs that it \
      names lie relative to the current folder. The result goes into the file's folder.
      """, shouldDisplay: false)

  @Argument(help: ArgumentHelp("The step as a value.", valueName: "request.json"))
  var request: String
  @OptionGroup var data: DataOptions
  @OptionGroup var device: DeviceOptions

  func run() throws {
    let file = URL(filePath: request)
    let step = try Self.read(file)
    let workplace = Workplace(data: data.directory, device: try device.prepare())
    let folder = file.deletingLastPathComponent()
    let product = folder.appending(path: step.kind.product)
    let place = EvaluationState.Place.folder(folder.appending(path: "state"))
    let conduct = InformationConduct(
      place: place, isFresh: false, command: command(step), workplace: workplace)
    switch step {
    case .train(let configuration):
      try Train.carryOut(configuration, in: product, resume: true, workplace)
    case .estimators(let configuration):
      try TrainEstimators.carryOut(configuration, in: product, resume: true, workplace)
    case .measure(let request):
      let subject = try EvaluationSubject(
        request.evaluation, of: request.run, request.checkpoint, workplace)
      let measurement =
        if let surrogate = request.surrogate {
          try Transfer.measure(
            subject, craftedOn: surrogate, .latest, keepingStateIn: place, fresh: false)
        } else {
          try Evaluate.measure(subject, keepingStateIn: place, fresh: false)
        }
      var output = EvaluationOutput()
      output.figures = FigureOutput(json: product.relativePath)
      output.saveAdversarial = nil
      try output.report(measurement, subject.set)
    case .pairings(let request):
      try PairingsWork(
        request: request, folder: product.deletingLastPathComponent(), conduct: conduct
      ).carryOut()
    case .comparison(let request):
      try ComparisonWork(
        request: request, folder: product.deletingLastPathComponent(), conduct: conduct
      ).carryOut()
    }
  }

  private func command(_ step: StepRequest) -> String {
    (try? step.command(leavingIn: URL(filePath: request).deletingLastPathComponent().relativePath))
      ?? commandLine()
  }

  private static func read(_ file: URL) throws -> StepRequest {
    let bytes = try readFile(at: file, limit: 1 << 20)
    do {
      return try JSONValue(parsing: bytes).decode(
        StepRequest.self, unknownKeys: .refused, userInfo: Parts.catalog.userInfo)
    } catch {
      throw UnreadableStep(path: file.relativePath, reason: "\(error)")
    }
  }
}

/// A file that holds no step.
struct UnreadableStep: Error, CustomStringConvertible {
  let path: String
  let reason: String

  var description: String {
    "\(path) holds no step of a reproduction: \(reason); namid reproduce writes it anew"
  }
}
