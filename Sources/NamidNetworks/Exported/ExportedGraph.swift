import NamidTorch

/// The graph of an exported program as values: every tensor and number has a place, and every node reads places that
/// were filled before it.
struct ExportedGraph: Sendable {
  /// The place of a value; `names` has its name.
  typealias Place = Int

  /// A number that stands in the file, or is read from a place when the graph runs.
  enum Number: Sendable, Equatable {
    case fixed(Int)
    case place(Place)
  }

  /// An argument of a node as the file has it.
  enum Argument: Sendable, Equatable {
    case none
    case place(Place)
    case places([Place?])
    case integer(Int)
    case integers([Number])
    case real(Double)
    case reals([Double])
    case boolean(Bool)
    case booleans([Bool])
    case string(String)
    case dtype(DType)
    case memoryFormat(Int)
    case layout
    case device
  }

  /// A call of an operator.
  struct Node: Sendable {
    /// Its name, for messages.
    let name: String
    /// The operator's name in the file, such as `torch.ops.aten.add.Tensor`.
    let target: String
    /// The arguments by their names in the operator's schema.
    let arguments: [(name: String, value: Argument)]
    /// The places of its results; nil for one that has none.
    let results: [Place?]
  }

  /// An origin of a value that no node computes.
  enum Source: Sendable, Equatable {
    case parameter(String)
    case buffer(String, isPersistent: Bool)
    case constant(String)
    case images
    case number(Argument)
  }

  /// A value that the program hands back.
  enum Output: Sendable, Equatable {
    case user(Argument)
    case mutation(buffer: String, value: Place)
  }

  /// A size: a number, or the name of a symbol with the value that it had in the export.
  struct Size: Sendable, Equatable {
    let value: Int?
    let symbol: String?
  }

  /// A tensor's element type and sizes as the export saw them.
  struct Shape: Sendable, Equatable {
    let dtype: DType?
    let sizes: [Size]
  }

  var names: [String] = []
  var sources: [(place: Place, source: Source)] = []
  var nodes: [Node] = []
  var outputs: [Output] = []
  var shapes: [Place: Shape] = [:]
  /// The labels of the user's outputs where they are a dictionary.
  var outputLabels: [String] = []
  /// The smallest and largest value of each symbol.
  var ranges: [String: (smallest: Int, largest: Int)] = [:]
  var torchVersion = ""

  /// The most nodes of a graph; large networks have some ten thousand.
  static let mostNodes = 200_000
  /// The most parameters, buffers and other inputs.
  static let mostInputs = 20_000
  /// The most elements of a list of arguments.
  static let longestList = 4096
}
