import NamidTestSupport
import NamidTorch
import Testing

/// Layers and losses as functions, against PyTorch.
@Suite(.serialized) struct GoldenTests {
  struct Options: Decodable {
    var kernel: Int?
    var stride: Int?
    var padding: Int?
    var output: Int?
    var dim: Int?
  }

  /// A case's function of its input.
  func output(_ name: String, _ o: Options, _ x: Tensor, _ golden: GoldenTensors) throws -> Tensor?
  {
    switch name.split(separator: ".")[0] {
    case "conv2d":
      x.conv2d(
        try golden["weight"], bias: golden.find("bias"), stride: try #require(o.stride),
        padding: try #require(o.padding))
    case "linear": x.linear(try golden["weight"], bias: golden.find("bias"))
    case "layer_norm":
      x.layerNorm([x.size(-1)], weight: try golden["weight"], bias: try golden["bias"])
    case "avg_pool2d":
      x.avgPool2d(try #require(o.kernel), stride: o.stride, padding: try #require(o.padding))
    case "max_pool2d":
      x.maxPool2d(try #require(o.kernel), stride: o.stride, padding: try #require(o.padding))
    case "adaptive_avg_pool2d": x.adaptiveAvgPool2d(try #require(o.output))
    case "relu": x.relu()
    case "softplus": x.softplus()
    case "softmax": x.softmax(try #require(o.dim))
    case "log_softmax": x.logSoftmax(try #require(o.dim))
    case "logsumexp": x.logsumexp([try #require(o.dim)])
    default: nil
    }
  }

  @Test(arguments: [DType.float32, .float64]) func layers(_ dtype: DType) throws {
    let options = try Golden.json("layers", as: [String: Options].self)
    let all = try Golden.tensors("layers", dtype: dtype)
    var done = 0
    for (name, option) in options where !name.hasPrefix("batch_norm") {
      let golden = all.below(name)
      let names = ["input", "weight", "bias"].filter { golden.find($0) != nil }
      let leaves = try names.map { try golden[$0] }
      for leaf in leaves { leaf.requiresGrad = true }
      let inputs = Dictionary(uniqueKeysWithValues: zip(names, leaves))
      let found = try output(
        name, option, leaves[0], all.below(name).replacing(inputs))
      let result = try #require(found, "no function for \(name)")
      expectGolden(result, try golden["output"], "\(name) output")
      let gradients = grad(of: result, wrt: leaves, outputGradient: try golden["grad_output"])
      for (input, gradient) in zip(names, gradients) {
        expectGolden(gradient, try golden["grad.\(input)"], "\(name) gradient of \(input)")
      }
      done += 1
    }
    #expect(done == 28)
  }

  @Test(arguments: [DType.float32, .float64]) func batchNorm(_ dtype: DType) throws {
    let all = try Golden.tensors("layers", dtype: dtype)
    let mean = Tensor.zeros([3], dtype: dtype)
    let variance = Tensor.ones([3], dtype: dtype)
    for name in ["train.step1", "train.step2", "train.step3", "eval"] {
      let golden = all.below("batch_norm.\(name)")
      let leaves = try ["input", "weight", "bias"].map { try golden[$0] }
      for leaf in leaves { leaf.requiresGrad = true }
      let result = leaves[0].batchNorm(
        weight: leaves[1], bias: leaves[2], runningMean: mean, runningVar: variance,
        training: name != "eval")
      expectGolden(result, try golden["output"], name)
      let gradients = grad(of: result, wrt: leaves, outputGradient: try golden["grad_output"])
      for (input, gradient) in zip(["input", "weight", "bias"], gradients) {
        expectGolden(gradient, try golden["grad.\(input)"], "\(name) gradient of \(input)")
      }
      if name != "eval" {
        expectGolden(mean, try golden["running_mean"], "\(name) running mean")
        expectGolden(variance, try golden["running_var"], "\(name) running variance")
      }
    }
  }

  /// KL(p(x) ‖ p(x̃)) of each sample.
  func divergence(_ natural: Tensor, _ adversarial: Tensor) -> Tensor {
    let (p, q) = (natural.logSoftmax(1), adversarial.logSoftmax(1))
    return (p.exp() * (p - q)).sum([1])
  }

  @Test(arguments: [DType.float32, .float64]) func losses(_ dtype: DType) throws {
    let golden = try Golden.tensors("losses", dtype: dtype)
    let labels = try golden["labels"]
    let reductions: [(String, Tensor.LossReduction)] = [
      ("mean", .mean), ("sum", .sum), ("none", .none),
    ]
    var cases: [(String, (Tensor, Tensor) -> Tensor)] = []
    for (name, reduction) in reductions {
      cases.append(
        ("cross_entropy.\(name)", { x, _ in x.crossEntropy(labels, reduction: reduction) }))
      cases.append(
        (
          "cross_entropy.smoothing.\(name)",
          { x, _ in x.crossEntropy(labels, reduction: reduction, labelSmoothing: 0.1) }
        ))
    }
    cases.append(("cross_entropy.adversarial.mean", { _, y in y.crossEntropy(labels) }))
    cases.append(("kl.none", divergence))
    cases.append(("kl.sum", { divergence($0, $1).sum() }))
    cases.append(("kl.batchmean", { divergence($0, $1).mean() }))
    cases.append(("trades.beta6", { $0.crossEntropy(labels) + 6 * divergence($0, $1).mean() }))
    for (name, loss) in cases {
      let leaves = try ["logits.natural", "logits.adversarial"].map { try golden[$0] }
      for leaf in leaves { leaf.requiresGrad = true }
      let value = loss(leaves[0], leaves[1])
      expectGolden(value, try golden["\(name)/value"], name)
      let weights = Tensor.arange(value.count).to(dtype) + 1
      let gradients = grad(
        of: value, wrt: leaves, outputGradient: weights.reshape(value.shape))
      for (leaf, gradient) in zip(["natural", "adversarial"], gradients) {
        let expected = golden.find("\(name)/grad.\(leaf)") ?? gradient.zerosLike()
        expectGolden(gradient, expected, "\(name) gradient of \(leaf)")
      }
    }
  }
}
