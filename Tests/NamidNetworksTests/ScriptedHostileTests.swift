import Foundation
import NamidFiles
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

/// TorchScript archives that want to do something else, or are damaged: one line each, and nothing happens.
@Suite(.serialized)
struct ScriptedHostileTests {
  @Test(
    "Archives that PyTorch makes of models with side effects are refused by name",
    arguments: [
      ("hostile-setstate", "__getstate__"), ("hostile-from-file", "\"from_file\""),
      ("hostile-save", "\"save\""), ("hostile-fork", "function in a function"),
      ("hostile-quantized", "quantized"),
    ])
  func refusesSideEffects(_ name: String, _ part: String) {
    let error = Scripted.refusal(Scripted.url(name))
    #expect(error?.contains(part) == true, "\(error ?? "loaded")")
    #expect(error?.contains("\n") == false)
    #expect(!FileManager.default.fileExists(atPath: "/tmp/namid-hostile"))
  }

  @Test(
    "Code that would run while it is loaded, or is not what PyTorch prints, is refused",
    arguments: [
      // Values of defaults and constants are computed by the compiler.
      (
        "x: Tensor)", "x: Tensor,\n    y: Tensor=torch.zeros([1]))",
        "a default value that is computed"
      ),
      ("x: Tensor)", "x: Tensor,\n    y: List[int]=[0] * 1000000)", "computes a value"),
      (
        "  training : bool", "  training : bool\n  a : Final[int] = int(3)", "outside of a function"
      ),
      // Names of operators, however they are spelled.
      ("    fc = self.fc\n", "    f = torch.save\n    fc = self.fc\n", "\"save\""),
      ("    fc = self.fc\n", "    f = getattr(torch, \"save\")\n    fc = self.fc\n", "\"save\""),
      ("    fc = self.fc\n", "    f = getattr(torch, \"s\\x61ve\")\n    fc = self.fc\n", "escapes"),
      ("    fc = self.fc\n", "    f = getattr(torch, \"sa\" \"ve\")\n    fc = self.fc\n", "touch"),
      ("    fc = self.fc\n", "    x.from_file(\"a\")\n    fc = self.fc\n", "\"from_file\""),
      ("    fc = self.fc\n", "    ops.aten.from_file(\"a\")\n    fc = self.fc\n", "\"from_file\""),
      (
        "    fc = self.fc\n", "    _ = \"\"\"\n# \"\"\"; torch.save(x, \"a\")\n    fc = self.fc\n",
        "touch"
      ),
      (
        "    fc = self.fc\n", "    _ = __torch__.torch.classes.a.B()\n    fc = self.fc\n",
        "torch.classes"
      ),
      ("    fc = self.fc\n", "    fc = self.fc;\\\n", "byte 92"),
      ("    fc = self.fc\n", "    torch.manual_seed(1)\n    fc = self.fc\n", "\"manual_seed\""),
      // What libtorch itself refuses.
      ("    fc = self.fc\n", "    fc = self.nothing\n", "libtorch says"),
      ("  fc : ", "  other : ", "libtorch says"),
      ("    fc = self.fc\n", "    fc = self.fc\n    ops.my.thing(x)\n", "libtorch says"),
    ])
  func refusesCode(_ old: String, _ new: String, _ part: String) throws {
    try withTemporaryFolder { folder in
      let error = try Scripted.refusal(of: "traced", replacing: old, with: new, in: folder)
      #expect(error?.contains(part) == true, "\(error ?? "loaded")")
      #expect(error?.contains("\n") == false)
    }
  }

  @Test("Nesting and lengths that could exhaust a stack are refused")
  func refusesDepth() throws {
    let deep = 100_000
    let old = "    fc = self.fc\n"
    let parts = [
      "    a = \(String(repeating: "(", count: deep))1\(String(repeating: ")", count: deep))\n",
      "    a = 1\(String(repeating: " + 1", count: deep))\n",
      "    a = \(String(repeating: "-", count: deep))1\n",
      "    a = x\(String(repeating: "[0]", count: deep))\n",
      "    a = \(String(repeating: "1 if True else ", count: deep))1\n",
      "    a = \(String(repeating: "not ", count: deep))True\n",
      (0..<2000).map { String(repeating: " ", count: 4 + 2 * $0) + "if True:\n" }.joined(),
    ]
    try withTemporaryFolder { folder in
      for part in parts {
        let error = try Scripted.refusal(
          of: "traced", replacing: old, with: part + old, in: folder)
        #expect(error?.contains("code/__torch__.py line") == true, "\(error ?? "loaded")")
      }
    }
  }

  @Test("Classes that need each other do not exhaust the stack")
  func classCycle() throws {
    try withTemporaryFolder { folder in
      let error = try Scripted.refusal(
        of: "traced", replacing: "  training : bool\n",
        with: "  training : bool\n  again : Optional[__torch__.Net]\n", in: folder)
      #expect(error?.contains("libtorch says") == true, "\(error ?? "loaded")")
    }
  }

