import Namid

extension SuiteReport {
  /// Everything that was measured: settings, machine, every value of every round.
  var json: JSONValue {
    [
      "machine": machine.json,
      "settings": [
        "items": .array(settings.items.map { .string($0.rawValue) }),
        "repeats": .int(settings.repeats), "quick": .bool(settings.isQuick),
        "threads": .int(settings.threads), "device": .string(settings.device),
        "run": settings.run.map { .string($0) } ?? nil,
      ],
      "warnings": .array(warnings.map { .string($0) }),
      "cases": .array(cases.map(Self.json)),
      "targets": .array(targets),
      "roofline": .array(
        SuiteTables.shares(cases).map {
          [
            "width": .int($0.width), "precision": .string($0.precision),
            "flops_per_second": .double($0.rate), "share": .double($0.share),
          ]
        }),
      "problems": .array(problems.map { .string($0) }),
    ]
  }

  private var targets: [JSONValue] {
    SuiteTarget.all.compactMap { target in
      guard let found = cases.first(where: { $0.suiteCase.name == target.caseName }) else {
        return nil
      }
      return [
        "case": .string(target.caseName), "peer": .string(target.kind),
        "asked": .double(target.ratio), "measured": Self.json(found.ratio(over: target.kind)),
      ]
    }
  }

  private static func json(_ result: CaseResult) -> JSONValue {
    let each = result.suiteCase
    return [
      "name": .string(each.name), "item": .string(each.item.rawValue), "title": .string(each.title),
      "quantity": .string(each.quantity.rawValue), "images": each.images.map { .int($0) } ?? nil,
      "programs": .array(
        result.results.map { program in
          [
            "name": .string(program.contestant.name), "kind": .string(program.contestant.kind),
            "arguments": .array(program.contestant.arguments.map { .string($0) }),
            "values": .array(program.values.map { $0.map { .double($0) } ?? nil }),
            "spread": json(program.spread),
            "ratios": .object(
              JSONObject(
                result.ours.map { mine in
                  (mine.contestant.name, json(Spread.ratios(of: program.values, over: mine.values)))
                })),
            "facts": object(program.facts.mapValues { .double($0) }),
            "versions": object(program.versions.mapValues { .string($0) }),
            "flops_per_second": program.rate.map { .double($0) } ?? nil,
            "failure": program.failure.map { .string($0) } ?? nil,
          ]
        }),
    ]
  }

  private static func json(_ spread: Spread?) -> JSONValue {
    guard let spread else { return nil }
    return [
      "median": .double(spread.median), "lowest": .double(spread.lowest),
      "highest": .double(spread.highest),
    ]
  }

  private static func object(_ members: [String: JSONValue]) -> JSONValue {
    .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
  }
}
