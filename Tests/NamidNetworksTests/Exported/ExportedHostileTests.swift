import Foundation
import NamidFiles
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidNetworks

/// Archives that are damaged or made to do harm: one line each, and nothing runs.
@Suite(.serialized) struct ExportedHostileTests {
  private func expectRefusal(
    _ message: String?, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard let message else {
      Issue.record("it was accepted", sourceLocation: sourceLocation)
      return
    }
    for part in parts where !message.contains(part) {
      Issue.record("\"\(part)\" is not in: \(message)", sourceLocation: sourceLocation)
    }
    #expect(!message.contains("\n"), sourceLocation: sourceLocation)
    #expect(message.contains("model.pt2"), sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    "aten.from_file.default", "aten.save.default", "aten.bernoulli.p", "aten.as_strided.default",
    "aten.set_.source_Tensor", "aten.resize_.default", "prim.PythonOp.default",
    "mylib.run.default", "higher_order.cond",
  ])
  func unknownOperatorsAreNamed(_ target: String) {
    let refusal = ExportedFixture.refusal(
      "tuple", ("torch.ops.aten.tanh.default", "torch.ops.\(target)"))
    expectRefusal(refusal, "torch.ops.\(target)", "its node \"tanh\"", ";")
  }

  @Test func pythonNamesOutsideTheListAreRefused() {
    for target in ["os.system", "builtins.eval", "_operator.setitem", "torch.load", "math.exp"] {
      expectRefusal(
        ExportedFixture.refusal("tuple", ("torch.ops.aten.tanh.default", target)), target)
    }
  }

  @Test func cyclesAndUnknownNames() {
    let tanh = #"{"as_tensor": {"name": "tanh"}}"#
    let conv = #"{"as_tensor": {"name": "conv2d"}}"#
    expectRefusal(
      ExportedFixture.refusal(
        "tuple", (#""arg": {"as_tensor": {"name": "conv2d"}}"#, #""arg": \#(tanh)"#)),
      "reads \"tanh\"", "before it")
    expectRefusal(
      ExportedFixture.refusal("tuple", (#""outputs": [\#(tanh)]"#, #""outputs": [\#(conv)]"#)),
      "\"conv2d\" is defined twice")
    expectRefusal(
      ExportedFixture.refusal(
        "tuple",
        (
          #""arg": {"as_tensor": {"name": "p_conv_weight"}}"#,
          #""arg": {"as_tensor": {"name": "p"}}"#
        )), "reads \"p\"")
  }

  @Test func wrongWeightTables() {
    func refusal(_ old: String, _ new: String) -> String? {
      ExportedFixture.refusal("tuple", in: "weights_config.json", (old, new))
    }
    let sizes = #""sizes": [{"as_int": 6}, {"as_int": 3}"#
    expectRefusal(
      refusal(sizes, #""sizes": [{"as_int": 600}, {"as_int": 3}"#), "conv.weight", "648 bytes")
    expectRefusal(refusal(sizes, #""sizes": [{"as_int": -6}, {"as_int": 3}"#), "beyond")
    expectRefusal(
      refusal(sizes, #""sizes": [{"as_int": 4611686018427387904}, {"as_int": 3}"#), "beyond")
    expectRefusal(refusal(sizes, #""sizes": [{"as_int": 6}"#), "sizes, strides")
    expectRefusal(refusal(#""as_int": 27}"#, #""as_int": 9223372036854775807}"#), "beyond")
    expectRefusal(refusal(#""as_int": 27}"#, #""as_int": -27}"#), "beyond")
    expectRefusal(
      refusal(#""storage_offset": {"as_int": 0}"#, #""storage_offset": {"as_int": 100}"#), "beyond")
    expectRefusal(refusal(#""dtype": 7"#, #""dtype": 8"#), "beyond")
    expectRefusal(refusal(#""dtype": 7"#, #""dtype": 10"#), "element type")
    expectRefusal(refusal(#""use_pickle": false"#, #""use_pickle": true"#), "pickled")
    expectRefusal(refusal(#""path_name": "weight_0""#, #""path_name": "../weight_0""#), "no bytes")
    expectRefusal(refusal(#""conv.weight""#, #""conv.weigth""#), "\"conv.weight\"", "no table")
    expectRefusal(refusal(#""layout": 7"#, #""layout": 2"#), "sparse")
  }

  /// A tensor whose strides are 0 repeats one number; so many of them that memory would run out are refused.
  @Test func repeatedNumbersAreBounded() {
    let repeated =
      #""sizes": [{"as_int": 6000000}, {"as_int": 6000}], "requires_grad": true, "device": {"type": "cpu", "index": null}, "strides": [{"as_int": 0}, {"as_int": 0}]"#
    let text = (try? ZipArchive(ExportedFixture.url("tuple"))).flatMap { archive in
      archive.entries.first { $0.name.hasSuffix("weights_config.json") }.flatMap {
        try? archive.content(of: $0)
      }
    }
    let table = String(decoding: text ?? [], as: UTF8.self)
    let old = table.firstRange(of: #""sizes": [{"as_int": 6}, {"as_int": 3}"#).flatMap { start in
      table[start.lowerBound...].firstRange(of: #", "storage_offset""#).map {
        String(table[start.lowerBound..<$0.lowerBound])
      }
    }
    expectRefusal(
      ExportedFixture.refusal("tuple", in: "weights_config.json", (old ?? "?", repeated)),
      "four times as large")
  }

  /// Sizes in the graph that would fill all memory fail before any of it is touched.
  @Test func hugeResultsAreRefused() {
    expectRefusal(
      ExportedFixture.refusal(
        "mixed", (#""as_floats": [2.0, 2.0]"#, #""as_floats": [200000.0, 200000.0]"#)),
      "upsample", "bytes")
    expectRefusal(
      ExportedFixture.refusal(
        "mixed", (#""as_ints": [5, 5]"#, #""as_ints": [4611686018427387904, 4611686018427387904]"#)),
      "upsample")
    expectRefusal(
      ExportedFixture.refusal(
        "mixed", (#""as_ints": [0, 1, 0, 1]"#, #""as_ints": [0, 2000000, 0, 1000000]"#)), "pad")
  }

  @Test func argumentsOfOtherTypes() {
    expectRefusal(
      ExportedFixture.refusal("tuple", (#""as_ints": [2, 2]"#, #""as_string": "2""#)),
      "stride", "its node \"conv2d\"")
    expectRefusal(
      ExportedFixture.refusal("tuple", (#""as_ints": [2, 2]"#, #""as_graph": {}"#)), "as_graph")
    expectRefusal(
      ExportedFixture.refusal("tuple", (#""name": "stride""#, #""name": "path""#)), "\"path\"")
    expectRefusal(
      ExportedFixture.refusal("tuple", (#""as_ints": [2, 2]"#, #""as_ints": [2, 2, 2, 2]"#)),
      "its node \"conv2d\"")
    expectRefusal(
      ExportedFixture.refusal("tuple", (#""as_ints": [2, 2]"#, #""as_ints": [0, 0]"#)), "stride")
  }

  @Test func changesInPlaceThatReachWhatTheNetworkOwns() {
    // The convolution's weight is changed by an activation.
    expectRefusal(
      ExportedFixture.refusal(
        "tuple", ("torch.ops.aten.tanh.default", "torch.ops.aten.relu_.default"),
        (
          #""arg": {"as_tensor": {"name": "conv2d"}}"#,
          #""arg": {"as_tensor": {"name": "p_conv_weight"}}"#
        )),
      "p_conv_weight", "in place")
  }

  /// Channels come last here, so that a view of the export may be a copy, which would not see the change.
  @Test func changesInPlaceThatAViewMustSee() {
    expectRefusal(
      message { _ = try ExportedProgram(contentsOf: ExportedFixture.url("changed-view")) }?
        .replacing("exported-changed-view.pt2", with: "model.pt2"),
      "its node \"relu_\"", "\"view\"", "run_decompositions({})")
  }

  @Test func outputsThatAreNoLogitsAreListed() {
    expectRefusal(
      message { _ = try ExportedProgram(contentsOf: ExportedFixture.url("maps")) }?
        .replacing("exported-maps.pt2", with: "model.pt2"),
      "\"maps\": float32 of shape", "\"mean\": float32 of shape 6×3×3", "returns the logits")
  }

  @Test func otherSchemasAndFiles() {
    expectRefusal(
      ExportedFixture.refusal("tuple", (#""major": 8"#, #""major": 7"#)), "schema is 7")
    expectRefusal(
      ExportedFixture.refusal("tuple", in: "archive_format", ("pt2", "exe")), "\"exe\"")
    expectRefusal(
      message {
        _ = try ExportedFixture.opening("tuple") { $0.hasSuffix("model.json") ? nil : $1 }
      }, "no graph")
    expectRefusal(
      message {
        _ = try ExportedFixture.opening("tuple") { $0.hasSuffix("weights_config.json") ? nil : $1 }
      }, "no data/weights/")
    expectRefusal(
      message {
        _ = try ExportedFixture.opening("tuple") { $0.hasSuffix("archive_format") ? nil : $1 }
      }, "another kind", "torch.export.save")
  }

  @Test func bigEndianWeightsAreRead() throws {
    let program = try ExportedFixture.opening("tuple") { name, bytes in
      if name.hasSuffix("byteorder") { return Array("big".utf8) }
      guard name.contains("/weights/weight_") else { return bytes }
      return stride(from: 0, to: bytes.count, by: 4).flatMap { bytes[$0..<$0 + 4].reversed() }
    }
    let images = ClosedForm.picture([2, 3, 8, 8])
    let expected = try ExportedFixture.network("tuple")
    let network = try program.network()
    withoutGrad { _ = expectIdentical(network.logits(images), expected.logits(images)) }
  }

  /// A text of noise in place of some bytes never traps; what is accepted also runs.
  @Test(arguments: ["tuple", "mixed", "resnet-train"]) func changedBytes(_ name: String) throws {
    var stream = RandomStream(seed: 18).keyed(name)
    var accepted = 0
    for round in 0..<150 {
      let target = ["models/model.json", "weights_config.json", "constants_config.json"][round % 3]
      let refusal = message {
        _ = try ExportedFixture.opening(name) { path, bytes in
          guard path.hasSuffix(target), !bytes.isEmpty else { return bytes }
          var changed = bytes
          let digits = Array("0123456789-.\"{}[],:aeft_".utf8)
          for _ in 0...stream.integer(below: 3) {
            let place = stream.integer(below: changed.count)
            changed[place] = digits[stream.integer(below: digits.count)]
          }
          return changed
        }
      }
      if let refusal { #expect(!refusal.contains("\n")) } else { accepted += 1 }
    }
    #expect(accepted < 150)
  }
}
