import NamidTorch

/// The points of the box [0, 1]^F at which a linear function is zero; one function per row.
///
/// The function is value + ⟨normal, p − anchor⟩. Each row is scaled by the largest entry of its normal, so that
/// gradients of any size do.
struct BoxHyperplane {
  /// The normals (rows, F), the largest absolute entry 1; 0 where there is no direction.
  private let normal: Tensor
  /// The points at which the functions' values are known, (rows, F).
  private let anchor: Tensor
  /// The scaled values there, (rows, 1).
  private let anchorValue: Tensor

  /// The zeros of functions with the given values (rows) and gradients (rows, F) at points (rows, F).
  init(value: Tensor, gradient: Tensor, at anchor: Tensor) {
    let scale = gradient.abs().amax([1], keepdim: true).clamp(min: 1e-30)
    normal = gradient / scale
    anchorValue = value.unsqueeze(1) / scale
    self.anchor = anchor
  }

  /// The functions' scaled values (rows, 1) at points (rows, F).
  func value(at points: Tensor) -> Tensor {
    points === anchor
      ? anchorValue : anchorValue + (normal * (points - anchor)).sum([1], keepdim: true)
  }

  /// The smallest way from each point to the hyperplane that stays in the box.
  ///
  /// With the way's sign known per coordinate, the sizes m solve min ‖m‖ with Σ|w|·m = |value| and 0 ≤ m ≤ room,
  /// where the room is what the box leaves in that direction. Where all room together does not reach the
  /// hyperplane, all of it is used. Points and displacements are (rows, F); the latter are zero where the normal is.
  func displacement(from points: Tensor, norm: Norm) -> Tensor {
    let value = value(at: points)
    let uphill = normal * value.sign()
    let weight = uphill.abs()
    let room = points.where(uphill .> 0, else: 1 - points)
    let sizes =
      switch norm {
      case .linf: Self.water(value.abs(), weight: weight, speed: nil, room: room)
      case .l2: Self.water(value.abs(), weight: weight, speed: weight, room: room)
      case .l1: Self.greedy(value.abs(), weight: weight, room: room)
      }
    return -(uphill.sign() * sizes)
  }

  /// Sizes min(λ·speed, room) whose weighted sum is `target`: L∞ with speed 1 (nil), L2 with speed = weight.
  ///
  /// The sum is concave, increasing and piecewise linear in λ. Newton's method from λ = 0 therefore rises to the
  /// solution and ends there after finitely many steps: each either adds coordinates that have used up their room
  /// or is the last. Rows that are done do not move any more, so that no row depends on the others.
  private static func water(_ target: Tensor, weight: Tensor, speed: Tensor?, room: Tensor)
    -> Tensor
  {
    let gain = weight * room
    let slope = speed.map { weight * $0 } ?? weight
    let full = speed.map { room / $0 } ?? room
    let whole = gain.sum([1], keepdim: true)
    let isOutOfReach = whole .<= target
    let target = target.maskedFill(isOutOfReach, 0)
    let none = Tensor.scalar(0, dtype: weight.dtype, device: weight.device)
    var level = target / slope.sum([1], keepdim: true).clamp(min: 1e-30)
    var count = Tensor.scalar(0, dtype: .int64, device: weight.device)
    for round in 0... {
      let isFull = full .<= level
      let countBefore = count
      count = isFull.sum()
      if Pacing.asks(after: round, on: weight.device), (count .== countBefore).bools() == [true] {
        break
      }
      let spent = gain.where(isFull, else: none).sum([1], keepdim: true)
      let rise = slope.maskedFill(isFull, 0).sum([1], keepdim: true).clamp(min: 1e-30)
      level = level.maximum((target - spent) / rise)
    }
    let sizes = (speed.map { $0 * level } ?? level).minimum(room)
    return room.where(isOutOfReach, else: sizes)
  }

  /// Sizes of the smallest sum whose weighted sum is `target`: the largest weights first, all of their room.
  private static func greedy(_ target: Tensor, weight: Tensor, room: Tensor) -> Tensor {
    let (sorted, order) = weight.sort(1, descending: true)
    let rooms = room.gather(order, dim: 1)
    let gain = sorted * rooms
    // Shifted, not subtracted: what is left must be exactly nothing behind the coordinate that gets the rest.
    let before = gain.cumsum(1).slice(0..<gain.size(1) - 1, dim: 1).pad([1, 0])
    let isOutOfReach = gain.sum([1], keepdim: true) .<= target
    let spent = (target - before).clamp(min: 0) / sorted.clamp(min: 1e-30)
    let sizes = rooms.where(isOutOfReach, else: spent.minimum(rooms))
    return room.zerosLike().scatterAdd(order, sizes, dim: 1)
  }
}
