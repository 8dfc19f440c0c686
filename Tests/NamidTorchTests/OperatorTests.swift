import NamidTestSupport
import NamidTorch
import Testing

/// Each wrapper against numbers worked out by hand: arguments in the wrong order would show.
@Suite(.serialized) struct OperatorTests {
  let a = Tensor([1.0, -2, 3, 4, 0.5, -6], shape: [2, 3])
  let b = Tensor([2.0, 4, -1, 8, 0.25, 3], shape: [2, 3])

  @Test func creation() {
    #expect(Tensor.zeros([2], dtype: .int32).array(of: Int32.self) == [0, 0])
    #expect(Tensor.ones([1, 2], dtype: .float64).doubles == [1, 1])
    #expect(Tensor.full([2], 3, dtype: .int64).ints() == [3, 3])
    #expect(Tensor.full([2], 2.5).floats() == [2.5, 2.5])
    #expect(Tensor.arange(4).ints() == [0, 1, 2, 3])
    #expect(Tensor.arange(3, dtype: .float32).dtype == .float32)
    #expect(a.zerosLike().doubles == [0, 0, 0, 0, 0, 0])
    #expect(a.onesLike().doubles == [1, 1, 1, 1, 1, 1])
    #expect(a.fullLike(-1).doubles == [-1, -1, -1, -1, -1, -1])
  }

  @Test func arithmetic() {
    #expect((a + b).doubles == [3, 2, 2, 12, 0.75, -3])
    #expect((a - b).doubles == [-1, -6, 4, -4, 0.25, -9])
    #expect((a * b).doubles == [2, -8, -3, 32, 0.125, -18])
    #expect((a / b).doubles == [0.5, -0.5, -3, 0.5, 2, -2])
    #expect((a + 1).doubles == [2, -1, 4, 5, 1.5, -5])
    #expect((1 + a).doubles == (a + 1).doubles)
    #expect((a - 1).doubles == [0, -3, 2, 3, -0.5, -7])
    #expect((1 - a).doubles == [0, 3, -2, -3, 0.5, 7])
    #expect((a * 2).doubles == (2 * a).doubles)
    #expect((a / 2).doubles == [0.5, -1, 1.5, 2, 0.25, -3])
    #expect((12 / Tensor([2.0, -3], shape: [2])).doubles == [6, -4])
    #expect((-a).doubles == [-1, 2, -3, -4, -0.5, 6])
    // Integers stay integers beside an integer.
    #expect((Tensor.arange(3) + 1).dtype == .int64)
    #expect((Tensor.arange(3) * 0.5).dtype == .float32)
  }

  @Test func fusedSums() {
    #expect(a.add(b, alpha: 2).doubles == [5, 6, 1, 20, 1, 0])
    #expect(a.add_(1).doubles == [2, -1, 4, 5, 1.5, -5])
    let list = [Tensor([1.0, 2], shape: [2]), Tensor([3.0], shape: [])]
    TensorList.add_(list, 0.5)
    #expect(list.map(\.doubles) == [[1.5, 2.5], [3.5]])
  }

