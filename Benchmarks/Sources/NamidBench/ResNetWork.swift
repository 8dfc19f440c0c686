/// Floating-point operations of a ResNet-18 on one image, counted by hand: two per multiply-add of convolutions and of
/// the last layer; normalisation and additions are left out.
struct ResNetWork {
  let width: Int
  var padding = 1
  var size = 32
  var channels = 3
  var classes = 10

  /// One forward pass.
  var forward: Double {
    var side = size + 2 * padding - 2
    var multiplyAdds = convolution(channels, width, kernel: 3, side: side)
    var inputs = width
    for stage in 0..<4 {
      let outputs = width << stage
      if stage > 0 {
        side = (side - 1) / 2 + 1
        multiplyAdds += convolution(inputs, outputs, kernel: 1, side: side)
      }
      multiplyAdds += convolution(inputs, outputs, kernel: 3, side: side)
      multiplyAdds += 3 * convolution(outputs, outputs, kernel: 3, side: side)
      inputs = outputs
    }
    return Double(2 * (multiplyAdds + inputs * classes))
  }

  /// One gradient with respect to the image: a forward pass, and as much again on the way back, since no gradient of
  /// weights is needed.
  var attackGradient: Double { 2 * forward }

  private func convolution(_ inputs: Int, _ outputs: Int, kernel: Int, side: Int) -> Int {
    inputs * outputs * kernel * kernel * side * side
  }
}
