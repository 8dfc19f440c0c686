import NamidFiles
import NamidSettings
import NamidTerminal

/// A fault of image files, with the remedy.
public enum DatasetError: Error, Equatable, Sendable {
  /// The set's files are missing.
  case missing(what: String, lookedIn: [String], remedy: String)
  /// A file is there and cannot be read.
  case unreadable(file: String, reason: String)
  /// A file ends before its content does; `expected` is the least size that it must have.
  case truncated(file: String, expected: Int, found: Int)
  /// A file has more bytes than its content.
  case tooLong(file: String, expected: Int, found: Int)
  /// A file is of another kind than its place says.
  case foreign(file: String, expected: String, found: String)
  /// A pickle asks for code or types that a data file does not need.
  case refused(file: String, what: String)
  /// A file's content is of a form that cannot be used, with the remedy.
  case unfit(file: String, problem: String, remedy: String)
  /// An option behind the path of one's own images is not known, or its value is of another kind.
  case badOption(option: String, expected: String)
  /// A file or folder of one's own has test images only.
  case noTrainingImages(name: String)
  /// All test images are training images.
  case sameImages(name: String, split: Split, count: Int)
  /// A label names no class.
  case labelOutOfRange(file: String, index: Int, label: Int, classes: Int)
  /// An image cannot be decoded.
  case corruptImage(file: String, reason: String)
  /// Several images cannot be used; `first` says of some of them which and why.
  case unusableImages(count: Int, first: [String])
  /// One image differs in size from the others.
  case mixedSizes(file: String, found: String, expected: String, reference: String)
  /// A place that must have images has none.
  case empty(place: String, expected: String)
  /// A set has another number of images than it must have.
  case wrongCount(what: String, expected: Int, found: Int)
  /// A set does not fit into this machine's memory.
  case tooLarge(what: String, bytes: Int, available: Int)
  /// A draw asks for more images than there are, or for none.
  case badCount(set: String, wanted: Int, available: Int)
  /// A file is not the one that was published.
  case checksumMismatch(file: String, expected: String, found: String)
  /// The name is that of no set.
  case unknownName(String, nearest: [String], known: [String])
  /// The set has no such split.
  case noSuchSplit(name: String, split: Split, available: [Split])
  /// A set could not be fetched; one reason per place that was tried.
  case fetchFailed(name: String, reasons: [String], remedy: String)
  /// A file could not be written.
  case unwritable(file: String, reason: String)
}

extension DatasetError: CustomStringConvertible {
  /// A sentence on what was expected, what was found and what to do next.
  public var description: String {
    switch self {
    case .missing(let what, let places, let remedy):
      return "\(what) is not there. Looked in: \(places.joined(separator: ", ")). \(remedy)"
    case .unreadable(let file, let reason):
      return "\(file) cannot be read: \(reason)"
    case .truncated(let file, let expected, let found):
      return "\(file) is truncated: expected at least \(expected) bytes, found \(found). "
        + "Fetch or copy the file again."
    case .tooLong(let file, let expected, let found):
      return "\(file) is too long: expected \(expected) bytes, found \(found). "
        + "Fetch or copy the file again."
    case .foreign(let file, let expected, let found):
      return "\(file) is not what its place says: expected \(expected), found \(found)."
    case .refused(let file, let what):
      return "\(file) asks for \(what), which no image file needs. It was not run. "
        + "Use a copy from the official source."
    case .unfit(let file, let problem, let remedy):
      return "\(file): \(problem). \(remedy)"
    case .badOption(let option, let expected):
      return "the option “\(option)” of the data set's name cannot be read; expected \(expected)"
    case .noTrainingImages(let name):
      return "\(name) has test images only: it can be measured on, not trained on. "
        + "To train, name two files, --dataset file:TRAIN,TEST."
    case .sameImages(let name, let split, let count):
      return "all \(count) \(split.rawValue) images of \(name) are training images, too: "
        + "figures on them would say nothing about new images. "
        + "Name images that are not trained on."
    case .labelOutOfRange(let file, let index, let label, let classes):
      return "\(file): label \(label) of image \(index) names no class; "
        + "expected 0 to \(classes - 1)."
    case .corruptImage(let file, let reason):
      return "\(file) cannot be decoded: \(reason). Replace or remove the file."
    case .unusableImages(let count, let first):
      let rest = count - first.count
      return "\(count) images cannot be used:\n" + first.map { "  - \($0)\n" }.joined()
        + (rest > 0 ? "  - and \(rest) more\n" : "")
        + "Replace or remove them, or get the whole set again."
    case .mixedSizes(let file, let found, let expected, let reference):
      return "\(file) has \(found) pixels, \(reference) has \(expected) (height × width). "
        + "All images of a set must have one size: scale them, folder:PATH:resize=N."
    case .empty(let place, let expected):
      return "\(place) has no images; expected \(expected)."
    case .wrongCount(let what, let expected, let found):
      return "\(what) has \(found) images; expected \(expected). "
        + "The copy is incomplete or is another set."
    case .tooLarge(let what, let bytes, let available):
      return "\(what) need \(bytes >> 20) MiB of memory; this machine has \(available >> 20) MiB. "
        + "Scale the images down or use fewer."
    case .badCount(let set, let wanted, let available):
      return "\(wanted) images cannot be drawn from the \(available) of \(set): "
        + "at least one must be left, so ask for at most \(max(0, available - 1))"
    case .checksumMismatch(let file, let expected, let found):
      return "\(file) is not the published file: expected checksum \(expected), found \(found)."
    case .unknownName(let name, let nearest, let known):
      let hint =
        nearest.isEmpty ? "" : " Did you mean \(nearest.joined(separator: " or "))?"
      return "no data set is called “\(name)”.\(hint) Known: \(known.joined(separator: ", "))."
    case .noSuchSplit(let name, let split, let available):
      let hint =
        split == .validation
        ? " Take validation images out of the training images, with a count and a seed." : ""
      return "\(name) has no split “\(split.rawValue)”; it has "
        + available.map(\.rawValue).joined(separator: " and ") + ".\(hint)"
    case .fetchFailed(let name, let reasons, let remedy):
      return "\(name) could not be fetched:\n"
        + reasons.map { "  - \($0)\n" }.joined() + remedy
    case .unwritable(let file, let reason):
      return "\(file) cannot be written: \(reason)"
    }
  }
}

extension DatasetError {
  /// A name that none of some sets has, nor one's own images.
  public static func unknownName(_ name: String, among sets: [any DatasetSource]) -> DatasetError {
    let known = sets.map(\.name)
    return .unknownName(
      name, nearest: nearest(name, among: known).map { [$0] } ?? [],
      known: known + [Datasets.folderPrefix, Datasets.filePrefix].map { $0 + "PATH" })
  }

  /// The file and the reason, without the remedy: for a line of a list.
  var brief: String {
    switch self {
    case .corruptImage(let file, let reason): "\(file): \(reason)"
    case .mixedSizes(let file, let found, let expected, let reference):
      "\(file): \(found) pixels, not \(expected) as \(reference) (folder:PATH:resize=N scales)"
    default: description
    }
  }
}
