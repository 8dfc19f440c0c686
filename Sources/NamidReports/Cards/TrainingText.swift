import Foundation
import NamidFiles
import NamidPages
import NamidTerminal
import NamidTraining

/// The training of a network in sentences, from the run's files only.
struct TrainingText {
  let facts: CardFacts
  private var configuration: RunConfiguration { facts.configuration }

  /// The entries, each of one or a few sentences.
  var sentences: [String] {
    if facts.isImported {
      return [
        "The weights were imported. How, on what and by whom they were trained is "
          + "not known to namid; the run names the data set \(Markdown.plain(facts.dataTitle)) and the "
          + "ball \(facts.ball) only because the import does."
      ]
    }
    let own = facts.trainingLine.map { ["In its own words: \(Markdown.plain($0))."] } ?? []
    return own + [method, attack, optimization, data, progress] + validation
  }

  private var method: String {
    var text = "**Defense:** \(Markdown.code(configuration.defense.rawValue))"
    if let entry = facts.defense {
      let source = entry.source.isEmpty ? "" : " (\(Markdown.plain(entry.source)))"
      text += ", \(Markdown.plain(entry.summary))\(source)"
    }
    text += "."
    let settings = configuration.settings.all.flatMap { key, group in
      ((try? JSONValue(encoding: group))?.objectValue ?? [:]).map { name, value in
        Markdown.code("\(key).\(name) = \(value.stringValue ?? value.text())")
      }
    }
    if !settings.isEmpty { text += " Its settings: \(settings.joined(separator: ", "))." }
    if let estimators = configuration.estimators {
      let name = URL(filePath: estimators).lastPathComponent
      text += " It reads estimators of mutual information that were trained before"
      text += " (\(Markdown.code(name)))."
    }
    if let perturbation = configuration.weightPerturbation {
      let gamma = perturbation.gamma.map { "γ = \($0)" } ?? "the defense's usual γ"
      text += " Weights are perturbed adversarially (\(gamma))."
    }
    return text
  }

  private var attack: String {
    if configuration.defense == .natural {
      return "**Attack in training:** none. Validation attacked within \(facts.ball)."
    }
    let attack = configuration.attack
    let step = attack.stepSize.map { "\($0)" } ?? "ε/4"
    return
      "**Attack in training:** \(attack.steps) gradient steps of \(step) within \(facts.ball), start "
      + "\(Markdown.code(attack.start.rawValue)), batch normalisation in "
      + "\(Markdown.code(attack.batchNorm.rawValue)) mode."
  }

  private var optimization: String {
    let (optimizer, training) = (configuration.optimizer, configuration.training)
    var parts = ["\(optimizer.kind.rawValue.uppercased()), learning rate \(optimizer.learningRate)"]
    if optimizer.kind == .sgd {
      parts[0] += ", momentum \(optimizer.momentum)\(optimizer.nesterov ? " (Nesterov)" : "")"
    }
    parts[0] += ", weight decay \(optimizer.weightDecay)"
    parts.append("schedule \(schedule)")
    parts.append("batches of \(training.batchSize)")
    parts.append("computed in \(training.precision.rawValue)")
    if training.labelSmoothing > 0 { parts.append("label smoothing \(training.labelSmoothing)") }
    if let decay = training.averageDecay {
      parts.append(
        "an exponential moving average of the weights (decay \(decay)), which is what is measured")
    }
    return "**Optimizer:** " + parts.joined(separator: "; ") + "."
  }

  private var schedule: String {
    let schedule = configuration.schedule
    return switch schedule.kind {
    case .constant: "`constant`"
    case .cosine: "`cosine`"
    case .oneCycle: "`one-cycle` (the rate rises for \(schedule.warmUp) of the steps)"
    case .multiStep:
      "`multi-step` (times \(schedule.gamma) from epochs "
        + schedule.milestones.map(String.init).joined(separator: ", ") + ", counted from 0)"
    }
  }

  private var data: String {
    let settings = configuration.data
    let title = Markdown.plain(facts.dataTitle)
    let held = settings.validation
    var text = "**Data:** \(title), "
    if let published = facts.published(.train) {
      let rest = published - held
      let used = min(settings.limit ?? rest, rest)
      text += "\(thousands(used)) of its \(thousands(published)) training images"
    } else {
      text += settings.limit.map { "at most \(thousands($0)) of " } ?? ""
      text += "its training images"
    }
    if held > 0 { text += "; \(thousands(held)) others were held out for validation" }
    let augmentation = settings.augmentation
    var changes: [String] = []
    if augmentation.cropPadding > 0 {
      changes.append("random crops after padding by \(augmentation.cropPadding)")
    }
    if augmentation.flip { changes.append("random flips") }
    text += ". Augmentation: "
    text += (changes.isEmpty ? "none" : changes.joined(separator: " and ")) + "."
    return facts.trainingLine == nil
      ? text + " Which copy of the set was read is not recorded." : text
  }

  private var progress: String {
    let (done, wanted) = (facts.latest.epoch, configuration.training.epochs)
    var text =
      "**Length:** \(done) of \(wanted) epochs, \(thousands(facts.latest.step)) steps, seed "
    text += "\(configuration.seed), libtorch \(Markdown.plain(facts.latest.torchVersion))."
    let hasStopped =
      configuration.training.patience.map { patience in
        facts.latest.best.map { done - $0.epoch >= patience } ?? false
      } ?? false
    if done < wanted {
      text +=
        hasStopped
        ? " It stopped early, as validation did not improve any more."
        : " It is not finished."
    }
    let seconds = facts.epochs.map(\.seconds).filter(\.isFinite)
    if !seconds.isEmpty {
      let total = seconds.reduce(0, +)
      text += " \(seconds.count == 1 ? "One epoch" : "\(seconds.count) epochs") took "
      text += "\(String(format: "%.0f", total)) s of wall time without validation."
    }
    return text
  }

  /// The figures on held-out training images, which chose the best epoch and are not a measurement.
  private var validation: [String] {
    let figures = { (number: Int) -> String? in
      guard let epoch = facts.epochs.last(where: { $0.number == number }), !epoch.validation.isEmpty
      else { return nil }
      return epoch.validation.map {
        "\(Markdown.code($0.name)) \(twoDigitPercent($0.value)) %"
      }.joined(separator: ", ")
    }
    var parts: [String] = []
    if let best = facts.latest.best?.epoch, let text = figures(best) {
      parts.append("best epoch \(best): \(text)")
    }
    if facts.latest.best?.epoch != facts.latest.epoch, let text = figures(facts.latest.epoch) {
      parts.append("last epoch \(facts.latest.epoch): \(text)")
    }
    if parts.isEmpty { return [] }
    return [
      "**Validation** on held-out training images, which chose the best epoch and is no test: "
        + parts.joined(separator: "; ") + "."
    ]
  }
}
