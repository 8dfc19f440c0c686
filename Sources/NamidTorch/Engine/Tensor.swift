import CTorch
import Synchronization

/// An n-dimensional array that libtorch owns; ARC decides when it goes.
///
/// Not `Sendable` on purpose: in-place operators and gradients are shared state, and torch is called from one
/// thread. A raw handle may be read only from a tensor that is a parameter of the enclosing function.
public final class Tensor {
  let handle: ct_tensor_ref

  /// The number of tensors alive in this process; leak tests compare it before and after.
  public static var liveCount: Int { live.load(ordering: .relaxed) }
  private static let live = Atomic<Int>(0)

  /// Takes over a handle that the engine handed out.
  init(owning handle: ct_tensor_ref) {
    self.handle = handle
    Self.live.add(1, ordering: .relaxed)
  }

  deinit {
    ct_tensor_release(handle)
    Self.live.subtract(1, ordering: .relaxed)
  }

  private var metadata: ct_description {
    var result = ct_description()
    check(ct_tensor_describe(handle, &result), "Tensor")
    return result
  }

  /// The size of each dimension.
  public var shape: [Int] {
    let metadata = metadata
    return (0..<Int(metadata.dimensions)).map { Int(metadata.sizes[$0]) }
  }

  /// The step in elements along each dimension.
  public var strides: [Int] {
    let metadata = metadata
    return (0..<Int(metadata.dimensions)).map { Int(metadata.strides[$0]) }
  }

  /// The number of dimensions.
  public var rank: Int { Int(metadata.dimensions) }

  /// The number of elements.
  public var count: Int { Int(metadata.element_count) }

  /// True where the element type and the device are among those that this library uses.
  var hasKnownType: Bool {
    let metadata = metadata
    return DType(rawValue: metadata.dtype) != nil
      && Device.Kind(rawValue: metadata.device_type) != nil
  }

  /// The element type.
  public var dtype: DType {
    let code = metadata.dtype
    guard let dtype = DType(rawValue: code) else {
      preconditionFailure("a tensor has the element type \(code), which this library does not use")
    }
    return dtype
  }

  /// The device that holds the tensor.
  public var device: Device {
    let metadata = metadata
    guard let kind = Device.Kind(rawValue: metadata.device_type) else {
      preconditionFailure("a tensor lives on the unknown device type \(metadata.device_type)")
    }
    return Device(kind: kind, index: metadata.device_index)
  }

  /// The size of one dimension; negative indices count from the end.
  public func size(_ dimension: Int) -> Int {
    let metadata = metadata
    let rank = Int(metadata.dimensions)
    precondition(
      (-rank..<rank).contains(dimension), "dimension \(dimension) of a rank-\(rank) tensor")
    return Int(metadata.sizes[dimension < 0 ? dimension + rank : dimension])
  }

  // MARK: Autograd state

  /// True where operations on this tensor are recorded for gradients.
  public var requiresGrad: Bool {
    get { metadata.requires_grad }
    set { check(ct_tensor_set_requires_grad(handle, newValue), "requiresGrad") }
  }

  /// The gradient that `backward()` accumulated, if any.
  public var grad: Tensor? {
    get {
      var result: ct_tensor_ref?
      check(ct_tensor_grad(handle, &result), "grad")
      return result.map(Tensor.init(owning:))
    }
    set { check(ct_tensor_set_grad(handle, newValue?.handle), "grad") }
  }

  // MARK: Host memory

  /// A CPU tensor with the elements of `values`, row-major.
  ///
  /// - Precondition: `values.count` is the product of `shape`.
  public convenience init<Element: TensorElement>(_ values: [Element], shape: [Int]) {
    let handle = values.withUnsafeBytes {
      Tensor.make(bytes: $0, shape: shape, dtype: Element.dtype)
    }
    self.init(owning: handle)
  }

  /// A handle of a CPU tensor with a copy of raw bytes, row-major.
  static func make(
    bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType
  ) -> ct_tensor_ref {
    CallCounter.note(\.uploads)
    var result: ct_tensor_ref?
    let status = shape.map(Int64.init).withUnsafeBufferPointer {
      ct_tensor_from_bytes(
        bytes.baseAddress, bytes.count, $0.baseAddress, Int32($0.count), dtype.rawValue, &result)
    }
    check(status, "Tensor(shape: \(shape), dtype: \(dtype))")
    guard let result else { preconditionFailure("the engine returned no tensor") }
    return result
  }

  /// The elements in row-major order, copied to host memory.
  ///
  /// - Precondition: `Element` is the tensor's element type.
  public func array<Element: TensorElement>(of _: Element.Type = Element.self) -> [Element] {
    precondition(
      dtype == Element.dtype, "array(of: \(Element.self)) asked of a tensor of \(dtype)")
    let count = count
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      copyBytes(to: UnsafeMutableRawBufferPointer(rebasing: bytes[..<(count * dtype.byteCount)]))
      initialized = count
    }
  }

  /// Copies the elements in row-major order into `buffer`, which must hold exactly all of them.
  public func copyBytes(to buffer: UnsafeMutableRawBufferPointer) {
    CallCounter.note(\.readBacks)
    check(ct_tensor_copy_bytes(handle, buffer.baseAddress, buffer.count), "copyBytes")
  }
}
