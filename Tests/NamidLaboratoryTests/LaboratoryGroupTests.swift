import Foundation
import NamidFiles
import NamidInformation
import NamidSettings
import Testing

@testable import NamidLaboratory

/// Six samples made by hand: two robust, two that flip, two wrong from the start of which one gets right.
private let outcomes = SampleOutcomes(
  index: [10, 11, 12, 13, 14, 15], label: [0, 1, 0, 1, 0, 1], clean: [0, 1, 0, 1, 1, 0],
  attacked: [0, 1, 1, 0, 1, 1], isSelected: [false, false, true, true, false, false],
  batch: [0, 0, 0, 1, 1, 1])

private let values = InformationValues(
  natural: InformationPair(clean: [4, 2, 3, 5, 1, -1], attacked: [4, 1, -2, 1, 2, -2]),
  adversarial: InformationPair(clean: [0, 0, 1, 1, 0, 0], attacked: [0, 1, 3, 4, -1, 0]))

@Suite("Laboratory groups") struct LaboratoryGroupTests {
  @Test func groupsHaveTheirSamples() {
    #expect(outcomes.members(of: .all) == [0, 1, 2, 3, 4, 5])
    #expect(outcomes.members(of: .right) == [0, 1, 2, 3])
    #expect(outcomes.members(of: .wrong) == [4, 5])
    #expect(outcomes.members(of: .rightAttacked) == [0, 1, 5])
    #expect(outcomes.members(of: .wrongAttacked) == [2, 3, 4])
    #expect(outcomes.members(of: .selected) == [2, 3])
  }

  @Test func meansAndSignsAreThoseOfTheGroup() throws {
    let groups = GroupSummary.all(values, outcomes)
    #expect(groups.map(\.group) == SampleGroup.allCases)
    #expect(groups.map(\.count) == [6, 4, 2, 3, 3, 2])
    let all = try #require(groups[0].natural)
    #expect(all.clean.mean == 14.0 / 6 && all.attacked.mean == 4.0 / 6)
    #expect(abs(all.change.mean + 10.0 / 6) < 1e-15)
    #expect(all.falls.count == 4 && all.rises.count == 1 && all.falls.total == 6)
    #expect(all.positiveClean.count == 5 && all.positiveAttacked.count == 4)
    let selected = try #require(groups[5].adversarial)
    #expect(selected.clean.mean == 1 && selected.attacked.mean == 3.5)
    #expect(selected.rises.count == 2 && selected.falls.count == 0)
  }

  @Test func anEmptyGroupHasNoFigures() throws {
    var none = outcomes
    none.isSelected = none.isSelected.map { _ in false }
    let group = try #require(GroupSummary.all(values, none).last)
    #expect(group.count == 0 && group.natural == nil && group.adversarial == nil)
  }

  @Test func theExpectedOrderIsFallingNaturalAndRisingAdversarial() {
    let natural = InformationKind.natural.expected(values.natural)
    #expect(natural.higher == values.natural.clean && natural.lower == values.natural.attacked)
    let adversarial = InformationKind.adversarial.expected(values.adversarial)
    #expect(adversarial.higher == values.adversarial.attacked)
    #expect(adversarial.lower == values.adversarial.clean)
  }

  // MARK: Batches

  @Test(arguments: [(10, 4), (12, 4), (3, 8), (2, 2), (9, 8)])
  func everySampleIsMeasuredOnceInABatchOfOneSize(count: Int, size: Int) throws {
    let batches = try InformationBatches(count: count, size: size, seed: 3)
    let counted = batches.batches.flatMap { $0.members.prefix($0.counted) }
    #expect(counted.sorted() == Array(0..<count))
    for batch in batches.batches {
      #expect(batch.members.count == min(size, count))
      #expect(Set(batch.members).count == batch.members.count)
    }
    #expect(batches.batches.dropLast().allSatisfy { $0.counted == min(size, count) })
  }

  @Test func theOrderIsDrawnAndDigested() throws {
    let first = try InformationBatches(count: 50, size: 10, seed: 0)
    #expect(first == (try InformationBatches(count: 50, size: 10, seed: 0)))
    #expect(first != (try InformationBatches(count: 50, size: 10, seed: 1)))
    // Sets lie sorted by class on disk: a batch of neighbours would be of one class.
    #expect(first.batches[0].members.sorted() != Array(0..<10))
    let indices = Array(0..<50)
    let digest = try first.record(indices: indices).digest
    #expect(digest != (try first.record(indices: indices.reversed()).digest))
    let record = try InformationBatches(count: 23, size: 10, seed: 0)
      .record(indices: Array(0..<23))
    #expect(record.filled == 7 && record.count == 3 && record.size == 10)
    #expect(throws: LaboratoryError.tooFewImages(1)) {
      try InformationBatches(count: 1, size: 10, seed: 0)
    }
  }

  // MARK: Labels

  @Test func labelInformationIsThatOfTheTable() throws {
    // Perfect predictions of two equally frequent classes: log 2 less the correction 1 / 2N.
    let perfect = PlugInInformation([0, 1, 0, 1], [0, 1, 0, 1])
    #expect(abs(perfect.plugIn - log(2)) < 1e-12 && perfect.count == 4)
    #expect(perfect.corrected > perfect.plugIn)
    #expect(
      try JSONValue(encoding: perfect).objectValue?.keys.sorted() == [
        "corrected", "count", "plug_in",
      ])
    let useless = PlugInInformation([0, 1, 0, 1], [0, 0, 1, 1])
    #expect(abs(useless.plugIn) < 1e-12 && useless.corrected < 0)
  }

  // MARK: Sample files

  @Test func samplesAreWrittenAsRows() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "namid-laboratory-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let part = SampleFile.Part(
      facts: [("attack", "pgd-2,odd")], outcomes: outcomes, columns: values.columns,
      specificationHash: "abc")
    let csv = folder.appending(path: "samples.csv")
    try SampleFile(csv).write([part, part])
    let lines = try String(contentsOf: csv, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 13)
    #expect(
      lines[0]
        == "attack,index,label,clean,attacked,selected,batch,natural_clean,natural_attacked,adversarial_clean,adversarial_attacked,spec"
    )
    #expect(
      lines[3].replacing(".0", with: "") == "\"pgd-2,odd\",12,0,0,1,1,0,3,-2,1,3,abc", "\(lines[3])"
    )
    let json = folder.appending(path: "samples.jsonl")
    try SampleFile(json).write([part])
    let rows = try String(contentsOf: json, encoding: .utf8).split(separator: "\n")
    let row = try JSONValue(parsing: Data(rows[5].utf8))
    #expect(rows.count == 6)
    #expect(row["index"]?.intValue == 15 && row["natural_attacked"]?.doubleValue == -2)
    #expect(row["attack"]?.stringValue == "pgd-2,odd" && row["spec"]?.stringValue == "abc")
    #expect(throws: LaboratoryError.self) { try SampleFile(folder.appending(path: "samples.txt")) }
  }
}
