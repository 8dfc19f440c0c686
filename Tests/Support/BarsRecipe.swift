/// A recipe for `namid reproduce` on synthetic images, small enough for a test.
public enum BarsRecipe {
  /// The recipe's text; `parts` is `bars` alone.
  ///
  /// - Parameters:
  ///   - seeds: Such as `[0, 1]`.
  ///   - threat: Such as `{norm: linf, epsilon: 1/20}`.
  ///   - rest: Rows, columns and whatever else, from the first column on.
  /// - Returns: The text of a YAML file.
  public static func text(seeds: String, threat: String, rest: String) -> String {
    """
    title: Bars
    seeds: \(seeds)
    settings:
      data: {name: "folder:images", validation: 12, augmentation: {cropPadding: 1}}
      model: {architecture: small-cnn, width: 2}
      threat: \(threat)
      attack: {steps: 2}
      optimizer: {learningRate: 0.05}
      training: {epochs: 2, batchSize: 32, precision: float32, validationSteps: 1}
    parts:
      bars: {}

    """ + rest
  }
}
