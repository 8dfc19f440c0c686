import Records

extension RunConfiguration {
  /// A digest of all that must stay the same when a run is resumed.
  public func resumptionHash() throws -> String {
    var copy = self
    copy.training.keep = 0
    return try specificationHash(copy)
  }
}
