import NamidFiles
import NamidTorch

/// A value of a pickle of a TorchScript archive.
indirect enum ScriptedValue {
  case none
  case boolean(Bool)
  case integer(Int)
  case real(Double)
  case text(String)
  case tuple([ScriptedValue])
  case list(ScriptedList)
  case dictionary(ScriptedList)
  /// A name, `module.name`, that is no value yet.
  case global(String)
  case storage(ScriptedStorage)
  case tensor(ScriptedTensor)
  /// An object of a class of the archive's code that has no attributes yet.
  case newObject(String)
  /// An object of a class of the archive's code.
  case object(String)
}

/// The content of a list, or keys and values of a dictionary in turn; it is closed once anything refers to it.
final class ScriptedList {
  var elements: [ScriptedValue] = []
  var weight = Weight()
  var isClosed = false

  /// The nesting of a value and the number of values inside, counted as often as they are met.
  struct Weight {
    var depth = 0
    var count = 1
  }
}

/// The bytes of tensors in an archive.
struct ScriptedStorage {
  let dtype: DType
  let count: Int
  /// The device on which it lay.
  let location: String
}

/// A tensor in an archive, the bytes of which have been found to be there.
struct ScriptedTensor {
  let dtype: DType
  let shape: [Int]
  let location: String
}

/// A reader of the pickles of TorchScript archives that makes plain values and executes nothing.
///
/// It exists because libtorch's own reader trusts sizes: strides and offsets are not compared with the storage, nor is
/// the length of a storage with its bytes. Only what PyTorch itself writes is accepted, so nothing else gets there:
/// 24 operations, tensors, plain lists and dictionaries, and objects of the classes in the archive's code. Nesting and
/// size are bounded, because libtorch walks values by recursion.
struct ScriptedPickle {
  static let deepest = 100
  static let mostValues = 1 << 22
  /// The bytes of a storage of a name, or nil where it has none.
  let storageBytes: (String) -> Int?
  /// The devices on which tensors lay.
  private(set) var locations: Set<String> = []
  private let bytes: [UInt8]
  private var at = 0
  private var stack: [(value: ScriptedValue, weight: ScriptedList.Weight)] = []
  private var marks: [Int] = []
  private var memo: [Int: (value: ScriptedValue, weight: ScriptedList.Weight)] = [:]

  init(_ bytes: [UInt8], storageBytes: @escaping (String) -> Int?) {
    self.bytes = bytes
    self.storageBytes = storageBytes
  }

  /// Reads the whole pickle.
  ///
  /// - Returns: Its value.
  /// - Throws: `ScriptedModuleError` for anything that PyTorch does not write.
  mutating func read() throws(ScriptedModuleError) -> ScriptedValue {
    while true {
      let operation = UInt8(try number(1))
      if operation == UInt8(ascii: ".") { break }
      try run(operation)
    }
    guard stack.count == 1, marks.isEmpty, let value = stack.last?.value else {
      throw fault("it does not end with one value")
    }
    return value
  }

