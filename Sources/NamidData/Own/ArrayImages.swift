import Foundation
import NamidFiles

/// Images and labels of arrays in the form that image sets have.
struct ArrayImages {
  var pixels: [UInt8]
  var height: Int
  var width: Int
  var channels: Int
  var labels: [Int]

  /// The order of the axes of an array of images.
  private enum Layout: String {
    case gray = "(N, H, W)"
    case channelsFirst = "(N, C, H, W)"
    case channelsLast = "(N, H, W, C)"
  }

  /// Converts images and labels; `say` hears of everything that was not as it should be.
  init(images: StoredArray, labels: StoredArray, say: (String) -> Void) throws {
    let layout = try Self.layout(of: images)
    let shape = images.shape
    (height, width, channels) =
      switch layout {
      case .gray: (shape[1], shape[2], 1)
      case .channelsFirst: (shape[2], shape[3], shape[1])
      case .channelsLast: (shape[1], shape[2], shape[3])
      }
    if layout != .channelsFirst {
      say("\(images.name): \(StoredArray.text(of: shape)) is read as \(layout.rawValue)")
    }
    let isPlanar = layout == .channelsFirst && channels > 1
    pixels = try Self.bytes(of: images, say: say)
    if isPlanar { pixels = Self.interleaved(pixels, planes: channels, area: height * width) }
    self.labels = try Self.labels(labels, count: shape[0], say: say)
  }

  private static func layout(of images: StoredArray) throws -> Layout {
    let shape = images.shape
    let expected = "(N, C, H, W), (N, H, W, C) or (N, H, W), with 1 or 3 channels"
    guard (3...4).contains(shape.count), !shape.contains(0) else {
      throw DatasetError.unfit(
        file: images.name, problem: "images of shape \(StoredArray.text(of: shape))",
        remedy: "Give them the shape \(expected).")
    }
    if shape.count == 3 { return .gray }
    if [1, 3].contains(shape[1]) { return .channelsFirst }
    if [1, 3].contains(shape[3]) { return .channelsLast }
    let hasAlpha = shape[1] == 4 || shape[3] == 4
    throw DatasetError.unfit(
      file: images.name, problem: "images of shape \(StoredArray.text(of: shape))",
      remedy: hasAlpha
        ? "Images have 1 or 3 channels: compose the fourth, transparency, on a colour first."
        : "Give them the shape \(expected).")
  }

  // MARK: - Values

  private static func bytes(of images: StoredArray, say: (String) -> Void) throws -> [UInt8] {
    switch images.element {
    case .uint8:
      if let most = images.bytes.max(), most <= 1 {
        say(
          "\(images.name): no byte is above \(most): are these images of [0, 1], rounded to bytes?")
      }
      return images.bytes
    case .float32:
      return try images.bytes.withUnsafeBytes { try rounded($0, as: Float.self, images, say) }
    case .float64:
      return try images.bytes.withUnsafeBytes { try rounded($0, as: Double.self, images, say) }
    case .float16:
      return try images.element.doubles(images.bytes).withUnsafeBytes {
        try rounded($0, as: Double.self, images, say)
      }
    case .bool, .int8, .int16, .int32, .int64, .uint16, .uint32, .uint64:
      let values = images.element.doubles(images.bytes)
      throw DatasetError.unfit(
        file: images.name,
        problem: "images of \(images.element.title), from \(text(values.min() ?? 0)) to "
          + text(values.max() ?? 0),
        remedy: "Save them as uint8 from 0 to 255, x.astype(\"uint8\"), or as float32 in [0, 1].")
    }
  }

