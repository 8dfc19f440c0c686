import Foundation
import NamidAttacks
import NamidInformation
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidDefenses

/// Equation 8 on golden features.
@Suite(.serialized) struct NAMIDLossTests {
  struct Facts: Decodable {
    let alpha: Double
    let selections: [String: [Int]]
  }

  @Test(
    arguments: [
      ("batch", 0.1, true), ("per_position", 0.1, true), ("batch", 0, true), ("batch", 0.1, false),
    ] as [(String, Double, Bool)], [DType.float32, .float64])
  func lossesAreThoseOfPyTorch(_ choice: (form: String, lambda: Double, leak: Bool), _ dtype: DType)
    throws
  {
    let facts = try Golden.json("mutual_information", as: Facts.self)
    var settings = NAMID.Settings()
    settings.cosine = choice.form == "batch" ? .batch : .perPosition
    settings.lambda = choice.lambda
    var done = 0
    for (selection, mask) in facts.selections where selection != "none" {
      let all = try Golden.tensors("mutual_information", dtype: dtype)
      let leak = choice.leak ? "leak" : "no_leak"
      let golden = all.below("namid.\(choice.form).lambda\(choice.lambda).\(leak)/\(selection)")
      let selected = mask.indices.filter { mask[$0] == 1 }
      let anchors = Tensor(selected, shape: [selected.count])
      let names = ["natural", "adversarial"].flatMap { estimator in
        ["natural", "adversarial"].map { "\(estimator).global.of_\($0)" }
      }
      let leaves = try names.map { try all["input/\($0)"] }
      for leaf in leaves { leaf.requiresGrad = true }
      let losses = try zip(names, leaves).map { name, leaf in
        DonskerVaradhan.losses(
          global: leaf.indexSelect(anchors),
          local: try all["input/\(name.split(separator: ".")[0]).local"].permute([2, 0, 1]),
          anchors: anchors, leak: choice.leak)
      }
      let parts = [(0, 1), (2, 3)].map { natural, adversarial in
        NAMID.Part(
          natural: losses[natural], adversarial: losses[adversarial],
          weight: natural == 0 ? settings.lambda : -settings.lambda, form: settings.cosine)
      }
      let total = parts[0].total + parts[1].total
      expectGolden(total, try golden["term.total"], "\(selection) total")
      let value = facts.alpha * total
      expectGolden(value, try golden["value"], "\(selection) value")
      for (name, gradient) in zip(names, grad(of: value, wrt: leaves)) {
        let expected = golden.find("grad.\(name)") ?? gradient.zerosLike()
        expectGolden(gradient, expected, "\(selection) gradient of \(name)")
      }
      expectGolden(parts[0].cosine, try golden["term.cosine.natural"])
      expectGolden(parts[1].cosine, try golden["term.cosine.adversarial"])
      let difference = parts[1].information - parts[0].information
      expectGolden(difference, try golden["term.difference"])
      #expect(parts.allSatisfy { !$0.information.requiresGrad })
      done += 1
    }
    #expect(done == 4)
  }
}
