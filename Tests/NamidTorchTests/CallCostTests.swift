import AllocationCounter
import NamidTorch
import Testing

/// The heap blocks of a call: a change that makes calls dearer fails here.
@Suite(.serialized, .enabled(if: allocation_counter_works())) struct CallCostTests {
  private let x = Tensor.ones([4])
  private let y = Tensor.ones([4])

  /// The blocks of one call, when everything that is made once has been made.
  private func blocks(_ body: () -> Void) -> Int {
    withoutGrad {
      for _ in 0..<3 { body() }
      let before = allocation_counter_read()
      for _ in 0..<100 { body() }
      return Int(allocation_counter_read() - before) / 100
    }
  }

  @Test func theCounterSeesObjects() {
    final class Object {}
    var kept: Object?
    #expect(blocks { kept = Object() } == 1)
    #expect(kept != nil)
  }

  /// libtorch itself takes no block for a sum in place.
  @Test func aCallTakesFourBlocks() {
    // The arguments, libtorch's stack of them, the box around the result and the Swift object that owns it.
    #expect(blocks { x.add_(y) } == 4)
  }

  @Test func listsAreNotCopiedInSwift() {
    let tensors = (0..<50).map { _ in Tensor.ones([4]) }
    let one = blocks { TensorList.mul_([x], 1) }
    // Six blocks for each tensor are libtorch's own.
    #expect(blocks { TensorList.mul_(tensors, 1) } - one <= 300)
    let shape = [2, 2]
    #expect(blocks { _ = x.view(shape) } <= 11)
  }

  @Test func factsOfATensorTakeOneBlockAtMost() {
    #expect(blocks { _ = x.shape } <= 1)
    #expect(blocks { _ = (x.rank, x.count, x.dtype, x.device, x.size(0), x.requiresGrad) } == 0)
  }
}
