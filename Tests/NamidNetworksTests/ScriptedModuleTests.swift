import Foundation
import NamidFiles
import NamidNetworks
import NamidTestSupport
import NamidTorch
import Testing

/// TorchScript archives of PyTorch 2.13 against what PyTorch computes with their models.
@Suite(.serialized)
struct ScriptedModuleTests {
  private static func golden(_ name: String) throws -> (GoldenTensors, Tensor) {
    let golden = try Golden.tensors("scripted/scripted", dtype: .float32)
    let count = try golden.below(name)["logits"].size(0)
    return (golden.below(name), try golden["input"].slice(0..<count).clone())
  }

  @Test(
    "Logits and input gradients are PyTorch's",
    arguments: [
      "traced", "traced-training", "scripted", "fixed-batch", "attention", "tied", "in-place",
      "half",
      "double", "tuple", "dictionary", "frozen",
    ])
  func matchesPyTorch(_ name: String) throws {
    let module = try Scripted.module(name, imageShape: [3, 16, 16])
    let network = try module.network()
    let (golden, input) = try Self.golden(name)
    let kept = input.clone()
    input.requiresGrad = true
    let state = network.fingerprint
    let (logits, gradient) = network.frozen {
      let logits = network.logits(input)
      return (logits, grad(of: logits, wrt: input, outputGradient: golden.find("grad_output")))
    }
    #expect(module.specification.classCount == 10)
    // The trace in half precision holds rounded constants, PyTorch's model in float32 exact ones.
    let tolerance = name == "half" ? 2e-3 : 1e-4
    expectGolden(logits, try golden["logits"], "logits", tolerance: tolerance)
    expectGolden(gradient, try golden["grad.input"], "gradient", tolerance: tolerance)
    // The images and the weights are as they were, and the next calls compute the same bits.
    expectIdentical(input.detach(), kept)
    #expect(network.fingerprint == state)
    for _ in 0..<3 { expectIdentical(network.frozen { network.logits(input) }, logits) }
  }

  @Test("Gradients of weights are PyTorch's", arguments: ["traced", "scripted"])
  func weightGradients(_ name: String) throws {
    let network = try Scripted.module(name, imageShape: [3, 16, 16]).network()
    let (golden, input) = try Self.golden(name)
    let entries = network.store.entries.filter(\.isTrainable)
    let gradients = grad(
      of: network.logits(input), wrt: entries.map(\.tensor),
      outputGradient: try golden["grad_output"])
    let expected = golden.names.filter { $0.hasPrefix("grad.") && $0 != "grad.input" }
    let names: [String] = entries.map { "grad.\($0.name)" }
    #expect(names.sorted() == expected.sorted())
    for (entry, gradient) in zip(entries, gradients) {
      expectGolden(gradient, try golden["grad.\(entry.name)"], entry.name, tolerance: 1e-4)
    }
  }