  @Test("Objects of another type than is declared are refused")
  func typeConfusion() throws {
    try withTemporaryFolder { folder in
      // The dropout, an object of few attributes, in the place of the linear layer.
      let error = try Scripted.refusal(of: "traced", changing: "data.pkl", in: folder) {
        Self.replaced(
          $0, "c__torch__.torch.nn.modules.linear\nLinear\n",
          "c__torch__.torch.nn.modules.dropout\nDropout\n")
      }
      #expect(error?.contains("stands where") == true, "\(error ?? "loaded")")
    }
  }

  private static func replaced(_ bytes: [UInt8], _ old: String, _ new: String) -> [UInt8] {
    [UInt8](Data(bytes).replacing(Array(old.utf8), with: Array(new.utf8)))
  }

  @Test("Pickles that are not PyTorch's are refused before libtorch sees them")
  func refusesPickles() throws {
    let begin: [UInt8] = [0x80, 2]
    let pickles: [(String, [UInt8])] = [
      ("os.system", begin + Array("cos\nsystem\n(X".utf8) + [2, 0, 0, 0] + Array("lstR.".utf8)),
      (
        "torch.classes",
        begin + Array("c__torch__.torch\nclasses.a.B\n)".utf8) + [0x81] + Array("}b.".utf8)
      ),
      ("__setstate__", begin + Array("c__torch__\nNet\n)".utf8) + [0x81] + Array("Nb.".utf8)),
      (
        "nested",
        begin + Array(repeating: UInt8(ascii: ")"), count: 1)
          + Array(repeating: 0x85, count: 1_000_000) + [UInt8(ascii: ".")]
      ),
      (
        "nested",
        begin + Array(")".utf8) + Array(repeating: [0x32, 0x86], count: 0).flatMap { $0 }
          + (0..<60).flatMap { [UInt8(ascii: "q"), $0, UInt8(ascii: "h"), $0, 0x86] }
          + [UInt8(ascii: ".")]
      ),
      ("places", begin + Array("Nr".utf8) + [0, 0, 0, 0x7F] + Array(".".utf8)),
      ("missing", begin + Array("t.".utf8)), ("missing", begin + Array("R.".utf8)),
      ("ends", begin), ("ends", []), ("one value", begin + Array("NN.".utf8)),
      ("operation", begin + Array("i".utf8)), ("no module", begin + Array("N.".utf8)),
      ("changed after", begin + Array("]q".utf8) + [0] + Array("(h".utf8) + [0] + Array("e.".utf8)),
    ]
    try withTemporaryFolder { folder in
      for (part, pickle) in pickles {
        let error = try Scripted.refusal(of: "traced", changing: "data.pkl", in: folder) { _ in
          pickle
        }
        #expect(error?.contains(part) == true, "\(part): \(error ?? "loaded")")
      }
    }
  }

  @Test("Tensors reach neither beyond their storage nor beyond its bytes")
  func refusesBounds() throws {
    try withTemporaryFolder { folder in
      // The storage of conv1.weight has 162 numbers; strides 27, 9, 3, 1.
      for (old, new) in [
        ([0x4B, 162], [0x4B, 161]), ([0x4B, 27, 0x4B, 9], [0x4B, 28, 0x4B, 9]),
      ]
        as [([UInt8], [UInt8])]
      {
        let error = try Scripted.refusal(of: "traced", changing: "data.pkl", in: folder) {
          [UInt8](Data($0).replacing(old, with: new))
        }
        #expect(error?.contains("reaches beyond its storage") == true, "\(error ?? "loaded")")
      }
      let error = try Scripted.refusal(of: "traced", changing: "data/1", in: folder) {
        Array($0.dropLast())
      }
      #expect(error?.contains("\"1\" are not all there") == true, "\(error ?? "loaded")")
    }
  }

  @Test("Archives that are cut off anywhere are refused")
  func refusesCut() throws {
    let bytes = try Data(contentsOf: Scripted.url("traced"))
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "cut.pt")
      for count in stride(from: 0, to: bytes.count, by: 61) {
        try bytes.prefix(count).write(to: url)
        #expect(Scripted.refusal(url) != nil, "\(count) bytes")
      }
    }
  }

  @Test("No changed byte ends the process", arguments: ["traced", "scripted"])
  func survivesChanges(_ name: String) throws {
    let entries = try Scripted.entries(name).filter { !$0.name.hasPrefix("data/") }
    let rest = try Scripted.entries(name).filter { $0.name.hasPrefix("data/") }
    var stream = RandomStream(seed: 18)
    try withOneThread {
      try withTemporaryFolder { folder in
        let url = folder.appending(path: "changed.pt")
        for _ in 0..<400 {
          var changed = entries
          let index = stream.integer(below: changed.count)
          guard !changed[index].bytes.isEmpty else { continue }
          let place = stream.integer(below: changed[index].bytes.count)
          changed[index].bytes[place] = UInt8(stream.integer(below: 256))
          try Scripted.write(changed + rest, to: url)
          let error = Scripted.refusal(url)
          #expect(error?.contains("\n") != true, "\(error ?? "")")
        }
      }
    }
  }
}
