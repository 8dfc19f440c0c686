import Foundation
import NamidNetworks
import NamidTorch

/// A message of a training run.
public enum TrainingEvent: Sendable {
  /// A few batches are done: the epoch (from 1), batches done and in all, and mean terms of the epoch so far.
  case progress(
    epoch: Int, of: Int, batch: Int, batches: Int, terms: [(name: String, value: Double)])
  /// An epoch is done and saved.
  case epoch(EpochRecord)
  /// Something that is likely to spoil the run, with a remedy: a sentence for people.
  case warning(String)
}

/// The figures of one epoch.
public struct EpochRecord: Sendable {
  /// Counted from 1.
  public var epoch: Int
  /// Finished optimizer steps.
  public var step: Int
  /// The learning rate of its last step.
  public var learningRate: Double
  /// Mean loss and its terms over the epoch's batches.
  public var terms: [(name: String, value: Double)]
  /// Validation figures by name; empty without validation.
  public var validation: [(name: String, value: Double)]
  /// Wall time of the training part.
  public var seconds: Double
  /// True for the best epoch so far.
  public var isBest: Bool
}

/// A run that cannot go on.
public enum TrainingError: Error, CustomStringConvertible, Sendable {
  /// The loss is not a number or infinite.
  case diverged(epoch: Int, batch: Int, terms: String)
  /// The loss was finite, and the step after it left weights that are not.
  case weightsDiverged(epoch: Int, name: String)
  /// The images do not make a batch.
  case tooFewSamples(count: Int, batchSize: Int)
  /// CUDA graphs are asked for where there are none.
  case noGraphs(Device)
  /// A whole step cannot be recorded with this defense.
  case stepAsksDevice(defense: String)

  /// A sentence on the fault and its remedy.
  public var description: String {
    switch self {
    case .diverged(let epoch, let batch, let terms):
      "the loss is not finite in epoch \(epoch), by batch \(batch) (\(terms)): "
        + "earlier checkpoints are unchanged; try a lower learning rate, a schedule that warms up or "
        + "precision float32"
    case .weightsDiverged(let epoch, let name):
      "the weights are not finite at the end of epoch \(epoch) (\(name)): earlier checkpoints are "
        + "unchanged; try a lower learning rate, a schedule that warms up or precision float32"
    case .tooFewSamples(let count, let batchSize):
      "\(count) training images make no batch of \(batchSize): lower the batch size"
    case .noGraphs(let device):
      device == .cpu
        ? "CUDA graphs are asked for, and the device is the CPU: leave training.graphs off"
        : "CUDA graphs need libCTorchCUDA.so beside the tool, which Engine/build.sh makes where CUDA's "
          + "headers are: build it, or leave training.graphs off"
    case .stepAsksDevice(let defense):
      "training.graphs=step cannot be had with \(defense), whose loss asks the device at each step "
        + "how many samples were flipped: take training.graphs=attack"
    }
  }
}

extension ParameterStore {
  /// Throws where a weight or statistic is infinite or not a number, so that it is never saved as good.
  func requireFinite(afterEpoch epoch: Int) throws(TrainingError) {
    let numbers = state.filter { $0.tensor.dtype.isFloatingPoint }
    // One answer from the device for all of them.
    let flags = withoutGrad { Tensor.stack(numbers.map { $0.tensor.isfinite().all() }).bools() }
    for ((name, _), isFinite) in zip(numbers, flags) where !isFinite {
      throw .weightsDiverged(epoch: epoch, name: name)
    }
  }
}

/// A watch for networks that end in a constant output because a term outweighs the loss that it is added to.
///
/// The term's gradient is long, fewer and fewer samples are selected so that each weighs more, and predictions become
/// one class: a feedback.
struct CollapseWatch {
  /// The key of the term's settings.
  private let key: String
  private var ratio = 0.0
  private var mostSelected = 0.0
  private var isDone = false

  init(key: String) {
    self.key = key
  }

  /// Takes note of the mean terms of an epoch so far.
  mutating func look(at terms: [(name: String, value: Double)]) {
    for (name, value) in terms {
      if name == "ratio_balanced" { ratio = max(ratio, value) }
      if name == "selected" { mostSelected = max(mostSelected, value) }
    }
  }

  /// A warning where the epoch with these mean terms is the first that has all signs; nil otherwise.
  mutating func warning(after terms: [(name: String, value: Double)]) -> String? {
    look(at: terms)
    let value = { (name: String) in terms.first { $0.name == name }?.value }
    guard !isDone, ratio > 3, let top = value("top_class"), top > 0.6 else { return nil }
    let selected = value("selected")
    guard selected.map({ $0 < mostSelected }) ?? true else { return nil }
    isDone = true
    let number = { (value: Double, digits: Int) in String(format: "%.\(digits)f", value) }
    let fewer = selected.map {
      ", the share of selected samples fell from \(number(mostSelected, 3)) to \(number($0, 3))"
    }
    return
      "warning: the network is collapsing to a constant output: the added term's gradient is up to "
      + "\(number(ratio, 1)) times as long as the loss's\(fewer ?? ""), and \(number(100 * top, 0)) % of a "
      + "batch's predictions are one class. \(key).balance=cap with \(key).balanceRatio=0.5 holds the "
      + "term to half of the loss's gradient (Docs/Method-choices.md, Balance)"
  }
}

/// Means of named terms over batches, kept on the device until they are asked for.
struct TermMeans {
  private var names: [String] = []
  private var sums: [String: Tensor] = [:]
  private var counts: [String: Int] = [:]

  mutating func add(_ terms: [(name: String, value: Tensor)]) {
    for (name, value) in terms {
      let value = value.to(.float32)
      if let sum = sums[name] {
        sums[name] = sum + value
      } else {
        names.append(name)
        // A copy: recorded work overwrites its terms.
        sums[name] = value.clone()
      }
      counts[name, default: 0] += 1
    }
  }

  /// The means, in one message from the device.
  var values: [(name: String, value: Double)] {
    if names.isEmpty { return [] }
    let totals = Tensor.stack(names.compactMap { sums[$0] }).floats().map(Double.init)
    return zip(names, totals).map { name, total in (name, total / Double(counts[name] ?? 1)) }
  }
}