  private mutating func run(_ operation: UInt8) throws(ScriptedModuleError) {
    switch operation {
    case 0x80: guard try number(1) == 2 else { throw fault("its protocol is not 2") }
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.boolean(true))
    case 0x89: try push(.boolean(false))
    case UInt8(ascii: "K"): try push(.integer(try number(1)))
    case UInt8(ascii: "M"): try push(.integer(try number(2)))
    case UInt8(ascii: "J"):
      try push(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case 0x8A:
      guard try number(1) == 8 else { throw fault("a long number has not 8 bytes") }
      try push(.integer(try number(8)))
    case UInt8(ascii: "G"):
      let bits = UInt64(bitPattern: Int64(try number(8))).byteSwapped
      try push(.real(Double(bitPattern: bits)))
    case UInt8(ascii: "X"): try push(.text(try text(try number(4))))
    case UInt8(ascii: ")"): try push(.tuple([]))
    case UInt8(ascii: "]"): try push(.list(ScriptedList()))
    case UInt8(ascii: "}"): try push(.dictionary(ScriptedList()))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "t"): try tuple(try sinceMark())
    case 0x85: try tuple(try pop(1))
    case 0x86: try tuple(try pop(2))
    case 0x87: try tuple(try pop(3))
    case UInt8(ascii: "a"): try extend(try pop(1), isDictionary: false)
    case UInt8(ascii: "e"): try extend(try sinceMark(), isDictionary: false)
    case UInt8(ascii: "s"): try extend(try pop(2), isDictionary: true)
    case UInt8(ascii: "u"): try extend(try sinceMark(), isDictionary: true)
    case UInt8(ascii: "q"): try remember(try number(1))
    case UInt8(ascii: "r"): try remember(try number(4))
    case UInt8(ascii: "h"): try recall(try number(1))
    case UInt8(ascii: "j"): try recall(try number(4))
    case UInt8(ascii: "c"): try push(.global(try line() + "." + line()))
    case UInt8(ascii: "Q"): try storage()
    case UInt8(ascii: "R"): try reduce()
    case 0x81: try makeObject()
    case UInt8(ascii: "b"): try build()
    default: throw fault("its operation \(operation) is none that PyTorch writes there")
    }
  }
}

// MARK: The machine's parts

extension ScriptedPickle {
  private typealias Item = (value: ScriptedValue, weight: ScriptedList.Weight)

  private func fault(_ problem: String) -> ScriptedModuleError {
    ScriptedModuleError(
      "a pickle in it is damaged or made by hand: \(problem)",
      advice: ScriptedModuleError.damaged)
  }

  /// A little-endian number.
  private mutating func number(_ count: Int) throws(ScriptedModuleError) -> Int {
    guard count <= bytes.count - at else { throw fault("it ends too early") }
    defer { at += count }
    return Int(
      truncatingIfNeeded: bytes[at..<at + count].reversed().reduce(UInt64(0)) {
        $0 << 8 | UInt64($1)
      })
  }

  private mutating func text(_ count: Int) throws(ScriptedModuleError) -> String {
    guard count <= bytes.count - at else { throw fault("a text is longer than the pickle") }
    defer { at += count }
    guard let text = String(validating: bytes[at..<at + count], as: UTF8.self) else {
      throw fault("a text is not UTF-8")
    }
    return text
  }

