import Foundation
import NamidTorch

/// Samples on their way down Carlini and Wagner's objective, one row each.
///
/// The variable is w in x' = (tanh w + 1)/2. It starts at atanh((2x − 1)(1 − 1e-6)): at ±1 itself w would be
/// infinite, and pixels that are black or white could never move.
struct CarliniWagnerDescent {
  /// The samples that are still descending.
  private(set) var rows: Rows
  /// The images that the variable stands for (rows, C, H, W).
  private(set) var images: Tensor
  /// The gradient of the hinge with respect to the images (rows, C, H, W).
  var gradient: Tensor
  /// The places of the rows among those at the start (rows).
  private var positions: Tensor
  /// κ (rows).
  private var margins: Tensor
  /// c (rows).
  private var constants: Tensor
  private var variable: Tensor
  /// The first and second moments of Adam.
  private var mean: Tensor
  private var square: Tensor
  /// The objective when it was last checked (rows); at the common start, where c is open, the hinge.
  private var objective: Tensor

  /// The common start of all descents: one forward and one gradient for each sample that is right unattacked.
  init(_ search: Search, _ found: MinimumNorm) {
    rows = search.survivors
    let margins = found.margins.indexSelect(rows.places)
    let labels = rows.labels
    self.margins = margins
    positions = .arange(rows.count, device: rows.images.device)
    // In float64, because the last digit of torch's float32 atanh depends on the place in the batch.
    variable = ((rows.images.to(.float64) * 2 - 1) * (1 - 1e-6)).atanh().to(.float32)
    images = Self.images(variable)
    mean = variable.zerosLike()
    square = variable.zerosLike()
    let point = search.point(at: images, of: rows) { Self.hinge($0, labels, margins) }
    gradient = search.gradient(at: point, of: rows).contiguous()
    constants = margins.zerosLike()
    objective = point.values
  }

  /// A descent from here at the given c (rows).
  func started(with constants: Tensor) -> CarliniWagnerDescent {
    var copy = self
    copy.constants = constants
    copy.objective = copy.objective(hinge: objective)
    copy.variable = variable.clone()
    copy.mean = mean.clone()
    copy.square = square.clone()
    return copy
  }

  /// One step of Adam (β 0.9 and 0.999, floor 1e-8), the `iteration`-th from 1.
  mutating func advance(_ iteration: Int, rate: Double) {
    let tanh = variable.tanh()
    let pull = (images - rows.images) * 2 + gradient * constants.reshape([-1, 1, 1, 1])
    let slope = pull * (1 - tanh.square()) * 0.5
    mean.lerp_(slope, weight: 0.1)
    square.lerp_(slope.square(), weight: 0.001)
    let (first, second) = (1 - pow(0.9, Double(iteration)), 1 - pow(0.999, Double(iteration)))
    variable.sub_(mean / ((square / second).sqrt() + 1e-8), alpha: rate / first)
    images = Self.images(variable)
  }

  /// max(0, z_y − max_{i≠y} z_i + κ) per row.
  func hinge(_ logits: Tensor) -> Tensor { Self.hinge(logits, rows.labels, margins) }

  /// Notes rows that are fooled in a list of those at the start.
  func mark(_ fooled: Tensor, in list: Tensor) {
    list.indexCopy_(positions, list.indexSelect(positions) .| fooled)
  }

  /// Drops the rows whose objective is above 0.9999 of what it was when last checked.
  mutating func dropStalled(hinge: Tensor) -> Kept {
    let now = objective(hinge: hinge)
    let kept = Kept((now .> objective * 0.9999).logicalNot().bools(), device: now.device)
    rows = rows.keeping(kept)
    objective = kept.of(now)
    positions = kept.of(positions)
    margins = kept.of(margins)
    constants = kept.of(constants)
    images = kept.of(images)
    variable = kept.of(variable)
    mean = kept.of(mean)
    square = kept.of(square)
    return kept
  }

  private func objective(hinge: Tensor) -> Tensor {
    (images - rows.images).square().sum(Array(1..<images.rank)) + hinge * constants
  }

  private static func images(_ variable: Tensor) -> Tensor { (variable.tanh() + 1) * 0.5 }

  private static func hinge(_ logits: Tensor, _ labels: Tensor, _ margins: Tensor) -> Tensor {
    (margins - AttackLoss.margin.values(logits, labels)).clamp(min: 0)
  }
}

/// The constants c of Carlini and Wagner's objective and what is known of them, one row per sample.
struct CarliniWagnerConstants {
  /// The values to try next (rows).
  private(set) var values: Tensor
  /// The largest values that have failed (rows).
  private var lower: Tensor
  /// The smallest values that have worked (rows), 1e10 where none has.
  private var upper: Tensor

  /// Gives every sample the same first value.
  init(count: Int, initial: Double, device: Device) {
    values = .full([count], initial, device: device)
    lower = .zeros([count], device: device)
    upper = .full([count], 1e10, device: device)
  }

  /// Halves the interval of each row by what its value led to; ten times the value where none has worked yet.
  mutating func narrow(_ worked: Tensor) {
    upper = upper.minimum(values).where(worked, else: upper)
    lower = lower.where(worked, else: lower.maximum(values))
    values = ((lower + upper) * 0.5).where(upper .< 1e9, else: values * 10)
  }

  /// Tries the smallest values that have worked.
  mutating func takeUpperBounds() { values = upper }
}
