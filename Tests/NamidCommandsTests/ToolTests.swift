import Foundation
import NamidTestSupport
import Testing

/// The tests of the command line are skipped where the tool is not built; where everything must pass, it must be there.
@Suite struct ToolTests {
  @Test(.enabled(if: ProcessInfo.processInfo.environment["CI"] != nil)) func theToolIsBuilt() {
    #expect(Tool.isBuilt)
  }
}
