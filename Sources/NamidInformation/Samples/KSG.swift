import NamidTorch

/// The nearest-neighbour estimate of Kraskov, Stögbauer and Grassberger (2004), first form.
public enum KSG {
  /// Estimates I from samples: ψ(k) + ψ(N) − ⟨ψ(n_x + 1) + ψ(n_z + 1)⟩.
  ///
  /// Distances are maximum norms in the joint space; n_x counts samples strictly nearer in x alone than the k-th
  /// neighbour is in both. The estimate is consistent; in many dimensions it is too low.
  ///
  /// - Parameters:
  ///   - x: (N, dx), float64 inside.
  ///   - z: (N, dz).
  ///   - neighbours: k.
  ///   - block: Rows compared at once; memory is block · N numbers.
  /// - Returns: Nats.
  /// - Precondition: More samples than neighbours.
  public static func ofSamples(
    _ x: Tensor, _ z: Tensor, neighbours: Int = 10, block: Int = 512
  ) -> Double {
    let count = x.size(0)
    precondition(count > neighbours && z.size(0) == count, "\(count) samples for k = \(neighbours)")
    let (x, z) = (x.to(.float64), z.to(.float64))
    let digamma = digamma(upTo: count + 1)
    var sum = 0.0
    for start in stride(from: 0, to: count, by: block) {
      let range = start..<min(start + block, count)
      let inX = x.slice(range).cdist(x, p: .infinity)
      let inZ = z.slice(range).cdist(z, p: .infinity)
      // The nearest is the sample itself, at distance 0.
      let radius = inX.maximum(inZ).kthvalue(neighbours + 1, dim: 1).values.unsqueeze(1)
      // A strict count includes the sample itself, which makes it n + 1; a radius of 0 has none and counts as itself.
      for distances in [inX, inZ] {
        let within = (distances .< radius).to(.int64).sum([1]).ints()
        sum += within.reduce(0) { $0 + digamma[max($1, 1)] }
      }
    }
    return digamma[neighbours] + digamma[count] - sum / Double(count)
  }

  /// The function ψ at 0, 1, 2, …: the harmonic numbers minus Euler's constant.
  private static func digamma(upTo last: Int) -> [Double] {
    var values = [-Double.infinity, -0.5772156649015329]
    for n in 1..<max(last, 2) { values.append(values[n] + 1 / Double(n)) }
    return values
  }
}
