import NamidSettings
import NamidTestSupport
import NamidTorch
import Testing
@testable import NamidAttacks

@Suite(.serialized) struct StartTests {
  let origin = Tensor.full([200, 1, 4, 5], 0.5)

  func start(_ start: Start, _ norm: Norm, _ epsilon: Fraction, of indices: [Int]? = nil) -> Tensor
  {
    let indices = indices ?? Array(0..<origin.size(0))
    return start.images(
      from: origin.slice(0..<indices.count), threat: ThreatModel(norm: norm, epsilon: epsilon),
      streams: craftingStreams(indices))
  }

  @Test func noneIsTheImageItself() {
    for norm in [Norm.linf, .l2] { expectIdentical(start(.none, norm, 0.1), origin) }
  }

  @Test func gaussianNoiseIsAThousandthWide() {
    for norm in [Norm.linf, .l2] {
      let noise = (start(.gaussian, norm, 0.5) - origin).flatten().to(.float64)
      expectClose(noise.mean().item(), 0, rtol: 0, atol: 6e-3 / 4000.0.squareRoot())
      expectClose(noise.variance([0]).item(), 1e-6, rtol: 6 * (2.0 / 4000).squareRoot())
    }
    // A ball smaller than the noise cuts it.
    #expect((start(.gaussian, .linf, 0.0005) - origin).abs().max().item() <= 0.00051)
  }

  @Test func uniformStartsFillTheCube() {
    let noise = (start(.uniform, .linf, 0.2) - origin).flatten().to(.float64)
    #expect(noise.abs().max().item() <= 0.2 + 1e-7 && noise.abs().max().item() > 0.199)
    expectClose(noise.mean().item(), 0, rtol: 0, atol: 6 * 0.1155 / 4000.0.squareRoot())
    expectClose(noise.variance([0]).item(), 0.04 / 3, rtol: 6 * 0.894 / 4000.0.squareRoot())
  }

  @Test func uniformStartsFillTheBall() {
    let threat = ThreatModel(norm: .l2, epsilon: 0.4)
    let radii = threat.size(of: start(.uniform, .l2, 0.4) - origin).to(.float64)
    #expect(radii.max().item() <= 0.4 + 1e-6)
    // In 20 dimensions (r/ε)²⁰ is uniform on [0, 1].
    let shares = (radii / 0.4).pow(20)
    expectClose(shares.mean().item(), 0.5, rtol: 0, atol: 6 * 0.289 / 200.0.squareRoot())
    expectClose(shares.variance([0]).item(), 1.0 / 12, rtol: 6 * 0.894 / 200.0.squareRoot())
  }

  @Test func startsStayInTheBox() {
    let edge = Tensor.cat([.zeros([20, 1, 3, 3]), .ones([20, 1, 3, 3])])
    for kind in Start.allCases {
      for norm in [Norm.linf, .l2] {
        let images = kind.images(
          from: edge, threat: ThreatModel(norm: norm, epsilon: 0.3),
          streams: craftingStreams(Array(0..<40))
        )
        #expect(images.min().item() >= 0 && images.max().item() <= 1)
      }
    }
  }

  @Test func startsBelongToTheirSample() {
    for kind in [Start.gaussian, .uniform] {
      for norm in [Norm.linf, .l2] {
        let all = start(kind, norm, 0.1)
        let some = start(kind, norm, 0.1, of: [42, 7, 0])
        expectIdentical(some, all.indexSelect(Tensor([42, 7, 0], shape: [3])))
      }
    }
  }
}
