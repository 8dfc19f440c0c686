import NamidSettings
import NamidTerminal

/// The settings of an attack as they were written, `name:key=value:…`; an attack takes out what it knows.
///
/// What is asked for and missing gets a default; what is left over at the end is an error that names the nearest
/// setting. The keys that were asked for are the settings that the attack has.
public struct AttackSettings {
  private let attack: String
  private var values: [(key: String, text: String)]
  /// The keys that were asked for, in order.
  public private(set) var known: [String] = []

  /// Settings of one attack.
  ///
  /// - Parameters:
  ///   - attack: The attack's name, for messages.
  ///   - items: The texts between colons.
  ///   - number: The setting that the number after the attack's name stands for, and the number.
  /// - Throws: A text that is not `key=value`, or a key that comes twice.
  init(attack: String, items: [String], number: (key: String, text: String)?)
    throws(AttackListError)
  {
    self.attack = attack
    values = number.map { [$0] } ?? []
    for item in items {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw problem(item, "must be written key=value") }
      if values.contains(where: { $0.key == parts[0] }) {
        throw problem(item, "is given twice")
      }
      values.append((parts[0], parts[1]))
    }
  }

  /// A whole number of at least `minimum` and at most `maximum`.
  public mutating func integer(
    _ key: String, default value: Int, minimum: Int = 1, maximum: Int = 1_000_000
  ) throws(AttackListError) -> Int {
    guard let text = take(key) else { return value }
    guard let number = Int(text), (minimum...maximum).contains(number) else {
      throw problem("\(key)=\(text)", "must be a whole number from \(minimum) to \(maximum)")
    }
    return number
  }

  /// A number such as `0.03` or `8/255` within a range.
  public mutating func real(
    _ key: String, default value: Double, in range: ClosedRange<Double> = 0...1e10,
    excludingLow: Bool = false
  ) throws(AttackListError) -> Double {
    guard let text = take(key) else { return value }
    guard let number = Fraction(text)?.value, range.contains(number),
      !(excludingLow && number == range.lowerBound)
    else {
      let low = "\(excludingLow ? "more than" : "at least") \(shortNumber(range.lowerBound))"
      throw problem(
        "\(key)=\(text)",
        "must be a number such as 2/255 of \(low) and at most \(shortNumber(range.upperBound))")
    }
    return number
  }

  /// One of a few words.
  public mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, default value: Choice
  ) throws(AttackListError) -> Choice where Choice.RawValue == String {
    guard let text = take(key) else { return value }
    guard let choice = Choice(rawValue: text) else {
      let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw problem("\(key)=\(text)", "must be one of \(all)")
    }
    return choice
  }

  /// `true` or `false`.
  public mutating func flag(_ key: String, default value: Bool) throws(AttackListError) -> Bool {
    guard let text = take(key) else { return value }
    guard let flag = Bool(text) else { throw problem("\(key)=\(text)", "must be true or false") }
    return flag
  }

  /// Checks that nothing is left over.
  func finish() throws(AttackListError) {
    guard let first = values.first else { return }
    if known.isEmpty { throw problem(first.key, "is not one it has: it has none") }
    let suggestion = nearest(first.key, among: known).map { "did you mean \"\($0)\"? " } ?? ""
    throw problem(
      first.key, "is not one it has: \(suggestion)it has \(known.joined(separator: ", "))")
  }

  /// A setting that is wrong for a reason that only the attack knows.
  public func problem(_ setting: String, _ reason: String) -> AttackListError {
    .badSetting(attack: attack, setting: setting, reason: reason)
  }

  private mutating func take(_ key: String) -> String? {
    known.append(key)
    guard let place = values.firstIndex(where: { $0.key == key }) else { return nil }
    return values.remove(at: place).text
  }
}
