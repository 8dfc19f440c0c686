/// Which part of a data set a set of images is.
///
/// Sets come from disk as `train` or `test`; `validation` is what
/// `ImageSet.splitting(validation:seed:)` takes out of the training images, or a folder of its own.
public enum Split: String, Sendable, Codable, CaseIterable {
  /// Images that a model learns from.
  case train
  /// Images that choose between checkpoints and settings.
  case validation
  /// Images that a published figure is measured on, and nothing else.
  case test
}
