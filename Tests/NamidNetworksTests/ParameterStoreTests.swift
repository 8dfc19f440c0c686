import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidNetworks

@Suite(.serialized) struct ParameterStoreTests {
  @Test func pathsAreJoinedByDots() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let path = store.root / "layer1" / 0 / "conv1"
    _ = path.parameter("weight", [2], .constant(0))
    _ = store.root.buffer("mean", [1], .constant(0))
    #expect(store.entries.map(\.name) == ["layer1.0.conv1.weight", "mean"])
    #expect(store.entries.map(\.isTrainable) == [true, false])
    #expect(store.state.map(\.name) == store.entries.map(\.name))
  }

  @Test func orderIsThatOfConstruction() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let names = ["z", "a", "m", "b"]
    for name in names { _ = store.root.parameter(name, [1], .constant(0)) }
    #expect(store.entries.map(\.name) == names)
  }

  @Test func aNameCannotBeTakenTwice() async {
    await #expect(processExitsWith: .failure) {
      let store = ParameterStore(stream: RandomStream(seed: 0))
      _ = store.root.parameter("w", [1], .constant(0))
      _ = store.root.buffer("w", [1], .constant(0))
    }
  }

  @Test func onlyTrainableTensorsCount() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    _ = Conv2d(3, 4, kernel: 3, at: store.root / "conv")
    _ = BatchNorm2d(4, at: store.root / "bn")
    #expect(store.parameterCount == 4 * 3 * 9 + 4 + 4 + 4)
    #expect(store.parameters.count == 4)
  }

  @Test func weightsOfConvolutionsAreChannelsLast() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let conv = Conv2d(3, 4, kernel: 2, at: store.root)
    #expect(conv.weight.strides == [12, 1, 6, 3])
    #expect(conv.weight.requiresGrad && conv.bias?.requiresGrad == true)
  }

  @Test func gradientsCanBeForbiddenAndForgotten() {
    let store = ParameterStore(stream: RandomStream(seed: 0))
    let linear = Linear(2, 2, at: store.root / "fc")
    _ = BatchNorm2d(2, at: store.root / "bn")
    linear(.ones([1, 2])).sum().backward()
    #expect(linear.weight.grad != nil)
    store.zeroGrad()
    #expect(store.parameters.allSatisfy { $0.grad == nil })
    store.setRequiresGrad(false)
    #expect(!linear(.ones([1, 2])).requiresGrad)
    store.setRequiresGrad(true)
    #expect(store.entries.map { $0.tensor.requiresGrad } == store.entries.map(\.isTrainable))
  }

  @Test func evaluatingRestoresTheMode() {
    struct Stop: Error {}
    let classifier = LinearClassifier(weight: .ones([2, 3]), bias: .zeros([2]))
    for mode in [true, false] {
      classifier.isTraining = mode
      classifier.evaluating { #expect(!classifier.isTraining) }
      #expect(classifier.isTraining == mode)
      #expect(throws: Stop.self) { try classifier.evaluating { throw Stop() } }
      #expect(classifier.isTraining == mode)
    }
  }

  @Test func predictionsAreTheLargestLogits() {
    let weight = Tensor([Float(1), 0, 0, 1], shape: [2, 2])
    let classifier = LinearClassifier(weight: weight, bias: .zeros([2]))
    weight.requiresGrad = true
    let images = Tensor([Float(0.2), 0.7, 0.9, 0.1], shape: [2, 1, 1, 2])
    let labels = classifier.predictions(images)
    #expect(labels.ints() == [1, 0] && labels.dtype == .int64 && !labels.requiresGrad)
  }
}
