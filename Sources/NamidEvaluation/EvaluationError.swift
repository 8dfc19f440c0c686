import NamidAttacks
import NamidFiles
import NamidTerminal

/// A measurement that cannot be made, or whose state cannot be kept or used.
public enum EvaluationError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The data set is empty.
  case noImages
  /// The radius is none that a ball of images can have.
  case radius(ThreatModel, largest: Double)
  /// Weights or running statistics are NaN or infinite.
  case weightsNotFinite(names: [String])
  /// The network breaks down on images that nobody has touched.
  case logitsNotFinite(count: Int, total: Int)
  /// The folder holds the state of another evaluation.
  case otherEvaluation(String, differences: [String])
  /// An earlier version of the program has begun the evaluation, in a format that cannot be continued.
  case earlierFormat(String, format: Int)
  /// The folder holds what no evaluation has written.
  case foreignFiles(String, names: [String])
  /// The plan in the folder cannot be read.
  case unreadableState(String, reason: String)
  /// Another process works on the same evaluation.
  case stateInUse(String)
  /// Two runs were measured on different images, in different balls or by different attacks.
  case differentMeasurements(first: String, other: String, of: String)
  /// The state cannot be written where it should be.
  case stateNotWritable(String, reason: String)

  /// A sentence for people: the mistake and a way to correct it.
  public var description: String {
    switch self {
    case .noImages: "there are no images to measure on: the data set is empty"
    case .radius(let threat, _) where threat.epsilon.value < 0:
      "ε is \(threat.epsilon): a radius must not be negative"
    case .radius(let threat, let largest):
      "ε is \(threat.epsilon), but two images in [0, 1] differ by at most "
        + "\(shortNumber(largest)) in \(threat.norm.rawValue): give the radius for images in [0, 1], "
        + "such as 8/255"
    case .weightsNotFinite(let names):
      "the network's weights contain NaN or infinity (\(Self.some(of: names))): its training has "
        + "failed; measure an earlier checkpoint"
    case .logitsNotFinite(let count, let total):
      "the network's logits are NaN or infinite on \(count) of \(total) unattacked images, though "
        + "its weights are finite: its training has failed; measure an earlier checkpoint"
    case .otherEvaluation(let path, let differences):
      "\(path) is the state of another evaluation (\(Self.some(of: differences, "; "))): repeat that "
        + "one to continue it, choose another folder for the state, or start anew"
    case .earlierFormat(let path, let format):
      "\(path) was begun by an earlier version, in format \(format) instead of "
        + "\(EvaluationPlan.currentVersion), and cannot be continued: choose another folder for the "
        + "state, or start anew"
    case .foreignFiles(let path, let names):
      "\(path) holds files that no evaluation has written (\(Self.some(of: names))): choose another "
        + "folder for the state"
    case .unreadableState(let path, let reason):
      "\(path) cannot be read (\(reason)): choose another folder for the state, or start anew"
    case .stateInUse(let path):
      "another process is at work on the same evaluation in \(path): wait for it, or choose another "
        + "folder for the state"
    case .differentMeasurements(let first, let other, let difference):
      "\(other) would be measured with \(difference) than \(first), and a mean over both would mean "
        + "nothing: give all the same images, norm and radius, or measure them one by one"
    case .stateNotWritable(let path, let reason):
      "the evaluation cannot keep its state at \(path): \(reason); choose a folder that can be "
        + "written to"
    }
  }

  private static func some(of items: [String], _ separator: String = ", ") -> String {
    let more = items.count - 6
    return items.prefix(6).joined(separator: separator) + (more > 0 ? " and \(more) more" : "")
  }
}
