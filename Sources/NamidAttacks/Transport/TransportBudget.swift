import NamidTorch

/// The plans that are allowed: each pixel sends what it has, and on average no further than a radius.
struct TransportBudget {
  let window: TransportWindow
  /// What each pixel has, (N, C, H·W).
  let mass: Tensor
  /// The largest allowed cost of each image, (N): the radius times its mass.
  let limits: Tensor
  /// The cost of each offset, (k²).
  let distances: Tensor

  init(window: TransportWindow, radius: Double, images: Tensor) {
    self.window = window
    mass = images.flatten(2)
    limits = mass.sum([1, 2]) * radius
    distances = Tensor(window.distances.map { Float($0) }, shape: [window.side * window.side])
      .to(images.device)
  }

  private init(window: TransportWindow, mass: Tensor, limits: Tensor, distances: Tensor) {
    self.window = window
    self.mass = mass
    self.limits = limits
    self.distances = distances
  }

  /// The budget of the images that stay.
  func keeping(_ kept: Kept) -> TransportBudget {
    TransportBudget(
      window: window, mass: kept.of(mass), limits: kept.of(limits), distances: distances)
  }

  /// The cost of each plan, (N).
  func costs(of masses: Tensor) -> Tensor { masses.sum([1, 3]).matmul(distances) }

  /// Makes an almost allowed plan an allowed one, in place.
  ///
  /// Rows are scaled to what their pixels have; then, where the cost is too high, the share of the plan that fits is
  /// mixed with staying, which costs nothing. So whatever a search for the best plan leaves undone takes from the
  /// attack's strength, never from the constraint.
  func restrict_(_ masses: Tensor) {
    let stay = masses.select(2, window.centre)
    let sent = masses.sum([2])
    // A row that sends nothing stays.
    let isLost = (sent .<= 0).to(sent.dtype)
    stay.add_(isLost)
    masses.mul_((mass / (sent + isLost)).unsqueeze(2))
    let share = (limits / costs(of: masses).clamp(min: 1e-30)).clamp(max: 1)
    masses.mul_(share.view([-1, 1, 1, 1]))
    stay.add_(mass * (1 - share).view([-1, 1, 1]))
  }
}
