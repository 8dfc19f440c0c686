import Foundation
import NamidTorch

/// One's own images in a safetensors file: `images` (N, C, H, W) as bytes and `labels` (N).
struct OwnTensors: OwnData {
  let place: URL

  var name: String { Datasets.filePrefix + place.lastPathComponent }
  var title: String { place.deletingPathExtension().lastPathComponent }

  /// Tensors, where the file is there.
  func layout(of folder: URL) -> String? { Files.isFile(place) ? "safetensors" : nil }

  /// Reads the images; every split is the whole file.
  func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    let content = try SafetensorsFile.read(place)
    guard let images = content["images"].map(Tensor.init), images.dtype == .uint8,
      images.rank == 4, [1, 3].contains(images.size(1)), images.count > 0
    else { throw foreign("no tensor images of bytes", "images: uint8 (N, 1 or 3, H, W)") }
    guard let labels = content["labels"].map(Tensor.init), labels.shape == [images.size(0)],
      [.int64, .int32, .uint8].contains(labels.dtype)
    else { throw foreign("no tensor labels of whole numbers", "labels: int64 (N)") }
    let values = labels.ints()
    let largest = values.max() ?? 0
    guard largest < 65_536 else { throw foreign("the label \(largest)", "labels below 65536") }
    let classes = content.metadata["classes"].flatMap(Int.init) ?? (largest + 1)
    guard (1...65_536).contains(classes) else {
      throw foreign("\(classes) classes", "from 1 to 65536")
    }
    if let index = values.firstIndex(where: { !(0..<classes).contains($0) }) {
      throw DatasetError.labelOutOfRange(
        file: place.path, index: index, label: values[index], classes: classes)
    }
    return ImageSet(
      name: name, title: title, split: split, height: images.size(2), width: images.size(3),
      channels: images.size(1), classNames: (0..<classes).map { "class \($0)" },
      pixels: images.permute([0, 2, 3, 1]).contiguous().array(of: UInt8.self), labels: values,
      layout: location.layout)
  }

  func advice(for directory: URL) -> String {
    "It must hold images, uint8 (N, C, H, W), and labels, int64 (N); the number of classes is the largest label "
      + "plus one, or the metadata's \"classes\"."
  }

  private func foreign(_ found: String, _ expected: String) -> DatasetError {
    .foreign(file: place.path, expected: expected, found: found)
  }
}