  @Test("The store's tensors are those that the module computes with")
  func sharesStorage() throws {
    let module = try Scripted.module("traced")
    let (network, other) = (try module.network(), try module.network())
    let images = Tensor.full([2, 3, 16, 16], 0.5)
    let before = network.logits(images)
    let keys = network.store.entries.map(\.name)
    #expect(
      keys == [
        "mean", "conv1.weight", "conv1.bias", "bn.weight", "bn.bias", "bn.running_mean",
        "bn.running_var", "bn.num_batches_tracked", "blocks.0.weight", "blocks.0.bias", "fc.weight",
        "fc.bias",
      ])
    var state = Dictionary(uniqueKeysWithValues: network.store.state.map { ($0.name, $0.tensor) })
    state["fc.bias"] = Tensor.full([10], 3)
    let bias = try #require(other.store.state.last).tensor.detach().clone()
    try network.store.load(state: state)
    expectClose(network.logits(images).detach(), (before - bias + 3).detach(), rtol: 0, atol: 1e-5)
    // Networks of one archive do not share weights.
    expectIdentical(other.logits(images).detach(), before.detach())
  }

  @Test(
    "A step against the gradient of the weights lowers the loss, in a training mode that drops units"
  )
  func trains() throws {
    for name in ["scripted", "traced-training"] {
      let network = try Scripted.module(name, imageShape: [3, 16, 16]).network()
      let images = try Self.golden(name).1
      let labels = Tensor([1, 2], shape: [2])
      network.isTraining = true
      let (first, second) = (network.logits(images).detach(), network.logits(images).detach())
      #expect(first.floats() != second.floats(), "\(name): dropout")
      network.isTraining = false
      let before = network.logits(images).crossEntropy(labels)
      before.backward()
      withoutGrad {
        for parameter in network.store.parameters {
          if let gradient = parameter.grad { parameter.sub_(gradient * 0.05) }
        }
      }
      #expect(network.logits(images).crossEntropy(labels).item() < before.item(), "\(name)")
    }
  }

  @Test("A fixed number of images is found and served for any number", arguments: 1...9)
  func servesAnyNumber(_ count: Int) throws {
    for (name, size) in [("fixed-batch", 4), ("fixed-batch-unknown", 8)] {
      let module = try Scripted.module(name, imageShape: [3, 16, 16])
      #expect(module.batchSize == size)
      let network = try module.network()
      let images = try Golden.tensors("scripted/scripted", dtype: .float32)["input"]
      let all = network.logits(images)
      let some = network.logits(images.slice(0..<min(count, 8)))
      #expect(some.shape == [min(count, 8), 10])
      expectClose(some.detach(), all.slice(0..<min(count, 8)).detach(), rtol: 0, atol: 1e-6)
      #expect(network.logits(images.slice(0..<0)).shape == [0, 10])
    }
  }

  @Test(
    "What was found is said",
    arguments: [
      ("traced", []), ("scripted", []),
      ("traced-training", ["it was traced in training mode"]),
      ("fixed-batch", ["it takes 4 images at once"]),
      ("half", ["its float16 numbers are converted to float32"]),
      ("double", ["its weights are float64"]),
      ("frozen", ["it cannot be trained"]), ("noisy", ["it draws random numbers"]),
      ("other-device", ["its code names the device \"cuda:0\"; cpu takes its place"]),
    ])
  func notes(_ name: String, _ parts: [String]) throws {
    let notes = try Scripted.module(name, imageShape: [3, 16, 16]).notes
    #expect(notes.count == parts.count, "\(notes)")
    for (note, part) in zip(notes, parts) { #expect(note.contains(part), "\(note)") }
  }

  @Test("The size of the images is that of the trace")
  func findsImageSize() throws {
    let specification = try Scripted.module("traced").specification
    let shape: [Int] = [
      specification.channels, specification.imageHeight, specification.imageWidth,
    ]
    #expect(shape == [3, 16, 16])
    let error = message { _ = try Scripted.module("traced", imageShape: [3, 20, 20]) }
    #expect(error?.contains("it was traced with 2×3×16×16") == true, "\(error ?? "")")
  }

  @Test("One of several outputs can be named, and otherwise they are listed")
  func severalOutputs() throws {
    let error = message { _ = try Scripted.module("two-matrices") }
    #expect(
      error?.contains("\"0\" 2×10, \"1.0\" 2×10, \"1.1\" 2×8×4×4; name the place of the logits")
        == true,
      "\(error ?? "")")
    let network = try Scripted.module("two-matrices", output: "1.0").network()
    let (golden, input) = try Self.golden("two-matrices")
    expectGolden(network.logits(input), try golden["logits"], tolerance: 1e-4)
    let other = message { _ = try Scripted.module("no-logits") }
    #expect(other?.contains("no matrix of 2 rows: the output 2×8×4×4") == true, "\(other ?? "")")
  }

  @Test("A module that changes itself in evaluation mode is refused")
  func refusesChange() {
    let error = message { _ = try Scripted.module("counting", imageShape: [3, 16, 16]) }
    #expect(error?.contains("it changes \"mean\" in evaluation mode") == true, "\(error ?? "")")
  }

  @Test("Tensors saved on another device are loaded on the wanted one")
  func remapsDevice() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "a.pt")
      let (from, to) = ([3, 0, 0, 0] + Array("cpu".utf8), [6, 0, 0, 0] + Array("cuda:0".utf8))
      let entries = try Scripted.entries("traced").map { name, bytes in
        (name, name == "data.pkl" ? [UInt8](Data(bytes).replacing(from, with: to)) : bytes)
      }
      try Scripted.write(entries, to: url)
      let module = try Scripted.module(at: url)
      #expect(module.notes == ["it was saved on cuda:0 and is loaded on cpu"])
      let (golden, input) = try Self.golden("traced")
      expectGolden(try module.network().logits(input), try golden["logits"], tolerance: 1e-4)
    }
  }

  @Test("Networks leave no tensors behind, and calls no memory")
  func leavesNothing() throws {
    let images = Tensor.full([4, 3, 16, 16], 0.5)
    try expectNoTensorLeak {
      for name in ["traced", "scripted", "tuple", "fixed-batch"] {
        let network = try Scripted.module(name, imageShape: [3, 16, 16]).network()
        let leaf = images.clone()
        leaf.requiresGrad = true
        let step = { _ = network.frozen { grad(of: network.logits(leaf).sum(), wrt: leaf) } }
        for _ in 0..<3 { step() }
        let use = MemoryUse.measure { for _ in 0..<20 { step() } }
        #expect(use.liveBytes == 0, "\(name)")
      }
    }
  }
}