  /// Finite numbers keep their bits: signed zeros and denormal numbers, too.
  @Test func numbersInThePlaceOfNaNAndInfinities() {
    let least = Float.leastNonzeroMagnitude
    let kept = [-0.0, 0, least, -least, .leastNormalMagnitude / 3, .greatestFiniteMagnitude, -1.5]
    let lost = [Float.nan, -.nan, .infinity, -.infinity]
    let x = Tensor(kept + lost, shape: [11])
    #expect(
      x.nanToNum(posinf: 0, neginf: 0).floats().map(\.bitPattern)
        == kept.map(\.bitPattern) + [0, 0, 0, 0])
    #expect(x.nanToNum(1, posinf: 2, neginf: 3).floats().suffix(4) == [1, 1, 2, 3])
  }

  @Test func functions() {
    #expect(a.abs().doubles == [1, 2, 3, 4, 0.5, 6])
    #expect(a.sign().doubles == [1, -1, 1, 1, 1, -1])
    #expect(Tensor([0.0], shape: [1]).sign().doubles == [0])
    #expect(a.square().doubles == [1, 4, 9, 16, 0.25, 36])
    #expect(a.pow(3).doubles == [1, -8, 27, 64, 0.125, -216])
    #expect(Tensor([4.0, 9], shape: [2]).sqrt().doubles == [2, 3])
    #expect(Tensor([4.0, 9], shape: [2]).pow(0.5).doubles == [2, 3])
    #expect(Tensor([4.0, -0.5], shape: [2]).reciprocal().doubles == [0.25, -2])
    #expect(Tensor([7, -7], shape: [2]).remainder(3).ints() == [1, 2])
    let x = Tensor([0.5], shape: [1])
    expectClose(x.exp().item(), 1.6487212707001282, rtol: 1e-14)
    expectClose(x.log().item(), -0.6931471805599453, rtol: 1e-14)
    expectClose(x.log1p().item(), 0.4054651081081644, rtol: 1e-14)
    expectClose(x.softplus().item(), 0.9740769841801067, rtol: 1e-14)
    expectClose(x.sigmoid().item(), 0.6224593312018546, rtol: 1e-14)
    expectClose(x.tanh().item(), 0.46211715726000973, rtol: 1e-14)
  }

  @Test func choices() {
    #expect(a.clamp(min: -1, max: 2).doubles == [1, -1, 2, 2, 0.5, -1])
    #expect(a.clamp(min: 0).doubles == [1, 0, 3, 4, 0.5, 0])
    #expect(a.clamp(max: 0).doubles == [0, -2, 0, 0, 0, -6])
    #expect(a.clamp(min: b, max: nil).doubles == [2, 4, 3, 8, 0.5, 3])
    #expect(a.clamp(min: nil, max: b).doubles == [1, -2, -1, 4, 0.25, -6])
    #expect(a.minimum(b).doubles == [1, -2, -1, 4, 0.25, -6])
    #expect(a.maximum(b).doubles == [2, 4, 3, 8, 0.5, 3])
    #expect(a.where(a .> 0, else: b).doubles == [1, 4, 3, 4, 0.5, 3])
  }

  @Test func products() {
    #expect(a.matmul(b.transpose(0, 1)).doubles == [-9, 16.5, 16, 14.125])
    let stack = Tensor.stack([a, b]).bmm(Tensor.stack([b, a]).transpose(1, 2))
    #expect(stack.doubles == [-9, 16.5, 16, 14.125, -9, 16, 16.5, 14.125])
  }

  @Test func inPlace() {
    let x = a.clone()
    x.add_(b, alpha: 2)
    #expect(x.doubles == [5, 6, 1, 20, 1, 0])
    x.sub_(b, alpha: 2).mul_(b)
    #expect(x.doubles == (a * b).doubles)
    x.div_(b).mul_(3)
    #expect(x.doubles == (a * 3).doubles)
    x.copy_(Tensor([1, 2, 3], shape: [3]))
    #expect(x.doubles == [1, 2, 3, 1, 2, 3])
    #expect(x.fill_(2.5).doubles == [2.5, 2.5, 2.5, 2.5, 2.5, 2.5])
    #expect(x.zero_().lerp_(b, weight: 0.25).doubles == (b * 0.25).doubles)
  }

  @Test func comparisons() {
    let c = Tensor([1.0, 0, 3, 4, 1, -7], shape: [2, 3])
    #expect((a .== c).bools() == [true, false, true, true, false, false])
    #expect((a .!= c).bools() == [false, true, false, false, true, true])
    #expect((a .> c).bools() == [false, false, false, false, false, true])
    #expect((a .< c).bools() == [false, true, false, false, true, false])
    #expect((a .>= c).bools() == [true, false, true, true, false, true])
    #expect((a .<= c).bools() == [true, true, true, true, true, false])
    #expect((a .== 3).bools() == [false, false, true, false, false, false])
    #expect((a .!= 3).bools() == [true, true, false, true, true, true])
    #expect((a .> 1).bools() == [false, false, true, true, false, false])
    #expect((a .< 1).bools() == [false, true, false, false, true, true])
    #expect((a .>= 1).bools() == [true, false, true, true, false, false])
    #expect((a .<= 1).bools() == [true, true, false, false, true, true])
    let (p, q) = (a .> 0, a .> 2)
    #expect((p .& q).bools() == q.bools() && (p .| q).bools() == p.bools())
    #expect(p.logicalNot().bools() == [false, true, false, false, false, true])
    #expect(p.any().bools() == [true] && p.all().bools() == [false])
    let odd = Tensor([1.0, .nan, .infinity], shape: [3])
    #expect(odd.isfinite().bools() == [true, false, false])
  }

  @Test func shapes() {
    let x = Tensor(Array(0..<6), shape: [2, 3])
    #expect(x.view([3, 2]).shape == [3, 2] && x.reshape([-1]).shape == [6])
    #expect(x.permute([1, 0]).ints() == [0, 3, 1, 4, 2, 5])
    #expect(x.view([1, 2, 3, 1]).flatten(1, 2).shape == [1, 6, 1])
    #expect(x.unsqueeze(1).shape == [2, 1, 3] && x.unsqueeze(1).squeeze(1).shape == [2, 3])
    #expect(Tensor([1, 2], shape: [2, 1]).expand([-1, 3]).ints() == [1, 1, 1, 2, 2, 2])
    #expect(Tensor.cat([x, x], dim: 1).shape == [2, 6] && Tensor.cat([x, x]).shape == [4, 3])
    #expect(Tensor.stack([x, x], dim: 2).shape == [2, 3, 2])
    #expect(x.select(1, 2).ints() == [2, 5])
    #expect(x.slice(0..<3, dim: 1, step: 2).ints() == [0, 2, 3, 5])
    #expect(x.flip([1]).ints() == [2, 1, 0, 5, 4, 3])
    #expect(x.pad([1, 0, 0, 1], value: 9).ints() == [9, 0, 1, 2, 9, 3, 4, 5, 9, 9, 9, 9])
    #expect(x.diagonal().ints() == [0, 4])
    #expect(
      Tensor(Array(0..<8), shape: [2, 2, 2]).diagonal(dim1: 0, dim2: 2).ints() == [0, 5, 2, 7])
  }

  @Test func indexing() {
    let x = Tensor(Array(0..<6), shape: [2, 3])
    #expect(x.indexSelect(Tensor([2, 0], shape: [2]), dim: 1).ints() == [2, 0, 5, 3])
    #expect(x.gather(Tensor([2, 1], shape: [2, 1]), dim: 1).ints() == [2, 4])
    let pairs = x.index([Tensor([1, 0], shape: [2]), Tensor([2, 1], shape: [2])])
    #expect(pairs.ints() == [5, 1])
    #expect(x.index([nil, Tensor([1], shape: [1])]).ints() == [1, 4])
    #expect(x.maskedFill(x .> 3, -1).ints() == [0, 1, 2, 3, -1, -1])
    let y = x.clone()
    y.indexCopy_(Tensor([1], shape: [1]), Tensor([7, 8, 9], shape: [1, 3]))
    #expect(y.ints() == [0, 1, 2, 7, 8, 9])
    #expect((Tensor([0, 3, 0, 1], shape: [4]) .> 0).nonzeroIndices().ints() == [1, 3])
    #expect((Tensor([0], shape: [1]) .> 0).nonzeroIndices().shape == [0])
  }

  @Test func reductions() {
    #expect(a.sum().item() == 0.5 && a.mean().item() == 0.5 / 6)
    #expect(a.sum([0]).doubles == [5, -1.5, -3] && a.sum([1], keepdim: true).shape == [2, 1])
    #expect(a.mean([1]).doubles == [2.0 / 3, -0.5])
    #expect(a.amax([1]).doubles == [3, 4] && a.amin([0]).doubles == [1, -2, -6])
    #expect(a.amax().item() == 4 && a.max().item() == 4 && a.min().item() == -6)
    #expect(Tensor([1, 3, 3, 2, 2, 1], shape: [2, 3]).argmax(1).ints() == [1, 0])
    expectClose(Tensor([1000.0, 1000], shape: [2]).logsumexp([0]).item(), 1000.6931471805599)
    expectClose(a.norm().item(), 66.25.squareRoot(), rtol: 1e-14)
    #expect(a.norm(1, [1]).doubles == [6, 10.5])
    #expect(a.norm(.infinity).item() == 6)
    expectClose(a.variance([1]).doubles, [19.0 / 3, 25.75], rtol: 1e-14)
    expectClose(a.variance([1], correction: 0).doubles, [38.0 / 9, 51.5 / 3], rtol: 1e-14)
    let sorted = a.sort(descending: true)
    #expect(sorted.values.doubles == [3, 1, -2, 4, 0.5, -6])
    #expect(sorted.indices.ints() == [2, 0, 1, 0, 1, 2])
    let top = a.topk(2, dim: 1)
    #expect(top.values.doubles == [3, 1, 4, 0.5] && top.indices.ints() == [2, 0, 0, 1])
    let cosine = Tensor([3.0, 0], shape: [2]).cosineSimilarity(
      Tensor([4.0, 3], shape: [2]), dim: 0)
    expectClose(cosine.item(), 0.8, rtol: 1e-14)
  }

  @Test func groupedConvolution() {
    let image = Tensor([1.0, 2, 3, 4], shape: [1, 2, 1, 2])
    let weight = Tensor([10.0, 100], shape: [2, 1, 1, 1])
    #expect(image.conv2d(weight, groups: 2).doubles == [10, 20, 300, 400])
  }

  @Test func tensorLists() {
    let list = [Tensor([1.0, 2], shape: [2]), Tensor([4.0], shape: [1])]
    let ends = [Tensor([3.0, 2], shape: [2]), Tensor([0.0], shape: [1])]
    TensorList.lerp_(list, towards: ends, weight: 0.25)
    #expect(list.map(\.doubles) == [[1.5, 2], [3]])
    TensorList.mul_(list, 2)
    #expect(list.map(\.doubles) == [[3, 4], [6]])
    TensorList.copy_(list, from: ends)
    #expect(list.map(\.doubles) == [[3, 2], [0]])
  }
}