  /// Rounds numbers of [0, 1] to the nearest of 256 levels.
  private static func rounded<Number: BinaryFloatingPoint & BitwiseCopyable>(
    _ raw: UnsafeRawBufferPointer, as _: Number.Type, _ images: StoredArray,
    _ say: (String) -> Void
  ) throws -> [UInt8] {
    let size = MemoryLayout<Number>.size
    var (lowest, highest, farthest) = (Number.infinity, -Number.infinity, Number(0))
    var isFinite = true
    let pixels = [UInt8](unsafeUninitializedCapacity: raw.count / size) { buffer, filled in
      filled = raw.count / size
      for index in 0..<filled {
        let value = raw.loadUnaligned(fromByteOffset: index * size, as: Number.self)
        lowest = min(lowest, value)
        highest = max(highest, value)
        guard value >= 0, value <= 1 else {
          isFinite = isFinite && value.isFinite
          buffer[index] = 0
          continue
        }
        let level = (value * 255).rounded(.toNearestOrEven)
        farthest = max(farthest, abs(value * 255 - level))
        buffer[index] = UInt8(level)
      }
    }
    guard isFinite else {
      throw DatasetError.unfit(
        file: images.name, problem: "images with values that are not finite numbers",
        remedy: "Remove or repair them.")
    }
    guard lowest >= 0, highest <= 1 else {
      let range = "values from \(text(Double(lowest))) to \(text(Double(highest)))"
      throw DatasetError.unfit(
        file: images.name, problem: "images with \(range), where [0, 1] is needed",
        remedy: lowest >= 0 && highest <= 255
          ? "Divide by 255, or save them as uint8."
          : "Undo the normalisation, x * std + mean: a network keeps its own.")
    }
    // Numbers that were bytes once are within rounding of a level.
    if farthest > 0.01 {
      say(
        "\(images.name): values between the 256 levels of bytes are rounded, by at most "
          + String(format: "%.4f", Double(farthest) / 255))
    }
    return pixels
  }

  private static func interleaved(_ pixels: [UInt8], planes: Int, area: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: pixels.count) { buffer, filled in
      pixels.withUnsafeBufferPointer { source in
        for start in stride(from: 0, to: source.count, by: planes * area) {
          for plane in 0..<planes {
            for place in 0..<area {
              buffer[start + place * planes + plane] = source[start + plane * area + place]
            }
          }
        }
      }
      filled = pixels.count
    }
  }

  // MARK: - Labels

  /// Labels are below this bound: a set has no more classes.
  static let mostClasses = 65_536

  private static func labels(
    _ array: StoredArray, count: Int, say: (String) -> Void
  ) throws -> [Int] {
    func unfit(_ problem: String, _ remedy: String) -> DatasetError {
      .unfit(file: array.name, problem: problem, remedy: remedy)
    }
    guard array.shape.first == count, (1...2).contains(array.shape.count) else {
      throw unfit(
        "labels of shape \(StoredArray.text(of: array.shape)) for \(count) images",
        "Give every image one label: (\(count),).")
    }
    let columns = array.shape.count == 1 ? 1 : array.shape[1]
    var values: [Int]
    switch array.element {
    case .bool where columns == 1:
      throw unfit(
        "labels of bool", "Save them as whole numbers from 0 on: y.astype(\"int64\").")
    case .bool, .float16, .float32, .float64:
      let numbers = array.element.doubles(array.bytes)
      let whole = numbers.compactMap { Int(exactly: $0) }
      guard whole.count == numbers.count else {
        let stray = numbers.first { Int(exactly: $0) == nil } ?? 0
        throw unfit(
          "labels of \(array.element.title) that are no whole numbers, such as \(text(stray))",
          "Save the number of each image's class, from 0 on.")
      }
      values = whole
      if columns == 1 { say("\(array.name): labels of \(array.element.title), all whole numbers") }
    default:
      guard let integers = array.element.integers(array.bytes) else {
        throw unfit("labels beyond 2⁶³", "Labels count from 0.")
      }
      values = integers
    }
    if array.shape.count == 2 {
      guard columns != 1 else {
        say("\(array.name): labels of shape \(StoredArray.text(of: array.shape)) are read as a row")
        return try checked(values, array)
      }
      let rows = (0..<count).map { values[$0 * columns..<($0 + 1) * columns] }
      guard rows.allSatisfy({ $0.allSatisfy { $0 == 0 || $0 == 1 } && $0.reduce(0, +) == 1 }) else {
        throw unfit(
          "labels of shape \(StoredArray.text(of: array.shape)) that are not one-hot",
          "Save the number of each image's class: y.argmax(axis=1).")
      }
      say("\(array.name): one-hot labels are read as the places of the ones")
      values = rows.map { ($0.firstIndex(of: 1) ?? $0.startIndex) - $0.startIndex }
    }
    return try checked(values, array)
  }

  private static func checked(_ values: [Int], _ array: StoredArray) throws -> [Int] {
    if let index = values.firstIndex(where: { !(0..<mostClasses).contains($0) }) {
      throw DatasetError.unfit(
        file: array.name, problem: "label \(values[index]) of image \(index)",
        remedy: "Labels count from 0 and are below \(mostClasses).")
    }
    return values
  }

  /// A number with at most four digits.
  private static func text(_ value: Double) -> String { String(format: "%.4g", value) }
}
