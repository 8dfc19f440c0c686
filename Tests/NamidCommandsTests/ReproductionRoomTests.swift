import Testing

@testable import NamidCommands

/// Whether a reproduction finds enough room on the disk.
@Suite struct ReproductionRoomTests {
  private func message(_ sizes: [Double], free: Double?) -> String? {
    ReproductionError.lackOfRoom(for: sizes, free: free, in: "out").map { "\($0)" }
  }

  @Test func runsAndRecordsMustFit() {
    let records = ReproductionError.roomForRecords
    #expect(message([1e9, 5e8], free: 1.5e9 + records) == nil)
    let text = message([1e9, 5e8], free: 1.5e9 + records - 1)
    #expect(text?.hasPrefix("out needs about 1.6 GB for runs, and 1.5 GB are free") == true)
    #expect(text?.contains("--out") == true)
    // Measurements leave little, but not nothing.
    #expect(message([0], free: 20e6)?.contains("50 MB for runs, and 20 MB are free") == true)
  }

  @Test func whatNeedsNoRoomIsNotStopped() {
    #expect(message([], free: 0) == nil)
    #expect(message([1e15], free: nil) == nil)
  }
}
