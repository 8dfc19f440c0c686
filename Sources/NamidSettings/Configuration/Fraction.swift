import Foundation

/// A number as people write it: `8/255`, `0.031` or `1e-3`.
///
/// The text is kept, so that a file shows what was written; equality and hashing go by the value.
/// Read from a JSON or YAML number, the text is that number's shortest form.
public struct Fraction: Sendable, LosslessStringConvertible {
  /// The number.
  public let value: Double

  /// The number as it was written.
  public let description: String

  /// Reads a decimal number or a quotient of two.
  ///
  /// The result is nil for anything else, for division by zero and for numbers beyond a double.
  ///
  /// - Parameter text: The number, with or without space around it and around the stroke.
  public init?(_ text: String) {
    let text = text.trimmingCharacters(in: .whitespaces)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(Self.decimal)
    guard let numerator = parts[0] else { return nil }
    var value = numerator
    if parts.count == 2 {
      guard let denominator = parts[1], denominator != 0 else { return nil }
      value /= denominator
    }
    guard parts.count <= 2, value.isFinite else { return nil }
    self.value = value
    self.description = text
  }

  /// Makes a quotient of two integers, as in `Fraction(8, over: 255)`.
  ///
  /// - Parameters:
  ///   - numerator: The number above the stroke.
  ///   - denominator: The number below it, not zero.
  public init(_ numerator: Int, over denominator: Int) {
    precondition(denominator != 0, "expected a denominator other than 0 under \(numerator)")
    value = Double(numerator) / Double(denominator)
    description = "\(numerator)/\(denominator)"
  }

  /// Makes a fraction of a finite number.
  public init(_ value: Double) {
    precondition(value.isFinite, "expected a finite number, found \(value)")
    self.value = value
    description = Int(exactly: value).map(String.init) ?? value.description
  }

  private static func decimal(_ text: Substring) -> Double? {
    let text = text.trimmingCharacters(in: .whitespaces)
    // Swift's own reading also takes hexadecimal, "nan" and "infinity".
    guard text.allSatisfy({ "0123456789.eE+-".contains($0) }), let value = Double(text),
      value.isFinite
    else { return nil }
    return value
  }
}

extension Fraction: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// Makes a fraction of a literal.
  public init(floatLiteral value: Double) { self.init(value) }

  /// Makes a fraction of a literal.
  public init(integerLiteral value: Int) { self.init(Double(value)) }
}

extension Fraction: Hashable {
  /// Tells whether both have the same value, however written.
  public static func == (left: Fraction, right: Fraction) -> Bool { left.value == right.value }

  /// Feeds the value into a hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

extension Fraction: Codable {
  /// Reads a number or a text such as `8/255`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      guard let fraction = Fraction(text) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: Self.expectation)
      }
      self = fraction
    } else if let value = try? container.decode(Double.self), value.isFinite {
      self.init(value)
    } else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: Self.expectation)
    }
  }

  private static let expectation = "expected a number such as 8/255, 0.031 or 1e-3"

  /// Writes a number where that reads back to the same text, a text otherwise.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    let plain = Fraction(value)
    if plain.description == description || encoder.userInfo[.isCanonical] != nil {
      if let whole = Int(exactly: value) {
        try container.encode(whole)
      } else {
        try container.encode(value)
      }
    } else {
      try container.encode(description)
    }
  }
}
