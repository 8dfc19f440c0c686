/// The weights with which the values along one side of an image become those of a shorter or longer side.
///
/// A triangle of the width of one output value, at least of one input value, is laid over the input: bilinear
/// interpolation where an image grows, and its antialiased form where it shrinks. Weights are whole multiples of 2⁻²²,
/// and each of the two passes rounds to bytes, as in PIL.
struct ScalingAxis {
  /// The number of output values.
  let count: Int
  private let starts: [Int]
  /// The weights of all output values, `width` places for each.
  private let weights: [Int32]
  private let lengths: [Int]
  private let width: Int
  private static let bits = 22

  /// The weights for some of the output's places.
  init(from input: Int, to output: Int, range: Range<Int>) {
    count = range.count
    let scale = Double(input) / Double(output)
    let reach = max(scale, 1)
    let width = Int(reach.rounded(.up)) * 2 + 1
    var weights = [Int32](repeating: 0, count: range.count * width)
    var (starts, lengths): ([Int], [Int]) = ([], [])
    for (index, place) in range.enumerated() {
      // An image whose side stays as it is is left alone.
      if input == output {
        starts.append(place)
        lengths.append(1)
        weights[index * width] = 1 << Self.bits
        continue
      }
      let center = (Double(place) + 0.5) * scale
      let start = max(0, Int(center - reach + 0.5))
      let end = min(input, Int(center + reach + 0.5))
      let raw = (start..<end).map { max(0, 1 - abs((Double($0) - center + 0.5) / reach)) }
      let total = raw.reduce(0, +)
      for (offset, weight) in raw.enumerated() {
        weights[index * width + offset] = Int32(weight / total * Double(1 << Self.bits) + 0.5)
      }
      starts.append(start)
      lengths.append(end - start)
    }
    self.width = width
    self.weights = weights
    self.starts = starts
    self.lengths = lengths
  }

  /// Scales every row of an image of three values a pixel.
  func scaledRows(of image: UnsafeBufferPointer<UInt8>, height: Int, width: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: height * count * 3) { buffer, filled in
      for row in 0..<height {
        let source = row * width * 3
        for place in 0..<count {
          for channel in 0..<3 {
            buffer[(row * count + place) * 3 + channel] = weighted(place) {
              image[source + 3 * $0 + channel]
            }
          }
        }
      }
      filled = height * count * 3
    }
  }

  /// Scales every column of rows of three values a pixel.
  func scaleColumns(
    of rows: [UInt8], width: Int, into target: UnsafeMutableBufferPointer<UInt8>, stride: Int,
    from start: Int
  ) {
    rows.withUnsafeBufferPointer { rows in
      for place in 0..<count {
        for value in 0..<3 * width {
          target[start + place * stride + value] = weighted(place) { rows[$0 * 3 * width + value] }
        }
      }
    }
  }

  /// The weighted mean of the input values of an output place.
  @inline(__always)
  private func weighted(_ place: Int, _ value: (Int) -> UInt8) -> UInt8 {
    var sum = Int32(1) << Int32(Self.bits - 1)
    for offset in 0..<lengths[place] {
      sum &+= Int32(value(starts[place] + offset)) &* weights[place * width + offset]
    }
    return UInt8(max(0, min(255, sum >> Int32(Self.bits))))
  }
}
