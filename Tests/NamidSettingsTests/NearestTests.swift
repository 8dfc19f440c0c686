import Testing
@testable import NamidSettings

@Suite struct NearestTests {
  private let words = ["alpha", "lambda", "cosine", "weightDecay", "epochs", "lr"]

  @Test(arguments: [
    ("lamda", "lambda"), ("lambdaa", "lambda"), ("Lambda", "lambda"), ("lamdba", "lambda"),
    ("weight_decay", "weightDecay"), ("weight-dacay", "weightDecay"), ("epoch", "epochs"),
    ("apha", "alpha"), ("rl", "lr"),
  ])
  func findsWhatWasMeant(word: String, expected: String) {
    #expect(nearest(word, among: words) == expected)
  }

  @Test(arguments: ["momentum", "x", "", "betas"])
  func suggestsNothingFarFetched(word: String) {
    #expect(nearest(word, among: words) == nil)
  }

  @Test func theFirstOfEquallyNearOnesWins() {
    #expect(nearest("pgd-3", among: ["pgd-1", "pgd-2"]) == "pgd-1")
    #expect(nearest("word", among: []) == nil)
  }
}
