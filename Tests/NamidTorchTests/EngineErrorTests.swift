import NamidTestSupport
import NamidTorch
import Testing

@Suite(.serialized) struct EngineErrorTests {
  @Test func wrongShapesThrowWithOperatorAndShapes() throws {
    let a = Tensor.ones([2, 3])
    let b = Tensor.ones([4, 5], dtype: .float64)
    let error = try #require(throws: EngineError.self) {
      try call(.matmul, [.tensor(a), .tensor(b)])
    }
    #expect(error.kind == .invalidCall)
    #expect(error.call == "aten::matmul(float32[2, 3], float64[4, 5])")
    #expect(error.message.contains("cannot be multiplied"))
    #expect(error.description == "\(error.call): \(error.message)")
  }

  @Test func wrongArgumentTypesThrow() throws {
    let error = try #require(throws: EngineError.self) {
      try call(.relu, [.string("no tensor")])
    }
    #expect(error.call == "aten::relu(\"no tensor\")")
    #expect(error.message.contains("self"))
    #expect(throws: EngineError.self) { try call(.add, []) }
    #expect(throws: EngineError.self) {
      try call(.relu, [.tensor(.ones([1])), .tensor(.ones([1]))])
    }
  }

  @Test func everyKindOfArgumentAppearsInTheMessage() throws {
    let error = try #require(throws: EngineError.self) {
      try call(
        .relu,
        [
          .none, .integer(1), .real(0.5), .boolean(true), .device(.cpu), .integers([1, 2]),
          .reals([0.5]), .booleans([false]), .tensors([.ones([1])]),
          .optionalTensors([nil, .ones([1])]),
        ])
    }
    #expect(
      error.call
        == "aten::relu(none, 1, 0.5, true, cpu, [1, 2], [0.5], [false], [1 tensors], [2 tensors])")
  }

  @Test func memoryThatIsNotThereIsAnErrorToo() throws {
    let error = try #require(throws: EngineError.self) {
      try call(.zeros, [.integers([1 << 50]), .integer(Int(DType.float32.rawValue))])
    }
    #expect(error.message.contains("memory"))
    #expect(error.kind == .outOfMemory)
  }

  @Test func aFailingOperatorLeaksNothing() {
    expectNoTensorLeak {
      for _ in 0..<10 {
        #expect(throws: EngineError.self) {
          try call(.cat, [.tensors([.ones([2, 3]), .ones([3])])])
        }
      }
    }
  }

  @Test func theEngineWorksAfterAnError() throws {
    #expect(throws: EngineError.self) { try call(.view, [.tensor(.ones([4])), .integers([3])]) }
    let results = try call(.view, [.tensor(.ones([4])), .integers([2, 2])])
    #expect(results.map(\.shape) == [[2, 2]])
  }

  @Test func aWrongOperatorCallTraps() async {
    await #expect(processExitsWith: .failure) { _ = Tensor.ones([2, 3]).matmul(.ones([2, 3])) }
    await #expect(processExitsWith: .failure) { _ = Tensor([Float(1)], shape: [2]) }
    await #expect(processExitsWith: .failure) { _ = Tensor.ones([2]).item() }
    await #expect(processExitsWith: .failure) { _ = Tensor.ones([2]).array(of: Double.self) }
  }
}
