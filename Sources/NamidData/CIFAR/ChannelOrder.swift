/// Writes planes (all red values, then green, then blue) as pixels (red, green, blue of each).
///
/// - Parameters:
///   - planes: The planes of one image.
///   - channels: How many planes there are.
///   - pixels: Where the interleaved values go; as many as the planes have.
func interleave(
  planes: UnsafeBufferPointer<UInt8>, channels: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
) {
  precondition(planes.count == pixels.count, "\(planes.count) values into \(pixels.count)")
  let area = planes.count / channels
  for channel in 0..<channels {
    let plane = UnsafeBufferPointer(rebasing: planes[(channel * area)..<((channel + 1) * area)])
    for position in 0..<area { pixels[position * channels + channel] = plane[position] }
  }
}
