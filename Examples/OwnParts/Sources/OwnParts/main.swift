import Foundation
import Namid

/// Trains a network of one's own with a defense of one's own on data of one's own, and measures it.
func run(in folder: URL) throws {
  var catalog = Catalog.standard
  catalog.architectures.append(.tinyBN)
  catalog.defenses.append(.mixed)
  catalog.datasets.append(Stripes())

  let configuration = try catalog.configuration(overrides: [
    "data.name=stripes", "data.validation=0", "model.architecture=tiny-bn", "model.width=4",
    "defense=mixed", "mixed.natural=0.3", "threat.epsilon=4/255", "attack.steps=2",
    "training.epochs=1", "training.batchSize=32", "schedule.kind=constant",
    "training.precision=float32",
  ])
  let job = try TrainingRun(
    configuration, in: folder.appending(path: "run"), data: folder, catalog: catalog)
  print(job.summary)
  try job.fit { event in
    guard case .epoch(let record) = event else { return }
    let terms = record.terms.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    print("\(record.step) steps: \(terms)")
  }

  let saved = try SavedNetwork(run: folder.appending(path: "run"), catalog: catalog)
  let test = try catalog.dataset("stripes").load(.test, in: folder)
  try saved.check(test)
  let evaluator = Evaluator(saved.network, on: ImageTensors(test), seed: 0)
  let attacks: [any Attack] = [NoAttack(), PGD(in: configuration.threat) { $0.steps = 5 }]
  for attack in attacks {
    let report = evaluator.run(attack).report
    print("\(attack.name): right on \(report.robust) of \(report.total)")
  }
}

guard CommandLine.arguments.count == 2 else {
  print("usage: OwnParts FOLDER (where the run goes)")
  exit(64)
}
do {
  try run(in: URL(filePath: CommandLine.arguments[1]))
} catch {
  print("error: \(error)")
  exit(1)
}
