import ArgumentParser
import Foundation
import NamidData
import NamidEvaluation
import NamidFiles
import NamidLaboratory
import NamidSettings
import NamidTerminal
import NamidTorch
import NamidTraining

/// `namid predict`.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a network's logits, probabilities and predictions.",
    discussion: """
      For comparison with another program. FILE.safetensors holds logits, \
      probabilities, predictions, labels and indices; FILE.csv has a line per image.

      Examples:
        namid predict model.pt --dataset cifar10 --limit 100 --out logits.safetensors
        namid predict runs/at --out predictions.csv
      """)

  @Argument(help: .init("The run or the file of a trained network.", valueName: "model"))
  var source: String
  @Option(help: .init("The file to write: .safetensors or .csv.", valueName: "file"))
  var out: String
  @Option(help: "Which checkpoint: latest, best or an epoch's number.")
  var checkpoint: CheckpointFolder.Choice = .latest
  @OptionGroup var options: EvaluationOptions

  func validate() throws {
    try checkExtension(of: out, among: ["safetensors", "csv"])
  }

  func run() throws {
    try checkWritable(out)
    let subject = try options.subject(run: source, checkpoint: checkpoint, attack: "clean")
    let (network, set) = (subject.saved.network, subject.set)
    let images = ImageTensors(set, device: network.store.device)
    let logits = network.frozen {
      withoutGrad {
        Tensor.cat(
          images.batches(of: subject.batchSize).map { network.logits(images.batch($0).images) }
        ).to(.cpu)
      }
    }
    let right = (logits.argmax(1) .== Tensor(set.labels, shape: [set.count])).to(.float32).mean()
    let url = URL(filePath: out)
    if url.pathExtension == "csv" {
      try AtomicFile.write(Data(table(logits, set).utf8), to: url)
    } else {
      try Weights.write(
        [
          ("logits", logits), ("probabilities", logits.softmax(1)),
          ("predictions", logits.argmax(1)), ("labels", Tensor(set.labels, shape: [set.count])),
          ("indices", Tensor(set.indices, shape: [set.count])),
        ], to: url)
    }
    print("\(out): \(set.count) images of \(set.title), \(Figures.percent(right.item())) right")
  }

  /// A line per image: its index, label and prediction, then the probability of each class.
  private func table(_ logits: Tensor, _ set: ImageSet) -> String {
    let classes = logits.size(1)
    let (rows, predictions) = (logits.softmax(1).floats(), logits.argmax(1).ints())
    var text = "index,label,prediction" + (0..<classes).map { ",p\($0)" }.joined() + "\n"
    for place in 0..<set.count {
      let row = rows[place * classes..<(place + 1) * classes].map { ",\($0)" }.joined()
      text += "\(set.indices[place]),\(set.labels[place]),\(predictions[place])\(row)\n"
    }
    return text
  }
}
