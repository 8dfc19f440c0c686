import NamidAttacks

/// The command lines that cards and reports show.
///
/// The tool hands them in: a library knows neither verbs nor flags.
package protocol CommandTexts: Sendable {
  /// The command that makes the quickstart's report again.
  var quickstart: String { get }
  /// Commands that a reader of the quickstart's report may try next.
  var further: [String] { get }
  /// The command that measures images of another network.
  var transfer: String { get }
  /// Returns the command that trains again with a configuration file, into a folder.
  func training(configuration: String, into folder: String) -> String
  /// Returns the command that repeats a measurement.
  func evaluation(_ measurement: RepeatedMeasurement) -> String
}

/// A measurement to be repeated, as far as it differs from what is measured of a run by default.
package struct RepeatedMeasurement: Hashable, Sendable {
  /// The run's folder.
  package var run: String
  /// The epoch of the checkpoint; nil leaves the choice to the tool.
  package var epoch: Int?
  /// The attacks with their settings, separated by commas.
  package var attacks: String
  /// The part of the data set; nil for test images.
  package var split: String?
  /// The number of images; nil for all.
  package var limit: Int?
  /// The ball; nil for the run's own.
  package var threat: ThreatModel?
  package var seed = 0
  /// True for images of another data set than the run's.
  package var hasOtherData = false
}
