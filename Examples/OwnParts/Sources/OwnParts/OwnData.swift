import Foundation
import Namid

/// Grey images of 16×16 pixels with horizontal or vertical stripes.
struct Stripes: DatasetSource {
  let name = "stripes"
  let title = "Stripes"
  let origin = "made up by this program"
  let licence = "none needed"
  let expectedCounts: [Split: Int] = [.train: 64, .test: 32]

  func candidates(in directory: URL) -> [URL] { [directory] }

  /// There are no files: the set is wherever it is looked for.
  func layout(of folder: URL) -> String? { "made up" }

  func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    let count = expectedCounts[split] ?? 0
    let side = 16
    let labels = (0..<count).map { $0 % 2 }
    let pixels = labels.enumerated().flatMap { index, label in
      (0..<side * side).map { place -> UInt8 in
        let line = label == 0 ? place / side : place % side
        return UInt8((line + index / 2) % 4 < 2 ? 200 : 40)
      }
    }
    return ImageSet(
      name: name, title: title, split: split, height: side, width: side, channels: 1,
      classNames: ["horizontal", "vertical"], pixels: pixels, labels: labels,
      layout: location.layout)
  }

  func fetch(into directory: URL, say: (String) -> Void) throws {}
}
