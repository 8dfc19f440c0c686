import CTorch

/// The C values of one call, with the lists and strings that they point to: on the stack unless lists are long.
struct CallMemory {
  static let resultCapacity = 8
  let results: UnsafeMutablePointer<ct_value>
  let arguments: UnsafeMutablePointer<ct_value>
  /// The address of the next list.
  private var end: UnsafeMutableRawPointer

  fileprivate static func byteCount(for arguments: [OperatorValue]) -> Int {
    arguments.reduce((resultCapacity + arguments.count) * MemoryLayout<ct_value>.stride) {
      $0 + $1.listByteCount
    }
  }

  fileprivate init(_ memory: UnsafeMutableRawBufferPointer, for arguments: [OperatorValue]) {
    let values = memory.bindMemory(to: ct_value.self)
    guard let start = values.baseAddress else { preconditionFailure("a call has memory") }
    results = start
    self.arguments = start + Self.resultCapacity
    end = UnsafeMutableRawPointer(self.arguments + arguments.count)
    for (i, argument) in arguments.enumerated() {
      (self.arguments + i).initialize(to: value(of: argument))
    }
  }

  private mutating func value(of argument: OperatorValue) -> ct_value {
    switch argument {
    case .none: Self.value(CT_NONE)
    case .omitted: Self.value(CT_OMITTED)
    case .tensor(let tensor): Self.value(CT_TENSOR, pointer: UnsafeRawPointer(tensor.handle))
    case .integer(let integer): Self.value(CT_INTEGER, integer: Int64(integer))
    case .real(let real): Self.value(CT_REAL, real: real)
    case .boolean(let boolean): Self.value(CT_BOOLEAN, integer: boolean ? 1 : 0)
    case .string(let text): copy(text.utf8CString, as: CT_STRING) { $0 }
    case .device(let device):
      Self.value(CT_DEVICE, count: Int(device.index), integer: Int64(device.kind.rawValue))
    case .integers(let list): copy(list, as: CT_INTEGERS, Int64.init)
    case .reals(let list): copy(list, as: CT_REALS) { $0 }
    case .booleans(let list): copy(list, as: CT_BOOLEANS) { $0 }
    case .tensors(let list): copy(list, as: CT_TENSORS, \.handle)
    case .optionalTensors(let list): copy(list, as: CT_OPTIONAL_TENSORS, \.?.handle)
    }
  }

  private mutating func copy<List: RandomAccessCollection, Element>(
    _ list: List, as tag: ct_tag, _ element: (List.Element) -> Element
  ) -> ct_value {
    let start = end.bindMemory(to: Element.self, capacity: list.count)
    var next = start
    for item in list {
      next.initialize(to: element(item))
      next += 1
    }
    end += OperatorValue.padded(list.count * MemoryLayout<Element>.stride)
    return Self.value(tag, count: list.count, pointer: UnsafeRawPointer(start))
  }

  private static func value(
    _ tag: ct_tag, count: Int = 0, integer: Int64 = 0, real: Double = 0,
    pointer: UnsafeRawPointer? = nil
  ) -> ct_value {
    ct_value(
      tag: Int32(tag.rawValue), count: Int32(count), integer: integer, real: real, pointer: pointer)
  }
}

/// Runs `body` with the C values of some arguments; they point into the arguments' tensors, which must stay alive.
func withCallMemory<Result>(
  for arguments: [OperatorValue], _ body: (CallMemory) -> Result
) -> Result {
  withUnsafeTemporaryAllocation(
    byteCount: CallMemory.byteCount(for: arguments), alignment: MemoryLayout<ct_value>.alignment
  ) { body(CallMemory($0, for: arguments)) }
}

extension OperatorValue {
  /// The bytes of what this value points to, filled up to whole words.
  fileprivate var listByteCount: Int {
    switch self {
    case .none, .omitted, .tensor, .integer, .real, .boolean, .device: 0
    case .string(let text): Self.padded(text.utf8.count + 1)
    case .integers(let list): 8 * list.count
    case .reals(let list): 8 * list.count
    case .booleans(let list): Self.padded(list.count)
    case .tensors(let list): 8 * list.count
    case .optionalTensors(let list): 8 * list.count
    }
  }

  fileprivate static func padded(_ byteCount: Int) -> Int { (byteCount + 7) / 8 * 8 }
}
