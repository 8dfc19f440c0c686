import Foundation
import NamidTestSupport
import NamidTorch
import Testing

@Suite(.serialized) struct TorchEnvironmentTests {
  struct Stop: Error {}

  /// The library named is one that this process has loaded, wherever the loader has found it.
  @Test func theLoadedLibraryIsNamed() throws {
    let path = try #require(TorchEnvironment.read().loadedFile)
    #expect(URL(filePath: path).lastPathComponent.hasPrefix("libtorch_cpu."))
    let handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD)
    #expect(handle != nil, "\(path) is not loaded")
    if let handle { dlclose(handle) }
  }

  @Test func whatCannotBeAskedIsAnError() throws {
    for device in [Device.cpu, .cuda(999)] {
      let facts = #expect(throws: EngineError.self) { try DeviceFacts(of: device) }
      #expect(facts?.call == "DeviceFacts(of: \(device))")
      #expect(throws: EngineError.self) { try DeviceMemory(of: device) }
      #expect(throws: EngineError.self) { try DeviceMemory.resetPeak(of: device) }
    }
  }

  @Test func kernelsAreTriedWithinAScope() {
    #expect(!TorchEnvironment.read().triesKernels)
    withBenchmark { #expect(TorchEnvironment.read().triesKernels) }
    #expect(throws: Stop.self) { try withBenchmark { throw Stop() } }
    #expect(!TorchEnvironment.read().triesKernels)
  }

  @Test func deterministicKernelsAreNotChosenByTheClock() {
    TorchEnvironment.setDeterministic(true)
    defer { TorchEnvironment.setDeterministic(false) }
    #expect(TorchEnvironment.read().isDeterministic)
    withBenchmark { #expect(!TorchEnvironment.read().triesKernels) }
    // Without it torch refuses cuBLAS's products.
    #expect(getenv("CUBLAS_WORKSPACE_CONFIG") != nil)
  }

  /// A failure that nobody can catch is told before the trap, and whoever is told may end the process.
  @Test func aTrapIsToldBefore() async {
    await #expect(processExitsWith: .exitCode(42)) {
      EngineError.beforeTrap { if $0.kind == .outOfMemory && $0.isAboutHostMemory { exit(42) } }
      _ = Tensor.zeros([1 << 50])
    }
    await #expect(processExitsWith: .signal(SIGILL)) {
      EngineError.beforeTrap { if $0.kind == .outOfMemory { exit(42) } }
      _ = Tensor.ones([2, 3]).matmul(.ones([2, 3]))
    }
  }
}
