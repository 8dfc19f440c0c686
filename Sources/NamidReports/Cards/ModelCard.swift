import Foundation
import NamidEvaluation
import NamidFiles
import NamidNetworks
import NamidPages
import NamidTerminal
import NamidTraining

/// The model card of a run: Markdown with a front matter in Hugging Face's convention.
struct ModelCard {
  let facts: CardFacts

  init(_ facts: CardFacts) {
    self.facts = facts
  }

  /// The text below the front matter.
  var body: String {
    let measured = MeasurementText(facts)
    var parts = [
      "# \(Markdown.plain(facts.name)): \(Markdown.plain(title))",
      "## The network\n\n" + network,
      "## How it was trained\n\n" + list(TrainingText(facts).sentences),
      "## What was measured\n\n" + measurements(measured),
    ]
    if !measured.doubts.isEmpty {
      parts.append("## Doubts\n\nThe evaluations raised these flags:\n\n" + list(measured.doubts))
    }
    parts += [
      "## Limits\n\n" + list(LimitText(facts).sentences), "## Loading it\n\n" + loading,
      "## Doing it again\n\n" + commands,
    ]
    return parts.joined(separator: "\n\n") + "\n"
  }

  private var title: String {
    "\(facts.architecture), \(facts.trainingName)"
      + (facts.isImported ? "" : " on \(facts.dataTitle)")
  }

  private func list(_ sentences: [String]) -> String {
    sentences.map { "- \($0)" }.joined(separator: "\n")
  }

  private var network: String {
    let network = facts.specification
    let size = facts.parameters.map { ", \(thousands($0)) parameters" } ?? ""
    let known = Architecture.named(network.architecture).map { " (\(Markdown.plain($0.summary)))" }
    let padding =
      network.firstConvolutionPadding == 1
      ? "" : " Its first convolution pads by \(network.firstConvolutionPadding)."
    return "\(Markdown.plain(facts.architecture))\(size). In namid it is the architecture "
      + "\(Markdown.code(network.architecture))\(known ?? ""), base width \(network.width).\(padding) It "
      + "sorts images of \(network.channels)×\(network.imageHeight)×\(network.imageWidth) "
      + "(channels, height, width) with values in [0, 1] into \(network.classCount) classes and gives "
      + "logits. Images go in as they are, without normalisation."
  }

  private func measurements(_ measured: MeasurementText) -> String {
    guard let table = measured.table else {
      return "Nothing yet: no evaluation of this run's checkpoints was found."
    }
    let doubts =
      measured.doubts.isEmpty && measured.isExamined
      ? "\n\nThe evaluations looked for signs of masked gradients and the like and raised no flag."
      : ""
    return table + "\n“Right” is the share of images still classified correctly, in float32 and "
      + "evaluation mode; intervals are Wilson's. Every image that an attack claims to have fooled the "
      + "network with was checked anew. “Spec” is a digest of data, weights, ball, attack settings and "
      + "seed; `\(RunEvaluations.folderName)/` has the report of each, without records per sample."
      + doubts
  }

  private var loading: String {
    let folder = CheckpointFolder(run: URL(filePath: "/")).folder(.epoch(facts.chosenEpoch))
    let place = "checkpoints/\(folder.lastPathComponent)"
    let isAveraged = facts.configuration.training.averageDecay != nil
    let average =
      isAveraged
      ? "state.update(load_file(\"\(place)/\(RunFolder.averageFile)\"))  # averaged weights\n" : ""
    let why =
      facts.latest.best == nil
      ? "the last epoch" : "the epoch that validation chose"
    return """
      Epoch \(facts.chosenEpoch) is \(why). From PyTorch, into a network with the same names:

      ```python
      from safetensors.torch import load_file
      state = load_file("\(place)/\(RunFolder.weightsFile)")
      \(average)model.load_state_dict(state)
      ```

      The page From-PyTorch.md in namid's Docs says which names the networks have and what else differs.
      From Swift:

      ```swift
      let saved = try SavedNetwork(run: URL(filePath: "."), .epoch(\(facts.chosenEpoch)))
      let logits = saved.network.evaluating { saved.network.logits(images) }
      ```
      """
  }

  private var commands: String {
    let lines = CommandLines(facts)
    let need =
      facts.configuration.estimators == nil || facts.isImported
      ? "" : " Training needs the estimators that `config.yaml` names."
    let all = (lines.training.map { [$0] } ?? []) + lines.evaluations
    return "From the folder around this one:\(need)\n\n```sh\n"
      + all.joined(separator: "\n") + "\n```"
  }
}
