import NamidFiles

/// The meaning of a file's values: dictionaries of tensors among whatever else was saved.
struct PyTorchValues {
  /// A dictionary that holds weights.
  struct Place {
    let key: String
    let value: Pickle.Value
    let tensorCount: Int
  }

  /// A tensor as it is kept.
  enum Stored {
    /// A view of a storage.
    case view(StoredView)
    /// Bytes of the pickle itself.
    case array(DType, shape: [Int], bytes: [UInt8])
  }

  private let pickle: Pickle
  private let path: String
  private let storages: StoredBytes

  init(_ archive: PyTorchArchive) {
    pickle = archive.pickle
    path = archive.path
    storages = archive.storages
  }

  // MARK: - Places

  /// Finds the weights: the only dictionary with matrices or filters among its values, or the one that `key` names.
  func place(of key: String?) throws -> Place {
    let places = places()
    if let key {
      if let place = places.first(where: { $0.key == key }) { return place }
      throw error(
        "it has no weights under \(quotedForPeople(key))",
        places.isEmpty ? "It has none at all." : "It has some under: \(list(places)).")
    }
    if let only = places.first, places.count == 1 { return only }
    if places.isEmpty { throw withoutWeights() }
    throw error("it holds several sets of weights: \(list(places))", "Choose one with --key.")
  }

  private func list(_ places: [Place]) -> String {
    places.prefix(12).map {
      "\($0.key.isEmpty ? "(the outermost)" : $0.key) (\($0.tensorCount) tensors)"
    }.joined(separator: ", ")
  }

  private func places() -> [Place] {
    // Weights have matrices or filters; arrays of NumPy count where there are no tensors.
    let tensors = isTensor
    let arrays = { (value: Pickle.Value) in pickle.array(value) != nil }
    for (isWeight, dimensions) in [(tensors, 2), (tensors, 0), (arrays, 2)] {
      let found = places(with: isWeight, of: dimensions)
      if !found.isEmpty { return found }
    }
    return []
  }

  /// The dictionaries with a weight of at least so many axes.
  private func places(with isWeight: (Pickle.Value) -> Bool, of dimensions: Int) -> [Place] {
    var found: [Place] = []
    var row = [(key: "", value: pickle.root, depth: 0)]
    var seen: Set<Int> = []
    while !row.isEmpty {
      let (key, value, depth) = row.removeFirst()
      guard let members = pickle.members(value) else { continue }
      if case .dictionary(let index) = value, !seen.insert(index).inserted { continue }
      let tensors = members.filter { isWeight($0.value) }
      if tensors.contains(where: {
        dimensionCount($0.value) >= dimensions && pickle.text($0.key) != nil
      }) {
        found.append(Place(key: key, value: value, tensorCount: tensors.count))
        continue
      }
      guard depth < 3 else { continue }
      for member in members {
        // Moments of an optimizer look like weights.
        guard let name = pickle.text(member.key), !name.lowercased().contains("optim") else {
          continue
        }
        row.append((key.isEmpty ? name : "\(key).\(name)", member.value, depth + 1))
      }
    }
    return found
  }

  private func withoutWeights() -> PyTorchFileError {
    let values = [pickle.root] + (pickle.members(pickle.root)?.map(\.value) ?? [])
    for value in values {
      guard let object = pickle.object(value), let state = object.state,
        pickle.member("_parameters", of: state) != nil
          || pickle.member("_modules", of: state) != nil
      else { continue }
      let name = pickle.elements(object.arguments)?.first.flatMap(pickle.name)
      return error(
        "it holds a whole pickled module (\(name ?? pickle.kind(object.callable))), which only its own Python code can load",
        """
        Save its weights, or the network as data:
          model = torch.load("FILE", weights_only=False)
          torch.save(model.state_dict(), "weights.pt")
          torch.export.save(torch.export.export(model.eval(), (images,)), "model.pt2")
        """)
    }
    return error(
      "it holds no weights (\(pickle.kind(pickle.root)))", "Save a state_dict() with torch.save.")
  }

