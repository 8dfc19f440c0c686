import NamidTestSupport
import NamidTorch
import Synchronization
import Testing

@Suite(.serialized) struct ClosenessTests {
  /// The text of the only issue that `body` records, or nil when it records none.
  func issue(_ body: () -> Void) -> String? {
    let noted = Mutex<[String]>([])
    withKnownIssue(isIntermittent: true) {
      body()
    } matching: { issue in
      noted.withLock { $0.append(issue.comments.map(\.rawValue).joined()) }
      return true
    }
    let texts = noted.withLock { $0 }
    return texts.count <= 1 ? texts.first : "more than one issue: \(texts)"
  }

  @Test func equalNumbersAreClose() {
    #expect(issue { expectClose([1.0, -2, 0], [1, -2, 0], rtol: 0) } == nil)
    #expect(issue { expectClose([Double.infinity], [.infinity], rtol: 0) } == nil)
    #expect(issue { expectClose([Double](), []) } == nil)
    #expect(issue { expectClose(0.0, -0.0, rtol: 0) } == nil)
  }

  @Test func toleranceIsAbsolutePlusRelativeToTheExpectedValue() {
    #expect(issue { expectClose(104.0, 100, rtol: 0.03, atol: 1) } == nil)
    #expect(issue { expectClose(104.1, 100, rtol: 0.03, atol: 1) } != nil)
    // Relative to the expected 2, not to the found 1.
    #expect(issue { expectClose(1.0, 2, rtol: 0.5) } == nil)
    #expect(issue { expectClose(2.0, 1, rtol: 0.5) } != nil)
  }

  @Test func notANumberIsCloseToNothing() {
    #expect(issue { expectClose(Double.nan, 1, rtol: .infinity) } != nil)
    #expect(issue { expectClose(1, Double.nan, atol: .infinity) } != nil)
    #expect(issue { expectClose(Double.nan, .nan, atol: .infinity) } != nil)
  }

  @Test func infinityIsCloseOnlyToItself() {
    #expect(issue { expectClose(1, Double.infinity, rtol: 0.1, atol: 1) } != nil)
    #expect(issue { expectClose(Double.infinity, 1, rtol: 0.1, atol: 1) } != nil)
    #expect(issue { expectClose(-Double.infinity, .infinity, rtol: 0.1, atol: 1) } != nil)
  }

  @Test func messageNamesTheWorstElementAndBothValues() throws {
    let actual = Tensor([1, 2, 3, 4, 5, 6.5], shape: [2, 3])
    let expected = Tensor([1, 2, 3, 4.25, 5, 6], shape: [2, 3])
    let text = try #require(issue { expectClose(actual, expected, rtol: 0, "weights") })
    #expect(text.contains("weights: 2 of 6 elements differ"))
    #expect(text.contains("max |Δ| = 0.5"))
    #expect(text.contains("[1, 2]: 6.5 instead of 6.0"))
  }

  @Test func worstIsTheFurthestBeyondItsAllowance() throws {
    let text = try #require(issue { expectClose([1010.0, 2], [1000, 1], rtol: 0.02) })
    #expect(text.contains("1 of 2 elements"))
    #expect(text.contains("max |Δ| = 10.0"))
    #expect(text.contains("[1]: 2.0 instead of 1.0"))
  }

  @Test func shapesMustAgree() throws {
    let text = try #require(issue { expectClose(.ones([2, 1]), .ones([1, 2])) })
    #expect(text.contains("shape [2, 1] instead of [1, 2]"))
    #expect(issue { expectClose([1.0], [1, 2]) } != nil)
  }

  @Test func identityIsOfBits() {
    let a = Tensor([Float.nan, 0], shape: [2])
    #expect(issue { expectIdentical(a, a.clone()) } == nil)
    #expect(issue { expectIdentical(Tensor([0.0], shape: [1]), Tensor([-0.0], shape: [1])) } != nil)
    #expect(issue { expectIdentical(.ones([2]), .ones([2], dtype: .float64)) } != nil)
    #expect(issue { expectIdentical(.ones([2]), .ones([2, 1])) } != nil)
  }

  @Test func leaksAreNoticed() {
    var kept: [Tensor] = []
    #expect(issue { expectNoTensorLeak { _ = Tensor.ones([2]) + 1 } } == nil)
    #expect(issue { expectNoTensorLeak { kept.append(.ones([2])) } } != nil)
    #expect(issue { expectNoTensorLeak { kept.removeAll() } } != nil)
  }

  @Test func gradientCheckNoticesAWrongGradient() {
    let x = Tensor([0.3, -1.2], shape: [2])
    #expect(issue { expectGradientsMatchDifferences(at: [x]) { $0[0].square().sum() } } == nil)
    let wrong = issue {
      // Half of the value is hidden from the gradient.
      expectGradientsMatchDifferences(at: [x]) { ($0[0] * $0[0].detach()).sum() }
    }
    #expect(wrong?.contains("gradient of input 0") == true)
  }

  @Test func closedFormHasItsSamples() throws {
    struct Samples: Decodable {
      let indices: [Int]
      let phase: [String: Double]
      let wave: [String: [Double]]
    }
    let samples = try Golden.json("closed_form", as: Samples.self)
    #expect(samples.phase.count == 4)
    for (key, phase) in samples.phase { expectClose(ClosedForm.phase(key), phase, rtol: 1e-15) }
    for (key, wave) in samples.wave {
      let values = samples.indices.map { ClosedForm.wave(key, at: $0) }
      expectClose(values, wave, rtol: 0, atol: 1e-12, key)
    }
  }

  @Test func goldenFilesSayWhatTheyLack() throws {
    let golden = try Golden.tensors("layers").below("relu")
    #expect(golden.names == ["grad.input", "grad_output", "input", "output"])
    let error = #expect(throws: (any Error).self) { try golden["weight"] }
    #expect(error.map { "\($0)" } == "the golden file layers: relu has no \"weight\"")
  }
}
