import NamidTorch
import Testing

@Suite(.serialized) struct CallCounterTests {
  @Test func callsAreCounted() {
    let counts = CallCounter.count {
      let x = Tensor.ones([2])
      _ = x + x + 1
    }
    #expect(counts.operators == [.ones: 1, .add: 1, .addScalar: 1])
    #expect(counts.total == 3 && counts[.add] == 1 && counts[.mul] == 0 && counts.gradients == 0)
    #expect(CallCounter.count {}.operators.isEmpty)
  }

  @Test func walksBackAreCounted() {
    let x = Tensor.ones([2])
    x.requiresGrad = true
    let counts = CallCounter.count {
      _ = grad(of: (x * x).sum(), wrt: x)
      (x * x).sum().backward()
    }
    #expect(counts.gradients == 2)
  }

  @Test func memoryIsCountedInBlocksAndBytes() {
    var kept: Tensor?
    let use = MemoryUse.measure {
      _ = Tensor.zeros([1000])
      kept = .zeros([500])
      _ = Tensor.zeros([250])
    }
    #expect(kept?.count == 500)
    #expect(use.allocations == 3 && use.liveBytes == 2000)
    // The first is gone when the others come.
    #expect(use.peakBytes == 4000)
    let freeing = MemoryUse.measure { kept = nil }
    #expect(freeing.allocations == 0)
  }

  @Test func anErrorEndsTheWatch() {
    struct Failure: Error {}
    #expect(throws: Failure.self) { try MemoryUse.measure { throw Failure() } }
    #expect(MemoryUse.measure { _ = Tensor.zeros([4]) }.allocations == 1)
  }
}
