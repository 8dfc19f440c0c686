import CTorch

/// A value that can be handed to an operator.
public enum OperatorValue {
  /// Nothing, for an optional argument.
  case none
  /// A tensor; it is borrowed for the call.
  case tensor(Tensor)
  /// A whole number, also a `DType` or a memory format.
  case integer(Int)
  /// A real number.
  case real(Double)
  /// A truth value.
  case boolean(Bool)
  /// A text.
  case string(String)
  /// A device.
  case device(Device)
  /// Whole numbers, such as a shape.
  case integers([Int])
  /// Real numbers.
  case reals([Double])
  /// Truth values.
  case booleans([Bool])
  /// Tensors.
  case tensors([Tensor])
  /// Tensors of which some may be missing, such as indices.
  case optionalTensors([Tensor?])
  /// The default of the operator's schema.
  case omitted
}

/// A Swift type that operators take as an argument.
public protocol OperatorArgument {
  /// The value as the dispatcher takes it.
  var argument: OperatorValue { get }
}

/// A number that stands where operators take a scalar: an integer keeps integer tensors integer.
public protocol Scalar: OperatorArgument {}

extension Tensor: OperatorArgument {
  /// The tensor itself.
  public var argument: OperatorValue { .tensor(self) }
}
extension Int: Scalar {
  /// An integer scalar.
  public var argument: OperatorValue { .integer(self) }
}
extension Double: Scalar {
  /// A real scalar.
  public var argument: OperatorValue { .real(self) }
}
extension Bool: OperatorArgument {
  /// A truth value.
  public var argument: OperatorValue { .boolean(self) }
}
extension String: OperatorArgument {
  /// A string.
  public var argument: OperatorValue { .string(self) }
}
extension DType: OperatorArgument {
  /// The code of the element type.
  public var argument: OperatorValue { .integer(Int(rawValue)) }
}
extension Device: OperatorArgument {
  /// The device.
  public var argument: OperatorValue { .device(self) }
}
extension MemoryFormat: OperatorArgument {
  /// The code of the memory format.
  public var argument: OperatorValue { .integer(rawValue) }
}
extension Optional: OperatorArgument where Wrapped: OperatorArgument {
  /// The value, or none.
  public var argument: OperatorValue { self?.argument ?? .none }
}
extension Array: OperatorArgument where Element: OperatorListElement {
  /// A list; the element type decides which, also when it is empty.
  public var argument: OperatorValue { Element.list(self) }
}

/// A Swift type of which operators take lists.
public protocol OperatorListElement {
  /// The list as the dispatcher takes it.
  static func list(_ elements: [Self]) -> OperatorValue
}

extension Int: OperatorListElement {
  /// A list of integers.
  public static func list(_ elements: [Int]) -> OperatorValue { .integers(elements) }
}
extension Double: OperatorListElement {
  /// A list of real numbers.
  public static func list(_ elements: [Double]) -> OperatorValue { .reals(elements) }
}
extension Bool: OperatorListElement {
  /// A list of truth values.
  public static func list(_ elements: [Bool]) -> OperatorValue { .booleans(elements) }
}
extension Tensor: OperatorListElement {
  /// A list of tensors.
  public static func list(_ elements: [Tensor]) -> OperatorValue { .tensors(elements) }
}
extension Optional: OperatorListElement where Wrapped == Tensor {
  /// A list of tensors of which some may be missing.
  public static func list(_ elements: [Tensor?]) -> OperatorValue { .optionalTensors(elements) }
}

/// The order of a 4-dimensional tensor's elements in memory; raw values are those of `c10::MemoryFormat`.
public enum MemoryFormat: Int, Sendable {
  /// The order NCHW.
  case contiguous = 0
  /// The input's format.
  case preserve = 1
  /// NHWC in memory; the shape stays NCHW.
  case channelsLast = 2
}
