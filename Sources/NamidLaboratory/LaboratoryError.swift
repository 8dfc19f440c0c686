/// A measurement of mutual information that cannot be made.
package enum LaboratoryError: Error, CustomStringConvertible, Equatable, Sendable {
  /// Too few samples for negatives.
  case tooFewImages(Int)
  /// Only the unattacked images were asked for.
  case noAttack
  /// Estimators give values that are no numbers.
  case notFinite(estimators: String, count: Int, total: Int)
  /// The folder holds estimators that were trained otherwise.
  case otherEstimators(String, name: String)
  /// Estimators of a kind that cannot answer the question.
  case wrongEstimators(String, reason: String)
  /// A file for samples whose ending says nothing.
  case unknownEnding(String)

  /// What is wrong and what to do.
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
