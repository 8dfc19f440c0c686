/// An error that prevents a measurement of mutual information.
package enum LaboratoryError: Error, CustomStringConvertible, Equatable, Sendable {
  /// There are fewer than two samples, so that there are no negatives.
  case tooFewImages(Int)
  /// The list of attacks names no attack.
  case noAttack
  /// Estimators give values that are not finite.
  case notFinite(estimators: String, count: Int, total: Int)
  /// The folder holds estimators that were trained with other settings.
  case otherEstimators(String, name: String)
  /// The folder holds no estimators that can answer the question.
  case wrongEstimators(String, reason: String)
  /// The file for samples has an ending that names no known format.
  case unknownEnding(String)

  /// The error in words, with advice.
  package var description: String {
    switch self {
    case .tooFewImages(let count):
      "\(count) image(s) are too few: an estimate needs other samples as negatives, at least 2"
    case .noAttack:
      "no attack: unattacked images are measured in any case, name at least one attack such as pgd-20"
    case .notFinite(let estimators, let count, let total):
      "\(estimators) give values that are not finite for \(count) of \(total) samples: their training "
        + "has failed; train them again with a lower learning rate"
    case .otherEstimators(let path, let name):
      "\(path) holds estimators that were trained with other settings: repeat those, choose another "
        + "folder, or hand them over as “\(name)”"
    case .wrongEstimators(let path, let reason):
      "\(path) has no estimators that answer this question: \(reason)"
    case .unknownEnding(let path):
      "\(path): the file's ending must be .csv or .jsonl"
    }
  }
}
