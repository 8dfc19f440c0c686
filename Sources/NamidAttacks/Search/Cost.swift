/// What an attack costs a sample, counted as if the sample were attacked alone.
public struct Cost: Codable, Hashable, Sendable {
  /// Evaluations of the network, with or without a gradient afterwards.
  public var forwards: Int
  /// Gradients with respect to the image.
  public var backwards: Int
  /// Those evaluations that an attacker who only sees scores has made; they are among `forwards`.
  public var queries: Int

  /// A cost.
  public init(forwards: Int = 0, backwards: Int = 0, queries: Int = 0) {
    self.forwards = forwards
    self.backwards = backwards
    self.queries = queries
  }

  /// The sum of two costs.
  public static func + (a: Cost, b: Cost) -> Cost {
    Cost(
      forwards: a.forwards + b.forwards, backwards: a.backwards + b.backwards,
      queries: a.queries + b.queries)
  }

  /// Adds a cost.
  public static func += (a: inout Cost, b: Cost) { a = a + b }
}
