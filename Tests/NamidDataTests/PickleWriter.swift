/// Pickles as Python 2 wrote the official CIFAR-10 files, operation by operation.
enum PickleWriter {
  static func string(_ text: String) -> [UInt8] {
    [UInt8(ascii: "U"), UInt8(text.utf8.count)] + Array(text.utf8)
  }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  /// `numpy.core.multiarray._reconstruct(ndarray, (0,), 'b')` and the state that fills it.
  static func array(
    shape: [Int], data: [UInt8], dtype: String = "u1", columnsFirst: Bool = false
  ) -> [UInt8] {
    let sizes = shape.flatMap { [UInt8(ascii: "J")] + littleEndian($0, 4) }
    return global("numpy.core.multiarray", "_reconstruct") + global("numpy", "ndarray")
      + Array("K\0".utf8) + [0x85] + string("b") + [0x87] + Array("R(K\u{1}".utf8)
      + Array("(".utf8) + sizes + Array("t".utf8)
      + global("numpy", "dtype") + string(dtype) + Array("K\0K\u{1}".utf8) + [0x87]
      + Array("R(K\u{3}".utf8) + string("|")
      + Array("NNNJ".utf8) + littleEndian(-1, 4) + Array("J".utf8) + littleEndian(-1, 4)
      + Array("K\0tb".utf8)
      + [columnsFirst ? 0x88 : 0x89, UInt8(ascii: "T")] + littleEndian(data.count, 4) + data
      + Array("tb".utf8)
  }

  static func list(_ items: [[UInt8]]) -> [UInt8] {
    Array("](".utf8) + items.joined() + Array("e".utf8)
  }

  static func dictionary(_ entries: [(String, [UInt8])]) -> [UInt8] {
    [0x80, 2] + Array("}q\u{1}(".utf8) + entries.flatMap { string($0.0) + $0.1 }
      + Array("u.".utf8)
  }

  static func labels(_ labels: [Int]) -> [UInt8] {
    list(labels.map { [UInt8(ascii: "K"), UInt8($0)] })
  }

  static func batch(labels: [Int], data: [UInt8]) -> [UInt8] {
    dictionary([
      ("batch_label", string("training batch 1 of 5")),
      ("labels", self.labels(labels)),
      ("data", array(shape: [labels.count, data.count / labels.count], data: data)),
      ("filenames", list(labels.indices.map { string("image_0000\($0).png") })),
    ])
  }

  static func meta(names: [String]) -> [UInt8] {
    dictionary([
      ("num_cases_per_batch", [UInt8(ascii: "M")] + littleEndian(10_000, 2)),
      ("label_names", list(names.map(string))),
    ])
  }
}
