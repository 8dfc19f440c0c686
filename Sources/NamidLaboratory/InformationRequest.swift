import NamidEvaluation
import NamidTraining

/// A network whose outputs are read for mutual information, and the images and attacks that make them.
package struct InformationRequest: Codable, Hashable, Sendable {
  /// The run of the network.
  package var run: String
  /// The checkpoint that is measured.
  package var checkpoint: CheckpointFolder.Choice
  /// Attacks with their goal, ball and images.
  package var evaluation: EvaluationRequest
  /// Samples per score matrix, on which estimates depend; as many as the estimators were trained with when nil.
  package var scoreBatch: Int?

  /// A network's last checkpoint.
  package init(
    run: String, checkpoint: CheckpointFolder.Choice = .latest, _ evaluation: EvaluationRequest,
    scoreBatch: Int? = nil
  ) {
    self.run = run
    self.checkpoint = checkpoint
    self.evaluation = evaluation
    self.scoreBatch = scoreBatch
  }
}

/// Three pairings of image and output, read by one estimator (Figure 2).
package struct PairingsRequest: Codable, Hashable, Sendable {
  /// The network, its images and attacks.
  package var subject: InformationRequest
  /// The run of the estimator; nil for one that is trained for it.
  package var estimators: String?
  /// The training of an estimator that is not given.
  package var effort = EstimatorEffort()

  /// Pairings.
  package init(_ subject: InformationRequest, estimators: String?) {
    self.subject = subject
    self.estimators = estimators
  }
}

/// Estimators trained by Equations 4 and 5 on one network, side by side with placebos (Figure 4).
package struct ComparisonRequest: Codable, Hashable, Sendable {
  /// The network, its images and attacks.
  package var subject: InformationRequest
  /// The run of estimators trained by Equation 4; nil for ones that are trained for it.
  package var eq4: String?
  /// The run of estimators trained by Equation 5; nil for ones that are trained for it.
  package var eq5: String?
  /// Placebos that are trained and read besides.
  package var controls: [EstimatorRole]
  /// The training of estimators that are not given.
  package var effort = EstimatorEffort()

  /// A comparison.
  package init(
    _ subject: InformationRequest, eq4: String?, eq5: String?, controls: [EstimatorRole]
  ) {
    self.subject = subject
    self.eq4 = eq4
    self.eq5 = eq5
    self.controls = controls
  }
}