  // MARK: - Tensors

  /// The tensors of a place, in order, and the names of values that are no tensors.
  func tensors(in place: Place) throws -> (
    tensors: [(name: String, tensor: Stored)], others: [String]
  ) {
    var (tensors, others): ([(name: String, tensor: Stored)], [String]) = ([], [])
    var indices: [String: Int] = [:]
    for (key, value) in pickle.members(place.value) ?? [] {
      guard let name = pickle.text(key) else { continue }
      let stored: Stored
      if let array = pickle.array(value).flatMap(stored(_:)) {
        stored = array
      } else if isTensor(value) {
        stored = .view(try view(value, name))
      } else {
        others.append(name)
        continue
      }
      if let index = indices[name] {
        tensors[index].tensor = stored
      } else {
        indices[name] = tensors.count
        tensors.append((name, stored))
      }
    }
    return (tensors, others)
  }

  private func isTensor(_ value: Pickle.Value) -> Bool {
    guard let call = pickle.call(value) else { return false }
    return call.name.hasPrefix("torch._utils._rebuild_")
      || call.name == "torch._tensor._rebuild_from_type_v2"
  }

  /// An array of NumPy in the place of a tensor; nil for one of another type or order.
  private func stored(_ array: PickledArray) -> Stored? {
    guard let dtype = Self.arrayTypes[array.code], !array.isBigEndian, !array.isColumnMajor else {
      return nil
    }
    return .array(dtype, shape: array.shape, bytes: array.bytes)
  }

  private static let arrayTypes: [String: DType] = [
    "f8": .float64, "f4": .float32, "f2": .float16, "i8": .int64, "i4": .int32, "i2": .int16,
    "i1": .int8, "u1": .uint8, "b1": .bool,
  ]

  /// The number of axes of a tensor, 0 where it cannot be read.
  private func dimensionCount(_ value: Pickle.Value) -> Int {
    if let array = pickle.array(value) { return array.shape.count }
    guard let arguments = unwrapped(value)?.arguments, arguments.count > 2 else { return 0 }
    return sizes(arguments[2])?.count ?? 0
  }

  /// The call that rebuilds a plain tensor, out of the wrappers of parameters and subclasses.
  private func unwrapped(_ value: Pickle.Value) -> (name: String, arguments: [Pickle.Value])? {
    var value = value
    // A parameter of a subclass has two wrappers; a file that goes on for ever does not end here.
    for _ in 0..<4 {
      guard let call = pickle.call(value) else { return nil }
      switch call.name {
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
        guard let inner = call.arguments.first else { return nil }
        value = inner
      case "torch._tensor._rebuild_from_type_v2":
        guard call.arguments.count > 2, let name = pickle.name(call.arguments[0]),
          let arguments = pickle.elements(call.arguments[2])
        else { return nil }
        return (name, arguments)
      default: return call
      }
    }
    return nil
  }

  private func view(_ value: Pickle.Value, _ name: String) throws -> StoredView {
    guard let (function, arguments) = unwrapped(value) else { throw damaged(name) }
    let known = ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"]
    guard known.contains(where: { function == "torch._utils.\($0)" }) else {
      let kind = function.split(separator: "_").dropFirst().joined(separator: " ")
      throw error(
        "\(quotedForPeople(name)) is a tensor of a kind that is not read (\(kind))",
        "Save plain tensors: a quantised or sparse network in float32, a sharded one as a whole.")
    }
    guard arguments.count >= 4, let storage = storage(arguments[0]),
      let offset = pickle.integer(arguments[1]), let shape = sizes(arguments[2]),
      let strides = sizes(arguments[3])
    else { throw damaged(name) }
    let isUntyped = function.hasSuffix("v3")
    let type = isUntyped ? arguments.dropFirst(6).first.flatMap(pickle.name) : storage.type
    guard let dtype = type.flatMap(Self.dtype) else {
      throw error(
        "\(quotedForPeople(name)) has elements of a type that is not read (\(type ?? "unknown"))",
        "Save it as float32.")
    }
    // A storage is exactly as long as it says: nothing can be read as two types, and nothing is left over.
    let width = type?.hasSuffix("Storage") == true && !isUntyped ? dtype.byteCount : 1
    guard let bytes = storages.byteCount(of: storage.key),
      storage.count.multipliedReportingOverflow(by: width) == (bytes, false)
    else { throw damaged(name) }
    let view = StoredView(
      dtype: dtype, shape: shape, strides: strides, offset: storage.offset + offset,
      storage: storage.key)
    try check(view, name, ofBytes: bytes)
    return view
  }

