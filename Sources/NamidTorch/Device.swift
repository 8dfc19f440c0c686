/// The device that holds a tensor: the CPU or a CUDA device.
public struct Device: Hashable, Sendable, LosslessStringConvertible {
  /// The kinds of device; raw values are those of `c10::DeviceType`.
  public enum Kind: Int8, Sendable {
    /// The processor.
    case cpu = 0
    /// A GPU of NVIDIA.
    case cuda = 1
  }

  /// The kind of device.
  public let kind: Kind
  /// The index among devices of that kind; -1 means the current one, as in libtorch.
  public let index: Int16

  /// The CPU.
  public static let cpu = Device(kind: .cpu, index: -1)

  /// A CUDA device.
  public static func cuda(_ index: Int = 0) -> Device {
    Device(kind: .cuda, index: Int16(clamping: index))
  }

  /// `cpu` or `cuda:N`.
  public var description: String {
    switch kind {
    case .cpu: "cpu"
    case .cuda: "cuda:\(max(index, 0))"
    }
  }
}

extension Device {
  /// Parses `cpu`, `cuda` or `cuda:1`; nil for anything else.
  public init?(_ description: String) {
    let parts = description.split(separator: ":", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("cpu", 1): self = .cpu
    case ("cuda", 1): self = .cuda(0)
    case ("cuda", 2):
      guard let index = Int16(parts[1]), index >= 0 else { return nil }
      self = Device(kind: .cuda, index: index)
    default: return nil
    }
  }
}
