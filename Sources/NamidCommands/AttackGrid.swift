import Foundation
import NamidData
import NamidEvaluation
import NamidReports
import NamidTorch

/// A picture of attacked images: a row of unattacked ones, then for each attack a row of attacked ones and one of the
/// changes, enlarged to the full range around gray.
struct AttackGrid {
  private static let mostColumns = 10
  private static let gap = 2

  private let set: ImageSet
  private let rows: [Tensor]

  init(_ measurement: RobustnessMeasurement, _ set: ImageSet) {
    self.set = set
    let count = min(set.count, Self.mostColumns)
    let clean = ImageTensors(set).batch(Array(0..<count)).images.contiguous()
    let attacked = measurement.outcomes.filter { $0.report.refused != nil }
      .compactMap { $0.images?.slice(0..<count) }
    rows = [clean] + attacked.flatMap { [$0, EnlargedChange($0 - clean).images] }
  }

  /// The picture.
  func png() throws -> Data {
    let side = { (size: Int, count: Int) in size * count + Self.gap * (count - 1) }
    let padded = rows.map { row in
      // White gaps to the right of and below every image; the outermost are cut off.
      Tensor.cat(
        (0..<row.size(0)).map {
          row.slice($0..<$0 + 1).pad([0, Self.gap, 0, Self.gap], value: 1)
        }, dim: 3)
    }
    let (height, width) = (side(set.height, rows.count), side(set.width, rows[0].size(0)))
    let all = Tensor.cat(padded, dim: 2).slice(0..<height, dim: 2).slice(0..<width, dim: 3)
    return try PNG.encode(image: all)
  }
}
