import NamidEvaluation
import NamidFiles
import NamidPages
import NamidSettings

extension ModelCard {
  /// Renders the front matter in YAML, which Hugging Face's hub reads of a model card.
  ///
  /// Keys without a known value are left out, among them the licence.
  func frontMatter() throws -> String {
    var tree: JSONObject = ["pipeline_tag": "image-classification", "tags": .array(tags)]
    if let data = datasetIdentifier, !facts.isImported { tree["datasets"] = [.string(data)] }
    if !facts.evaluations.isEmpty {
      tree["metrics"] = ["accuracy"]
      tree["model-index"] = [
        ["name": .string(facts.name), "results": .array(facts.evaluations.map(result))]
      ]
    }
    return try ConfigurationLoader.render(JSONValue.object(tree))
  }

  private var tags: [JSONValue] {
    let isRobust = !facts.isImported && facts.configuration.defense != .natural
    let own = facts.isImported ? [] : ["defense-\(facts.configuration.defense.rawValue)"]
    return
      (["image-classification", "adversarial-robustness"]
      + (isRobust ? ["adversarial-training"] : []) + ["namid", facts.specification.architecture]
      + own).map(JSONValue.string)
  }

  /// The data set's name on Hugging Face's hub; nil for a user's own images.
  private var datasetIdentifier: String? {
    switch facts.source?.name {
    case "cifar10": "cifar10"
    case "fashion-mnist": "fashion_mnist"
    case "tiny-imagenet": "tiny-imagenet"
    default: nil
    }
  }

  private func result(_ report: EvaluationReport) -> JSONValue {
    let identifier = facts.isOwnData(report) ? datasetIdentifier : nil
    let name = Markdown.oneLine(report.dataset.name)
    return [
      "task": ["type": "image-classification", "name": "Image Classification"],
      "dataset": [
        "type": .string(identifier ?? name), "name": .string(name),
        "split": .string(Markdown.oneLine(report.dataset.split)),
        "args": [
          "images": .int(report.dataset.count),
          "fingerprint": .string(Markdown.oneLine(report.dataset.fingerprint)),
        ],
      ],
      "metrics": .array(metrics(of: report)),
    ]
  }

  private func metrics(of report: EvaluationReport) -> [JSONValue] {
    report.lines.map { attack, share in
      var arguments: JSONObject = ["checkpoint": .string(Markdown.oneLine(report.model.checkpoint))]
      if let attack, attack.name != "clean" || report.source != nil {
        arguments["attack"] = .string(
          AttackText.commandLine(of: attack, threat: report.threat, facts.catalog)
            ?? Markdown.oneLine(attack.name)
        )
        arguments["norm"] = .string(report.threat.norm.rawValue)
        arguments["epsilon"] = .string(report.threat.epsilon.description)
      }
      if let source = report.source {
        arguments["images_made_on"] = .string(
          Markdown.oneLine("\(source.architecture), \(source.checkpoint)"))
      }
      arguments["ci95"] = .array(share.interval.ends.map(JSONValue.double))
      arguments["spec_hash"] = .string(report.specificationHash)
      let name = attack?.name ?? "clean"
      return [
        "type": "accuracy", "value": .double(share.accuracy),
        "name": .string(
          name == "clean" ? "Clean accuracy" : Markdown.oneLine("Accuracy under \(name)")),
        "args": .object(arguments),
      ]
    }
  }
}
