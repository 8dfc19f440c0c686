import Foundation
import NamidTerminal
import NamidTorch

/// The comparisons of a self-test: a device beside the CPU.
struct SelfTestReport: Encodable {
  /// One comparison.
  struct Row: Encodable {
    /// The part of the library, such as `operators`.
    var part: String
    /// The name of the compared thing.
    var name: String
    /// The distance of the two, in the unit of `limit`.
    var difference: Double
    /// The most that passes.
    var limit: Double
    /// The unit of both numbers, in words.
    var unit: String
    /// A word about it, or nothing.
    var remark: String

    /// True where the difference is a number within its limit.
    var passes: Bool { difference <= limit }
  }

  var device: String
  var torch: String
  var seconds = 0.0
  private(set) var rows: [Row] = []

  init(device: Device) {
    self.device = device.description
    let environment = TorchEnvironment.read()
    torch = environment.loadedVersion ?? environment.compiledVersion
  }

  var failures: [Row] { rows.filter { !$0.passes } }

  /// Adds a comparison; differences are relative unless another unit is named.
  mutating func add(
    _ part: String, _ name: String, _ difference: Double, atMost limit: Double,
    unit: String = "relative", remark: String = ""
  ) {
    rows.append(
      Row(part: part, name: name, difference: difference, limit: limit, unit: unit, remark: remark))
  }

  /// A table for people.
  var text: String {
    var table = TextTable(
      ["part", "compared", "difference", "at most", "", "", ""],
      alignments: [.left, .left, .right, .right, .left, .left, .left])
    for row in rows {
      table.append([
        row.part, row.name, Self.number(row.difference), Self.number(row.limit), row.unit,
        row.passes ? "ok" : "FAILED", row.remark,
      ])
    }
    let verdict =
      failures.isEmpty
      ? "all \(rows.count) comparisons hold" : "\(failures.count) of \(rows.count) comparisons fail"
    return table.text + "\n\(device) beside the CPU, torch \(torch): \(verdict) "
      + "(\(String(format: "%.0f", seconds)) s)\n"
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1000
      ? String(Int(value)) : String(format: "%.1e", value)
  }
}

/// The distance of a tensor from another, relative to the largest value of the other.
func relativeDistance(_ actual: Tensor, _ expected: Tensor) -> Double {
  withoutGrad {
    let a = actual.to(.cpu).to(.float64)
    let b = expected.to(.cpu).to(.float64)
    guard a.shape == b.shape, a.isfinite().all().bools() == [true] else { return .infinity }
    if b.count == 0 { return 0 }
    let scale = max(b.abs().max().item(), 1e-30)
    return (a - b).abs().max().item() / scale
  }
}
