import Foundation
import NamidTorch

extension InformationBound {
  /// The bound of Nguyen, Wainwright and Jordan, E_P f − E_Q e^{f−1}: without bias, with a variance that grows as e^I.
  ///
  /// The best critic is 1 + log r; its constant matters.
  public static let nwj = InformationBound("nwj", .lower) {
    Scores.pairs($0) - Scores.meanOfOthers($0 - 1) { $0.exp() }
  }

  /// The Jensen-Shannon objective of Deep InfoMax, E_P[log 2 − softplus(−f)] − E_Q[softplus(f) − log 2].
  ///
  /// Values are lower bounds not of I but of 2·JS(P ‖ Q), which is at most 2 log 2. The best critic is log r.
  public static let jensenShannon = InformationBound(
    "jsd", .neither, cap: { _ in 2 * log(2) }, value: jensenShannonValue)

  /// SMILE (Song and Ermon, ICLR 2020): E_P f − log E_Q e^{clip(f, ±τ)} with the limit τ, trained by the Jensen-Shannon
  /// objective.
  ///
  /// Clipping overestimates where I is larger than the limit.
  public static func smile(limit: Double = 5) -> InformationBound {
    InformationBound("smile", .neither, validation: jensenShannonValue) {
      Scores.pairs($0) - Scores.logMeanExpOfOthers($0.clamp(min: -limit, max: limit))
    }
  }

  /// CLUB (Cheng et al., ICML 2020), E_P log q − E_Q log q of a model q(z | x) that is trained by likelihood.
  ///
  /// An upper bound where the model is right. The best critic is log p(z | x), with which its value is I + D(Q ‖ P),
  /// far above I.
  public static let club = InformationBound(
    "club", .upper, takesDensity: true, validation: Scores.pairs
  ) {
    Scores.pairs($0) - Scores.meanOfOthers($0, diagonal: 0) { $0 }
  }

  private static let jensenShannonValue: Value = {
    let pairs = (-$0.diagonal()).softplus().mean()
    return 2 * log(2) - pairs - Scores.meanOfOthers($0) { $0.softplus() }
  }
}
