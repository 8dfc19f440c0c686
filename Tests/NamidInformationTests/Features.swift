import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidInformation

/// The golden features of both estimators, as leaves, and what is computed from them.
struct Features {
  let golden: GoldenTensors
  let leaves: [String: Tensor]
  let leak: Bool

  init(_ dtype: DType, leak: Bool = true) throws {
    golden = try Golden.tensors("mutual_information", dtype: dtype)
    let inputs = golden.below("input")
    leaves = try Dictionary(
      uniqueKeysWithValues: inputs.names.map { name in
        let leaf = try inputs[name]
        leaf.requiresGrad = true
        return (name, leaf)
      })
    self.leak = leak
  }

  func leaf(_ name: String) throws -> Tensor {
    guard let leaf = leaves[name] else { return try golden["input/\(name)"] }
    return leaf
  }

  /// Losses by position of `natural.of_adversarial` or another pair; golden local features are (N, units, positions).
  func losses(_ name: String, anchors: Tensor? = nil) throws -> Tensor {
    let parts = name.split(separator: ".", maxSplits: 1)
    let global = try leaf(
      parts.count == 2 ? "\(parts[0]).global.\(parts[1])" : "\(parts[0]).global")
    return DonskerVaradhan.losses(
      global: anchors.map { global.indexSelect($0) } ?? global,
      local: try leaf("\(parts[0]).local").permute([2, 0, 1]), anchors: anchors, leak: leak)
  }

  /// Compares a value and all its gradients; one that the golden file lacks is zero.
  func expect(_ value: Tensor, is name: String) throws {
    expectGolden(value, try golden["\(name)/value"], name)
    let names = leaves.keys.sorted()
    let gradients = grad(of: value, wrt: names.compactMap { leaves[$0] })
    for (leaf, gradient) in zip(names, gradients) {
      let expected = golden.find("\(name)/grad.\(leaf)") ?? gradient.zerosLike()
      expectGolden(gradient, expected, "\(name) gradient of \(leaf)")
    }
  }
}
