import NamidTorch

/// Operators with numbers that follow from a formula: what a device computes in float32 against the CPU in float64.
struct OperatorChecks {
  /// An operator or a few of them; inputs come on a device and in an element type.
  struct Check: Sendable {
    let name: String
    let limit: Double
    let compute: @Sendable (_ input: (String, [Int]) -> Tensor) -> Tensor
  }

  static let all: [Check] =
    convolutions + [
      Check(name: "matrix product", limit: 1e-5) {
        $0("a", [33, 70]).matmul($0("b", [70, 41]))
      },
      Check(name: "batched matrix product", limit: 1e-5) {
        $0("a", [5, 33, 20]).bmm($0("b", [5, 20, 11]))
      },
      Check(name: "cross-entropy and its gradient", limit: 1e-5) { input in
        let logits = input("logits", [24, 10])
        logits.requiresGrad = true
        let labels = (Tensor.arange(24, device: logits.device) * 7).remainder(10)
        return withGrad { grad(of: logits.crossEntropy(labels, labelSmoothing: 0.1), wrt: logits) }
      },
      Check(name: "log-softmax, log-sum-exp", limit: 1e-5) {
        let x = $0("x", [17, 13]) * 20.0
        return x.logSoftmax(1) + x.logsumexp([1], keepdim: true)
      },
      Check(name: "layer norm and its gradient", limit: 1e-4) { input in
        let x = input("x", [9, 32])
        x.requiresGrad = true
        let weight = input("w", [32])
        return withGrad {
          let y = x.layerNorm([32], weight: weight, bias: weight)
          return grad(of: (y * y).sum(), wrt: x)
        }
      },
      Check(name: "pooling and resizing", limit: 1e-5) {
        let x = $0("x", [3, 5, 12, 12])
        return Tensor.cat([
          x.maxPool2d(2).flatten(), x.avgPool2d(3).flatten(), x.adaptiveAvgPool2d(1).flatten(),
          x.upsampleBilinear2d([7, 9]).flatten(),
        ])
      },
      Check(name: "sorting, running sums, top values", limit: 1e-5) {
        let x = $0("x", [7, 50])
        return Tensor.cat([x.sort(1).values, x.cumsum(1), x.topk(9, dim: 1).values], dim: 1)
      },
      Check(name: "distances, norms, variance", limit: 1e-4) {
        let x = $0("x", [20, 30])
        return Tensor.cat([
          x.cdist(x * 0.5).flatten(), x.norm(2, [1]), x.norm(1, [1]), x.variance([1]),
        ])
      },
      Check(name: "selecting and scattering", limit: 1e-5) {
        let x = $0("x", [20, 30])
        let rows = (Tensor.arange(11, device: x.device) * 13).remainder(20)
        let columns = (Tensor.arange(20, device: x.device) * 7).remainder(30).unsqueeze(1)
        return Tensor.cat([
          x.indexSelect(rows).flatten(), x.gather(columns, dim: 1).flatten(),
          x.zerosLike().scatterAdd(columns, x.slice(0..<1, dim: 1), dim: 1).flatten(),
          x.roll([3], dims: [1]).flip([0]).pad([1, 2]).flatten(),
        ])
      },
      Check(name: "elementary functions", limit: 1e-5) {
        let x = $0("x", [400])
        return Tensor.stack([
          x.exp(), (x + 2.0).log(), x.tanh(), (x * 0.9).atanh(), x.cos(), x.sin(), x.softplus(),
          (x + 2.0).sqrt(), (x + 2.0).pow(0.3), x.sigmoid(),
        ])
      },
    ]

  /// Forward, input gradient and weight gradient of the shapes that networks have, channels last.
  private static let convolutions = [
    (kernel: 3, stride: 1, channels: (3, 16)), (3, 2, (16, 32)), (1, 1, (32, 16)), (1, 2, (16, 32)),
  ].map { kernel, stride, channels in
    Check(
      name: "convolution \(kernel)×\(kernel), stride \(stride), \(channels.0) to \(channels.1)",
      limit: 1e-5
    ) { input in
      let x = input("x", [4, channels.0, 12, 12]).contiguous(.channelsLast)
      let w = input("w", [channels.1, channels.0, kernel, kernel])
      for leaf in [x, w] { leaf.requiresGrad = true }
      return withGrad {
        let y = x.conv2d(w, stride: stride, padding: kernel / 2)
        let gradients = grad(of: (y * y).sum(), wrt: [x, w])
        return Tensor.cat(
          ([y] + gradients).map { $0.detach().flatten() / $0.detach().abs().max() })
      }
    }
  }

  /// Adds a row per check.
  static func run(on device: Device, into report: inout SelfTestReport) {
    for check in all {
      let actual = check.compute { wave($0, $1).to(device) }
      let expected = check.compute { wave($0, $1).to(.float64) }
      report.add(
        "operators", check.name, relativeDistance(actual, expected), atMost: check.limit)
    }
  }

  /// Numbers in [−1, 1] that follow from a name and a place.
  private static func wave(_ name: String, _ shape: [Int]) -> Tensor {
    let phase = Double(name.utf8.reduce(0) { $0 + Int($1) }) / 7
    let places = Tensor.arange(shape.reduce(1, *), dtype: .float64)
    return (places * 0.37 + places.square() * 1e-3 + phase).cos().to(.float32).view(shape)
  }
}
