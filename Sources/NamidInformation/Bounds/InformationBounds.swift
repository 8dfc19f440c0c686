/// All bounds by name.
public enum InformationBounds {
  /// The bounds in the order in which help lists them.
  public static let all: [any InformationBound] = [
    DonskerVaradhanBound(), MINEBound(), NWJBound(), JensenShannonBound(), InfoNCEBound(),
    SMILEBound(), LeaveOneOutBound(), AuthorsBound(), CLUBBound(),
  ]
}