  private mutating func line() throws(ScriptedModuleError) -> String {
    let rest = bytes[at...].prefix(4096)
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
      throw fault("a name has no end")
    }
    let line = try text(end - at)
    at = end + 1
    return line
  }

  private mutating func push(
    _ value: ScriptedValue, _ weight: ScriptedList.Weight = .init()
  ) throws(ScriptedModuleError) {
    guard stack.count < Self.mostValues else { throw fault("it holds too many values") }
    stack.append((value, weight))
  }

  private mutating func pop(_ count: Int) throws(ScriptedModuleError) -> ArraySlice<Item> {
    guard count <= stack.count - (marks.last ?? 0) else { throw fault("a value is missing") }
    defer { stack.removeLast(count) }
    return stack.suffix(count)
  }

  private mutating func popOne() throws(ScriptedModuleError) -> Item {
    guard let item = try pop(1).first else { throw fault("a value is missing") }
    return item
  }

  private mutating func sinceMark() throws(ScriptedModuleError) -> ArraySlice<Item> {
    guard let mark = marks.popLast(), mark <= stack.count else { throw fault("a mark is missing") }
    defer { stack.removeLast(stack.count - mark) }
    return stack[mark...]
  }

  /// The weight of a container; closes the lists inside.
  private func weight(
    of items: some Sequence<Item>, in container: ScriptedList.Weight = .init()
  ) throws(ScriptedModuleError) -> ScriptedList.Weight {
    var weight = container
    for item in items {
      let inside = self.weight(of: item)
      weight.depth = max(weight.depth, inside.depth + 1)
      // Each is at most `mostValues`, so the sum cannot overflow before it is compared.
      weight.count += inside.count
      guard weight.depth <= Self.deepest, weight.count <= Self.mostValues else {
        throw fault("its values are nested too deep or too often")
      }
    }
    return weight
  }

  private func weight(of item: Item) -> ScriptedList.Weight {
    guard case .list(let list) = item.value else {
      guard case .dictionary(let list) = item.value else { return item.weight }
      list.isClosed = true
      return list.weight
    }
    list.isClosed = true
    return list.weight
  }

  private mutating func tuple(_ items: ArraySlice<Item>) throws(ScriptedModuleError) {
    try push(.tuple(items.map(\.value)), try weight(of: items))
  }

  private mutating func extend(
    _ items: ArraySlice<Item>, isDictionary: Bool
  ) throws(ScriptedModuleError) {
    let target: ScriptedList
    switch stack.last?.value {
    case .list(let list) where !isDictionary: target = list
    case .dictionary(let list) where isDictionary && items.count.isMultiple(of: 2): target = list
    default: throw fault("it fills what is no list or dictionary")
    }
    guard stack.count > marks.last ?? 0, !target.isClosed else {
      throw fault("a list is changed after it was used")
    }
    for key in isDictionary ? stride(from: 0, to: items.count, by: 2).map({ $0 }) : [] {
      switch items[items.startIndex + key].value {
      case .text, .integer: break
      default: throw fault("a key is neither text nor number")
      }
    }
    target.weight = try weight(of: items, in: target.weight)
    target.elements += items.map(\.value)
  }

  private mutating func remember(_ place: Int) throws(ScriptedModuleError) {
    guard stack.count > marks.last ?? 0, let item = stack.last else {
      throw fault("a value is missing")
    }
    // libtorch makes room for all places up to the last one.
    guard place <= memo.count else { throw fault("it leaves out places") }
    memo[place] = item
  }

  private mutating func recall(_ place: Int) throws(ScriptedModuleError) {
    guard let item = memo[place] else { throw fault("it refers to a value that is not there") }
    try push(item.value, weight(of: item))
  }
}

// MARK: Tensors and objects

extension ScriptedPickle {
  private mutating func storage() throws(ScriptedModuleError) {
    guard case .tuple(let parts) = try popOne().value, parts.count == 5,
      case .text("storage") = parts[0], case .global(let kind) = parts[1],
      case .text(let key) = parts[2], case .text(let location) = parts[3],
      case .integer(let count) = parts[4]
    else { throw fault("a storage is not described as PyTorch does") }
    guard let dtype = Self.storages[kind] else {
      throw ScriptedModuleError(
        "it holds a \(quotedForPeople(kind)), which is not supported",
        advice: "save a model of plain float tensors, neither quantized nor complex")
    }
    guard let available = storageBytes(key), count >= 0, count <= available / dtype.byteCount else {
      throw fault("the bytes of the storage \(quotedForPeople(key)) are not all there")
    }
    locations.insert(location)
    try push(.storage(ScriptedStorage(dtype: dtype, count: count, location: location)))
  }

  private mutating func reduce() throws(ScriptedModuleError) {
    let arguments = try popOne()
    guard case .global(let name) = try popOne().value else {
      throw fault("it calls what is no name")
    }
    if name.hasPrefix("__torch__."), !name.hasPrefix("__torch__.torch.classes") {
      switch arguments.value {
      // A case of an enumeration in the archive's code, by its value.
      case .text, .integer, .real: return try push(.object(name))
      default: break
      }
    }
    guard case .tuple(let values) = arguments.value else { throw fault("it calls what is no name") }
    switch name {
    case "torch._utils._rebuild_tensor_v2": try push(.tensor(try tensor(values)))
    case "collections.OrderedDict" where values.isEmpty:
      try push(.dictionary(ScriptedList()))
    case "torch.device" where values.count <= 2:
      try push(.tuple(values), arguments.weight)
    case "torch.jit._pickle.restore_type_tag" where values.count == 2,
      "torch.jit._pickle.build_intlist" where values.count == 1,
      "torch.jit._pickle.build_tensorlist" where values.count == 1,
      "torch.jit._pickle.build_doublelist" where values.count == 1,
      "torch.jit._pickle.build_boollist" where values.count == 1:
      if values.count == 2 {
        guard case .text(let type) = values[1], type.utf8.count < 4096,
          !type.contains("torch.classes"), type.count(where: { "[(".contains($0) }) <= Self.deepest
        else { throw fault("the type of a list is not plain") }
      }
      try push(values[0], arguments.weight)
    default:
      throw ScriptedModuleError(
        "it calls \(quotedForPeople(name)) while it is read",
        advice: "save a model of plain float tensors, neither quantized nor sparse")
    }
  }

