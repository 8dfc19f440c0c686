import NamidTestSupport
import Testing

/// Expects that a call of the tool ended well, and shows what it complained of where it did not.
func expectSuccess(
  _ outcome: Tool.Outcome, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.status == 0, "\(outcome.errors)", sourceLocation: sourceLocation)
}
