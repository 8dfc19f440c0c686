import NamidTestSupport
import NamidTorch
import Testing

@Suite(.serialized) struct TensorTests {
  func roundTrip<Element: TensorElement & Equatable>(_ values: [Element]) {
    let tensor = Tensor(values, shape: [2, 2])
    #expect(tensor.dtype == Element.dtype)
    #expect(tensor.array(of: Element.self) == values)
    #expect(tensor.transpose(0, 1).array() == [values[0], values[2], values[1], values[3]])
  }

  @Test func hostArraysRoundTrip() {
    roundTrip([UInt8.min, 1, 128, .max])
    roundTrip([Int32.min, -1, 0, .max])
    roundTrip([Int.min, -1, 1 << 53 + 1, .max])
    roundTrip([Float.leastNonzeroMagnitude, -0.1, .infinity, .greatestFiniteMagnitude])
    roundTrip([0.1, -.infinity, .pi, .leastNonzeroMagnitude])
    roundTrip([true, false, false, true])
  }

  @Test(arguments: DType.allCases) func everyElementTypeConverts(_ dtype: DType) {
    let values = [0, 1, 0, 1]
    let tensor = Tensor(values, shape: [4]).to(dtype)
    #expect(tensor.dtype == dtype)
    #expect(tensor.ints() == values)
    #expect(tensor.doubles == [0, 1, 0, 1])
    #expect(tensor.record.bytes.count == 4 * dtype.byteCount)
    #expect(dtype.isFloatingPoint == ((tensor.to(.float32) * 0.5).to(dtype).doubles[1] == 0.5))
  }

  @Test(arguments: DType.allCases) func everyElementTypeIsKeptInRecords(_ dtype: DType) {
    let tensor = Tensor([0, 1, 1, 0, 1, 0], shape: [2, 3]).to(dtype)
    expectIdentical(Tensor(tensor.record), tensor)
  }

  @Test func bitsOfNaNSurvive() {
    let payload = Float(bitPattern: 0x7fc0_1234)
    let tensor = Tensor([payload], shape: [1])
    #expect(tensor.array(of: Float.self)[0].bitPattern == 0x7fc0_1234)
  }

  @Test func shapesAndStrides() {
    let tensor = Tensor(Array(0..<24), shape: [2, 3, 4])
    #expect(tensor.shape == [2, 3, 4])
    #expect(tensor.strides == [12, 4, 1])
    #expect(tensor.rank == 3 && tensor.count == 24)
    #expect(tensor.size(1) == 3 && tensor.size(-1) == 4)
    #expect(tensor.permute([2, 0, 1]).strides == [1, 12, 4])
    #expect(tensor.device == .cpu)

    let scalar = Tensor.scalar(2.5)
    #expect(scalar.shape == [] && scalar.rank == 0 && scalar.count == 1 && scalar.item() == 2.5)
    let empty = Tensor([Float](), shape: [0, 3])
    #expect(empty.count == 0 && empty.floats() == [] && empty.shape == [0, 3])
  }

  @Test func channelsLastChangesMemoryNotValues() {
    let tensor = ClosedForm.tensor("x", [2, 3, 4, 5])
    let last = tensor.contiguous(.channelsLast)
    #expect(last.strides == [60, 1, 15, 3])
    #expect(last.shape == tensor.shape)
    #expect(last.floats() == tensor.floats())
    #expect(last.zerosLike().strides == last.strides)
    #expect(last.clone().strides == last.strides)
    #expect(last.clone(.contiguous).strides == tensor.strides)
  }

  @Test func viewsShareMemory() {
    let tensor = Tensor.zeros([2, 3])
    tensor.select(0, 1).fill_(7)
    tensor.slice(0..<1, dim: 1).add_(.ones([2, 1]))
    #expect(tensor.floats() == [1, 0, 0, 8, 7, 7])
    #expect(tensor.clone().zero_().sum().item() == 0)
    #expect(tensor.floats() == [1, 0, 0, 8, 7, 7])
  }

  @Test func devicesHaveNames() {
    #expect(Device("cpu") == .cpu)
    #expect(Device("cuda") == .cuda(0))
    #expect(Device("cuda:3") == .cuda(3))
    for text in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "cuda:1:2"] {
      #expect(Device(text) == nil, "\(text)")
    }
    #expect(Device.cpu.description == "cpu" && Device.cuda(2).description == "cuda:2")
  }

  @Test func temporariesAreReleased() {
    expectNoTensorLeak {
      let a = Tensor.ones([8, 8])
      for _ in 0..<20 { _ = (a.matmul(a) + 1).sort().values.sum() }
    }
  }
}