  /// Checks a view against its storage: every element must lie inside it.
  private func check(_ view: StoredView, _ name: String, ofBytes bytes: Int) throws {
    guard view.shape.count == view.strides.count, view.shape.count <= 16,
      view.offset >= 0, view.shape.allSatisfy({ $0 >= 0 }), view.strides.allSatisfy({ $0 >= 0 }),
      let size = view.dtype.checkedByteCount(shape: view.shape)
    else { throw damaged(name) }
    if size == 0 { return }
    var end = view.offset
    for (length, stride) in zip(view.shape, view.strides) {
      let (step, overflow) = (length - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflow2) = end.addingReportingOverflow(step)
      guard !overflow, !overflow2 else { throw damaged(name) }
      end = sum
    }
    guard end < bytes / view.dtype.byteCount,
      // A view may repeat elements; one that is out of proportion to the file is no weight.
      size <= max(1 << 26, storages.fileLength &* 64)
    else { throw damaged(name) }
  }

  /// The storage that a reference names: its key, its class, and the first element of a view into it.
  private func storage(_ value: Pickle.Value) -> (
    key: String, type: String, count: Int, offset: Int
  )? {
    guard let fields = pickle.reference(value).flatMap(pickle.elements), fields.count >= 5,
      pickle.text(fields[0]) == "storage", let type = pickle.name(fields[1]),
      let key = pickle.text(fields[2]), let count = pickle.integer(fields[4])
    else { return nil }
    let view = fields.dropFirst(5).first.flatMap(pickle.elements)
    return (key, type, count, view?.dropFirst().first.flatMap(pickle.integer) ?? 0)
  }

  private func sizes(_ value: Pickle.Value) -> [Int]? {
    let tuple = pickle.call(value).flatMap { $0.name == "torch.Size" ? $0.arguments.first : nil }
    guard let elements = pickle.elements(tuple ?? value) else { return nil }
    let numbers = elements.compactMap(pickle.integer)
    return numbers.count == elements.count ? numbers : nil
  }

  private func damaged(_ name: String) -> PyTorchFileError {
    error(
      "the tensor \(quotedForPeople(name)) does not lie within its storage",
      "The file is damaged; fetch or save it again.")
  }

  private func error(_ reason: String, _ remedy: String) -> PyTorchFileError {
    PyTorchFileError(file: path, reason: reason, remedy: remedy)
  }

  // MARK: - Types

  /// The element type that a storage's class or `torch.float32` names.
  private static func dtype(_ name: String) -> DType? {
    let parts = name.split(separator: ".")
    let modules = parts.dropLast().joined(separator: ".")
    guard ["torch", "torch.cuda"].contains(modules), let last = parts.last else { return nil }
    return types[String(last)]
  }

  private static let types: [String: DType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    "float64": .float64, "float32": .float32, "float16": .float16, "bfloat16": .bfloat16,
    "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8,
    "bool": .bool,
  ]

  /// The bytes per element of every storage that a pickle refers to.
  static func storageWidths(of pickle: Pickle) -> [String: Int] {
    var widths: [String: Int] = [:]
    for reference in pickle.allReferences {
      guard let fields = pickle.elements(reference), fields.count >= 3,
        let type = pickle.name(fields[1]), let key = pickle.text(fields[2])
      else { continue }
      widths[key] = type.hasSuffix("UntypedStorage") ? 1 : dtype(type)?.byteCount
    }
    return widths
  }
}
