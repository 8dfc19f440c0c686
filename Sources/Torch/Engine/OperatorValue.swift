import CTorch

/// A value that can be handed to an operator.
public enum OperatorValue {
  case none
  case tensor(Tensor)
  case integer(Int)
  case real(Double)
  case boolean(Bool)
  case string(String)
  case device(Device)
  case integers([Int])
  case reals([Double])
  case booleans([Bool])
  case tensors([Tensor])
  case optionalTensors([Tensor?])
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
extension Array: OperatorArgument where Element: OperatorArgument {
  /// A list; an empty one is a list of integers.
  public var argument: OperatorValue {
    switch self {
    case let list as [Int]: .integers(list)
    case let list as [Tensor]: .tensors(list)
    case let list as [Double]: .reals(list)
    case let list as [Bool]: .booleans(list)
    case let list as [Tensor?]: .optionalTensors(list)
    default: preconditionFailure("operators take no list of \(Element.self)")
    }
  }
}

/// How the elements of a 4-dimensional tensor lie in memory; raw values are those of `c10::MemoryFormat`.
public enum MemoryFormat: Int, Sendable {
  /// NCHW in memory.
  case contiguous = 0
  /// As the input has it.
  case preserve = 1
  /// NHWC in memory; the shape stays NCHW.
  case channelsLast = 2
}