  private func tensor(_ values: [ScriptedValue]) throws(ScriptedModuleError) -> ScriptedTensor {
    guard (6...7).contains(values.count), case .storage(let storage) = values[0],
      case .integer(let offset) = values[1], let shape = Self.integers(values[2]),
      let strides = Self.integers(values[3]), shape.count == strides.count, shape.count <= 16,
      case .boolean = values[4]
    else { throw fault("a tensor is not described as PyTorch does") }
    guard offset >= 0, (shape + strides).allSatisfy({ $0 >= 0 }),
      let end = Self.end(shape, strides, offset), end <= storage.count
    else { throw fault("a tensor of shape \(shape) reaches beyond its storage") }
    return ScriptedTensor(dtype: storage.dtype, shape: shape, location: storage.location)
  }

  /// The end of a tensor in its storage, in elements; nil where it or the number of elements overflows.
  private static func end(_ shape: [Int], _ strides: [Int], _ offset: Int) -> Int? {
    var (last, count) = (offset, 1)
    for (size, stride) in zip(shape, strides) {
      let (step, tooFar) = (max(size, 1) - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflow) = last.addingReportingOverflow(step)
      let (product, tooMany) = count.multipliedReportingOverflow(by: max(size, 1))
      guard !tooFar, !overflow, !tooMany, product < 1 << 48 else { return nil }
      (last, count) = (sum, product)
    }
    return shape.contains(0) ? offset : last.addingReportingOverflow(1).partialValue
  }

  private static func integers(_ value: ScriptedValue) -> [Int]? {
    guard case .tuple(let values) = value else { return nil }
    let numbers = values.compactMap { value -> Int? in
      if case .integer(let number) = value { number } else { nil }
    }
    return numbers.count == values.count ? numbers : nil
  }

  private mutating func makeObject() throws(ScriptedModuleError) {
    guard case .tuple(let arguments) = try popOne().value, arguments.isEmpty,
      case .global(let name) = try popOne().value
    else { throw fault("an object is not described as PyTorch does") }
    guard name.hasPrefix("__torch__."), !name.hasPrefix("__torch__.torch.classes") else {
      throw ScriptedModuleError(
        "it holds an object of \(quotedForPeople(name)), which is not part of its own code",
        advice: "save a model of plain float tensors, not a quantized one")
    }
    try push(.newObject(name))
  }

  private mutating func build() throws(ScriptedModuleError) {
    let state = try popOne()
    guard case .newObject(let name) = try popOne().value, case .dictionary = state.value else {
      throw ScriptedModuleError(
        "an object in it has a state of its own kind (__setstate__)",
        advice: "take __getstate__ and __setstate__ out of the model")
    }
    try push(.object(name), try weight(of: [state]))
  }

  private static let storages: [String: DType] = [
    "torch.FloatStorage": .float32, "torch.DoubleStorage": .float64,
    "torch.HalfStorage": .float16, "torch.BFloat16Storage": .bfloat16,
    "torch.LongStorage": .int64, "torch.IntStorage": .int32, "torch.ShortStorage": .int16,
    "torch.CharStorage": .int8, "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
  ]
}
