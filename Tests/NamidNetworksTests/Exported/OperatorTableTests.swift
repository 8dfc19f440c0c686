import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidNetworks

/// The list of allowed operators, the schemas that libtorch prints, and arithmetic on sizes.
@Suite struct OperatorTableTests {
  @Test func everyAllowedOperatorExists() throws {
    #expect(AllowedOperators.names.count > 350)
    let known = AllowedOperators.names.union(OperatorRules.replacements.values.map(\.name))
    for name in known.sorted() {
      #expect(throws: Never.self, "\(name)") { try CallPlanner.find(name) }
    }
  }

  /// Nothing on the list draws random numbers, writes to a given tensor, or takes a file's name.
  @Test func noAllowedOperatorHasSideEffects() throws {
    for name in AllowedOperators.names.sorted() {
      let parameters = try CallPlanner.find(name).parameters
      #expect(!parameters.contains { $0.type == "Generator" }, "\(name)")
      #expect(!parameters.contains { ["filename", "out"].contains($0.name) }, "\(name)")
      let changed = parameters.indices.filter { parameters[$0].isMutated }
      #expect(changed == (name.split(separator: ".")[0].hasSuffix("_") ? [0] : []), "\(name)")
    }
  }

  @Test func schemasAreSplit() throws {
    let conv = try NamedOperator.find("aten::conv2d").parameters
    #expect(
      conv.map(\.name)
        == ["input", "weight", "bias", "stride", "padding", "dilation", "groups"])
    #expect(conv.map(\.isList) == [false, false, false, true, true, true, false])
    #expect(conv.map(\.hasDefault) == [false, false, true, true, true, true, true])
    #expect(conv[2].isOptional && conv[2].type == "Tensor" && conv[3].type == "SymInt")
    let index = try NamedOperator.find("aten::index", overload: "Tensor").parameters[1]
    #expect(index.isList && index.hasOptionalElements && !index.isOptional)
    let pad = try NamedOperator.find("aten::pad").parameters
    #expect(pad.map(\.type) == ["Tensor", "SymInt", "str", "float"])
    let split = try NamedOperator.find("aten::split", overload: "Tensor")
    #expect(split.returnsList && split.parameters[0].isAliased && !split.parameters[0].isMutated)
    #expect(try NamedOperator.find("aten::relu_").parameters[0].isMutated)
    let mean = try NamedOperator.find("aten::mean", overload: "dim").parameters
    #expect(mean[1].isList && mean[1].isOptional && mean[3].type == "ScalarType")
  }

  @Test func omittedArgumentsTakeTheDefault() throws {
    let pool = try NamedOperator.find("aten::avg_pool2d")
    let input = ClosedForm.picture([1, 1, 4, 4])
    let results = try call(
      pool,
      [.tensor(input), .integers([2, 2]), .omitted, .integers([1, 1]), .omitted, .boolean(false)])
    #expect(results.map(\.shape) == [[1, 1, 3, 3]])
    // The corner counts itself alone.
    #expect(results[0].floats()[0] == input.floats()[0])
  }

  @Test func numbersDoNotChangeElementTypes() throws {
    let add = try NamedOperator.find("aten::add", overload: "Tensor")
    let low = Tensor.ones([2], dtype: .bfloat16)
    let half = try #require(Tensor.number(.real(0.5)))
    let sum = try callForTensor(add, [.tensor(low), .tensor(half)])
    #expect(sum.dtype == .bfloat16 && sum.to(.float32).floats() == [1.5, 1.5])
    #expect(Tensor.number(.string("1")) == nil)
  }

  @Test func errorsOfNamedOperatorsAreTyped() {
    #expect(throws: EngineError.self) { try NamedOperator.find("aten::no_such_operator") }
    #expect(throws: EngineError.self) {
      try call(NamedOperator.find("aten::mm"), [.tensor(.ones([2, 3])), .tensor(.ones([2, 3]))])
    }
  }

  @Test func memoryIsBounded() throws {
    #expect(throws: EngineError.self) {
      try withMemoryBound(1 << 20) {
        _ = try callForTensor(NamedOperator.find("aten::zeros"), [.integers([1 << 24])])
      }
    }
    let tensor = try withMemoryBound(1 << 20) {
      try callForTensor(NamedOperator.find("aten::zeros"), [.integers([16])])
    }
    #expect(tensor.shape == [16])
  }

  @Test func sizesFollowPython() {
    func run(_ operation: PythonOperator, _ a: Int, _ b: Int) -> PythonOperator.Value? {
      operation([.integer(a), .integer(b)])
    }
    #expect(run(.floordiv, -7, 2) == .integer(-4) && run(.mod, -7, 2) == .integer(1))
    #expect(run(.floordiv, 7, -2) == .integer(-4) && run(.mod, 7, -2) == .integer(-1))
    #expect(run(.truediv, 7, 2) == .real(3.5) && run(.pow, 3, 4) == .integer(81))
    #expect(run(.floordiv, 1, 0) == nil && run(.mod, 1, 0) == nil && run(.truediv, 1, 0) == nil)
    #expect(run(.add, .max, 1) == nil && run(.mul, .max, 2) == nil && run(.pow, 10, 60) == nil)
    #expect(run(.floordiv, .min, -1) == nil && run(.mod, .min, -1) == nil)
    #expect(run(.max, 2, 5) == .integer(5) && run(.lt, 2, 5) == .boolean(true))
    #expect(PythonOperator.neg([.integer(.min)]) == nil && PythonOperator.neg([]) == nil)
    #expect(PythonOperator.int([.real(-2.7)]) == .integer(-2))
    #expect(PythonOperator.int([.real(.nan)]) == nil)
    #expect(PythonOperator.ite([.boolean(false), .integer(1), .real(2)]) == .real(2))
  }
}
