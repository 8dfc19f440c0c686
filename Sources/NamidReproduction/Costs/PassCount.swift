import NamidAttacks
import NamidDefenses
import NamidInformation
import NamidTraining

/// The number of times that networks see an image, by the kind of pass.
package struct PassCount: Hashable, Sendable {
  /// Evaluations without a gradient.
  package var forwards = 0.0
  /// Evaluations with a gradient with respect to the image.
  package var gradients = 0.0
  /// Evaluations with a gradient with respect to the weights, and their share of an optimizer's step.
  package var updates = 0.0
  /// Evaluations of an estimator, which makes features of the image and compares them with all outputs.
  package var features = 0.0
  /// Seconds that do not depend on the network, on the machine where they were measured.
  package var seconds = 0.0

  /// Counts.
  package init(
    forwards: Double = 0, gradients: Double = 0, updates: Double = 0, features: Double = 0,
    seconds: Double = 0
  ) {
    self.forwards = forwards
    self.gradients = gradients
    self.updates = updates
    self.features = features
    self.seconds = seconds
  }

  /// The sum of two counts.
  package static func + (a: PassCount, b: PassCount) -> PassCount {
    PassCount(
      forwards: a.forwards + b.forwards, gradients: a.gradients + b.gradients,
      updates: a.updates + b.updates, features: a.features + b.features,
      seconds: a.seconds + b.seconds)
  }

  /// Counts times a factor.
  package static func * (factor: Double, count: PassCount) -> PassCount {
    PassCount(
      forwards: factor * count.forwards, gradients: factor * count.gradients,
      updates: factor * count.updates, features: factor * count.features,
      seconds: factor * count.seconds)
  }
}

extension PassCount {
  /// Counts the passes that one image takes in one epoch of a training.
  ///
  /// The attack takes every step for every image. Losses with a divergence also see the natural image, in the
  /// attack of TRADES (half of a gradient more) and in the loss. What is done with an estimator's features, with the
  /// gradient, is taken to cost as much again as the features.
  package static func training(
    _ configuration: RunConfiguration, catalog: Catalog
  ) -> PassCount {
    let steps = Double(configuration.attack.steps)
    let entry = try? catalog.defense(configuration.defense)
    let passes = entry?.passes ?? TrainingPasses()
    return PassCount(
      gradients: passes.gradientsPerStep * steps, updates: passes.updates,
      features: passes.features)
  }

  /// Counts the passes of one image in one epoch of estimators: attack, outputs, features with their gradient.
  package static func estimators(_ configuration: EstimatorConfiguration) -> PassCount {
    let steps = Double(configuration.attack.steps)
    let number = configuration.kind == .pair ? 2.0 : 1.0
    // A gradient of the encoder costs about as much as two evaluations.
    let features = configuration.control == .random ? number : 3 * number
    return PassCount(forwards: 2, gradients: steps, features: features)
  }

  /// The passes that one image of a data set takes on average under an attack.
  ///
  /// Robust images take the whole budget, fooled ones about a fifth of it; a third of the images is taken to be robust.
  /// An attack that does not stop at the first fooling image takes its budget for every image.
  package static func attack(_ attack: any Attack, classCount: Int = 10) -> PassCount {
    if attack.members.count > 1 {
      return attack.members.reduce(PassCount()) { $0 + .attack($1, classCount: classCount) }
    }
    let budget = attack.budget(classCount: classCount)
    let share = attack.stopsWhenFooled ? (1.0 / 3 + 2.0 / 3 / 5) : 1
    return share
      * PassCount(
        forwards: Double(budget.forwards - budget.backwards), gradients: Double(budget.backwards),
        seconds: attack.overhead)
  }
}
