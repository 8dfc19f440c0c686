import Foundation

/// Images of one's own, by path: nobody published them, and their terms are not known.
protocol OwnData: DatasetSource {
  /// The file or folder.
  var place: URL { get }
  /// The fault of the name, or of what lies there; nil where there is none.
  var problem: DatasetError? { get }
}

extension OwnData {
  var origin: String { place.path }
  var licence: String { "your own" }
  var expectedCounts: [Split: Int] { [:] }

  /// The place itself, whatever the data directory.
  func candidates(in directory: URL) -> [URL] { [place] }

  func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    try read(split, from: location) { _ in }
  }

  /// Fails: one's own images are where one put them.
  func fetch(into directory: URL, say: (String) -> Void) throws {
    throw DatasetError.fetchFailed(
      name: name, reasons: ["images of one's own have no publisher"],
      remedy: advice(for: directory))
  }
}
