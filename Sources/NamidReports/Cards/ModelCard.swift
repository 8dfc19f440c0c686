import Foundation
import NamidAttacks
import NamidEvaluation
import NamidFiles
import NamidNetworks
import NamidPages
import NamidSettings
import NamidTerminal
import NamidTraining

/// The model card of a run: Markdown with a front matter in Hugging Face's convention.
struct ModelCard {
  let facts: CardFacts
  let texts: any CommandTexts

  /// The text below the front matter.
  var body: String {
    let measured = MeasurementText(reports: facts.evaluations, catalog: facts.catalog)
    var parts = [
      "# \(Markdown.plain(facts.name)): \(Markdown.plain(title))",
      "## The network\n\n" + network,
      "## How it was trained\n\n" + list(TrainingText(facts: facts).sentences),
      "## What was measured\n\n" + measurements(measured),
    ]
    if !measured.doubts.isEmpty {
      parts.append("## Doubts\n\nThe evaluations raised these flags:\n\n" + list(measured.doubts))
    }
    parts += [
      "## Limits\n\n" + list(LimitText(facts: facts).sentences), "## Loading it\n\n" + loading,
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
    let known = facts.catalog.architecture(network.architecture).map {
      " (\(Markdown.plain($0.summary)))"
    }
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

  // MARK: Commands

  /// The commands that train again and measure again, called from the folder that holds the run's folder.
  private var commands: String {
    let need =
      facts.configuration.estimators == nil || facts.isImported
      ? "" : " Training needs the estimators that `config.yaml` names."
    let run = ShellText.shown(facts.name)
    var lines: [String] = []
    if !facts.isImported {
      lines.append(
        texts.training(
          configuration: "\(run)/\(RunFolder.configurationFile)",
          into: ShellText.shown(facts.name + "-again")))
    }
    lines += facts.evaluations.map { evaluation($0, of: run) }
    if facts.evaluations.isEmpty {
      lines.append(
        texts.evaluation(RepeatedMeasurement(run: run, attacks: "clean,pgd-20,autoattack")))
    }
    return "From the folder around this one:\(need)\n\n```sh\n" + lines.joined(separator: "\n")
      + "\n```"
  }

  /// Returns the command that measures again, or a comment in its place where it cannot be given.
  private func evaluation(_ report: EvaluationReport, of run: String) -> String {
    let mark = "# spec \(report.specificationHash)"
    if report.source != nil { return mark + ": images of another network, see \(texts.transfer)" }
    let attacks = report.attacks.map {
      AttackText.commandLine(of: $0, threat: report.threat, facts.catalog)
    }
    guard !attacks.contains(nil), let epoch = RunEvaluations.epoch(of: report) else {
      return mark + ": its attacks have settings that no command line gives"
    }
    let data = report.dataset
    var again = RepeatedMeasurement(
      run: run, epoch: epoch, attacks: attacks.compactMap(\.self).joined(separator: ","),
      seed: report.seed, hasOtherData: !facts.isOwnData(report))
    if data.split != "test", ShellText.isHarmless(data.split) { again.split = data.split }
    if data.split != "test" || facts.published(.test) != data.count { again.limit = data.count }
    if report.threat != facts.configuration.threat {
      let radius = report.threat.epsilon
      again.threat = ThreatModel(
        norm: report.threat.norm,
        epsilon: ShellText.isHarmless(radius.description) ? radius : Fraction(radius.value))
    }
    return texts.evaluation(again) + "  " + mark
  }
}
