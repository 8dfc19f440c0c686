/// The names and shapes of saved tensors below a prefix.
struct StateLayout {
  let shapes: [String: [Int]]
  /// The names, in the order of the file.
  let names: [String]

  init(_ entries: [(name: String, shape: [Int])], below prefix: String = "") {
    let inside = entries.filter { $0.name.hasPrefix(prefix) }.map {
      (name: String($0.name.dropFirst(prefix.count)), shape: $0.shape)
    }
    names = inside.map(\.name)
    shapes = Dictionary(inside.map { ($0.name, $0.shape) }) { first, _ in first }
  }

  func has(_ name: String) -> Bool { shapes[name] != nil }

  /// The shape of a convolution's weight (out, in, height, width), or nil.
  func filter(_ path: String) -> [Int]? {
    shapes[path + ".weight"].flatMap { $0.count == 4 ? $0 : nil }
  }

  /// The shape of a linear layer's weight (out, in), or nil.
  func matrix(_ path: String) -> [Int]? {
    shapes[path + ".weight"].flatMap { $0.count == 2 ? $0 : nil }
  }

  /// Depths and widths of stages whose blocks have a convolution at `path(stage, place)`.
  func stages(_ path: (Int, Int) -> String) -> (depths: [Int], widths: [Int]) {
    var (depths, widths): ([Int], [Int]) = ([], [])
    while depths.count < 8, let first = filter(path(depths.count, 0)) {
      var depth = 1
      while depth < 4096, has(path(depths.count, depth) + ".weight") { depth += 1 }
      depths.append(depth)
      widths.append(first[0])
    }
    return (depths, widths)
  }
}
