import CTorch

/// A TorchScript module that libtorch has loaded: its tensors, its operators and its `forward`.
///
/// libtorch trusts archives. Whoever makes one from a file has to check the file's code and pickles before.
package final class ScriptModule {
  /// A tensor of the module.
  package struct Slot {
    /// The name in PyTorch's `state_dict`.
    package let name: String
    /// The tensor that the module itself uses.
    package let tensor: Tensor
    /// True for a parameter, false for a buffer.
    package let isParameter: Bool
  }

  /// A tensor of an output.
  package struct Output {
    /// The place in the output, such as `1` or `aux.0`; empty where the output is the tensor itself.
    package let place: String
    /// The tensor.
    package let tensor: Tensor
  }

  private let handle: ct_script_ref
  /// Parameters and buffers in the order of PyTorch's `state_dict`; a tensor with two names has the first.
  package let slots: [Slot]
  /// The names of all operators in its code.
  package let operators: [String]
  /// The devices that the code names, in whose place stands the module's own.
  package let replacedDevices: [String]
  /// The operators that a trace has fixed to training and that follow the mode now.
  package let unfixedOperators: [String]

  /// Loads an archive.
  ///
  /// - Parameters:
  ///   - archive: A zip archive as `torch.jit.save` writes it, which has been checked.
  ///   - device: The device of its tensors.
  ///   - float32: True to convert weights and constants to float32.
  /// - Throws: `EngineError` with libtorch's message.
  package convenience init(
    _ archive: UnsafeRawBufferPointer, device: Device = .cpu, float32: Bool = false
  ) throws(EngineError) {
    var loaded: ct_script_ref?
    try require(
      ct_script_load(
        archive.baseAddress, archive.count, device.kind.rawValue, device.index, float32, &loaded),
      "ScriptModule")
    guard let loaded else { preconditionFailure("the engine returned no module") }
    self.init(owning: loaded)
  }

  /// Loads an archive that was loaded before; ends the process where that fails all the same.
  package convenience init(
    triedBefore archive: UnsafeRawBufferPointer, device: Device, float32: Bool
  ) {
    var loaded: ct_script_ref?
    check(
      ct_script_load(
        archive.baseAddress, archive.count, device.kind.rawValue, device.index, float32, &loaded),
      "ScriptModule")
    guard let loaded else { preconditionFailure("the engine returned no module") }
    self.init(owning: loaded)
  }

  private init(owning loaded: ct_script_ref) {
    handle = loaded
    var (text, devices): (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CChar>?)
    check(ct_script_operators(loaded, &text), "ScriptModule")
    operators = Self.lines(text)
    check(ct_script_changes(loaded, &devices, &text), "ScriptModule")
    replacedDevices = Self.lines(devices)
    unfixedOperators = Self.lines(text)
    slots = (0..<ct_script_tensor_count(loaded)).map { index in
      var (name, isParameter): (UnsafePointer<CChar>?, Bool) = (nil, false)
      var tensor: ct_tensor_ref?
      check(ct_script_tensor(loaded, index, &name, &isParameter, &tensor), "ScriptModule")
      guard let tensor, let name else { preconditionFailure("the engine returned no tensor") }
      return Slot(
        name: String(cString: name), tensor: Tensor(owning: tensor), isParameter: isParameter)
    }
  }

  deinit { ct_script_release(handle) }

  /// The names of all operators that TorchScript's code can call, with their namespaces.
  package static let knownOperators: [String] = {
    var text: UnsafeMutablePointer<CChar>?
    check(ct_script_known_operators(&text), "ScriptModule.knownOperators")
    return lines(text)
  }()

  /// Sets the mode of all modules inside.
  package func setTraining(_ value: Bool) {
    check(ct_script_set_training(handle, value), "training mode")
  }

  /// All tensors of the output for one input.
  ///
  /// - Parameter input: The only argument of the module's `forward`.
  /// - Returns: The tensors in their order in the output.
  /// - Throws: `EngineError` with libtorch's message in one line.
  package func outputs(_ input: Tensor) throws(EngineError) -> [Output] {
    var value = ct_value()
    var text: UnsafeMutablePointer<CChar>?
    try require(
      ct_script_forward(handle, input.handle, &value, &text), "forward(\(input.shape))")
    defer {
      ct_free(UnsafeMutableRawPointer(mutating: value.pointer))
      ct_free(text)
    }
    guard let text, let pointer = value.pointer else { return [] }
    let places = String(cString: text).split(separator: "\n", omittingEmptySubsequences: false)
    let handles = pointer.assumingMemoryBound(to: ct_tensor_ref?.self)
    let tensors = (0..<Int(value.count)).compactMap { handles[$0].map(Tensor.init(owning:)) }
    for tensor in tensors where !tensor.hasKnownType {
      throw EngineError(
        kind: .invalidCall, call: "forward(\(input.shape))",
        message: "an output has an element type or a device that this library does not use")
    }
    return zip(places, tensors).map { Output(place: String($0), tensor: $1) }
  }

  /// One output of a module that has been tried before; ends the process where it fails all the same.
  package func output(_ index: Int, of input: Tensor) -> Tensor {
    do throws(EngineError) {
      let outputs = try outputs(input)
      guard outputs.indices.contains(index) else {
        throw EngineError(
          kind: .other, call: "forward(\(input.shape))",
          message: "it gave \(outputs.count) tensors, and more before")
      }
      return outputs[index].tensor
    } catch {
      engineFailed(error)
    }
  }

  private static func lines(_ text: UnsafeMutablePointer<CChar>?) -> [String] {
    guard let text else { return [] }
    defer { ct_free(text) }
    return String(cString: text).split(separator: "\n").map(String.init)
  }
}
