/// Words for settings.
enum SettingNames {
  private static let names = [
    "data.name": "data set", "data.limit": "training images", "data.validation": "images held out",
    "data.augmentation.cropPadding": "padding of random crops",
    "model.architecture": "network", "model.width": "base width", "threat.epsilon": "ε",
    "attack.steps": "steps of the training attack", "optimizer.kind": "optimizer",
    "optimizer.learningRate": "learning rate", "optimizer.weightDecay": "weight decay",
    "schedule.kind": "schedule", "training.epochs": "epochs", "training.batchSize": "batch size",
    "training.precision": "precision of training",
    "training.validationSteps": "steps of the validation attack", "namid.alpha": "α of NAMID",
    "namid.lambda": "λ of NAMID", "namid.warmUp": "training before the MI term joins",
    "namid.warmUpEpochs": "epochs before the MI term joins",
    "namid.balance": "rule that keeps the MI term from outweighing the loss",
    "wmim.balance": "rule that keeps the MI from outweighing the loss", "epochs": "epochs",
    "batchSize": "batch size", "units": "length of features", "milestones": "milestones",
  ]

  static func name(of key: String) -> String { names[key] ?? key }

  static func value(_ text: String, of key: String) -> String {
    if text != "null" { return text.replacing("\"", with: "") }
    return key == "data.limit" ? "all" : "none"
  }
}
