/// Views, copies and indexing; names and meaning are PyTorch's.
extension Tensor {
  /// A view of the elements with another shape, without a copy.
  public func view(_ shape: [Int]) -> Tensor { one(.view, self, shape) }
  /// The elements with another shape; a copy where a view is not possible.
  public func reshape(_ shape: [Int]) -> Tensor { one(.reshape, self, shape) }
  /// Dimensions in another order.
  public func permute(_ dimensions: [Int]) -> Tensor { one(.permute, self, dimensions) }
  /// Two dimensions exchanged.
  public func transpose(_ a: Int, _ b: Int) -> Tensor { one(.transpose, self, a, b) }
  /// Dimensions from `start` to `end` (inclusive) made one.
  public func flatten(_ start: Int = 0, _ end: Int = -1) -> Tensor {
    one(.flatten, self, start, end)
  }
  /// A new dimension of size 1.
  public func unsqueeze(_ dimension: Int) -> Tensor { one(.unsqueeze, self, dimension) }
  /// A dimension of size 1 taken away.
  public func squeeze(_ dimension: Int) -> Tensor { one(.squeezeDim, self, dimension) }
  /// Dimensions of size 1 repeated, without a copy; -1 keeps a size.
  public func expand(_ shape: [Int]) -> Tensor { one(.expand, self, shape) }
  /// Tensors joined along an existing dimension.
  public static func cat(_ tensors: [Tensor], dim: Int = 0) -> Tensor { one(.cat, tensors, dim) }
  /// Tensors joined along a new dimension.
  public static func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
    one(.stack, tensors, dim)
  }
  /// The tensor laid out in memory as `format` says; itself if it is so already.
  public func contiguous(_ format: MemoryFormat = .contiguous) -> Tensor {
    one(.contiguous, self, format)
  }
  /// A copy.
  public func clone(_ format: MemoryFormat = .preserve) -> Tensor { one(.clone, self, format) }
  /// The elements without a gradient history.
  public func detach() -> Tensor { one(.detach, self) }
  /// The elements converted to another type; itself if it has that type already.
  public func to(_ dtype: DType) -> Tensor { one(.toDtype, self, dtype) }
  /// The tensor on a device; itself if it is there already.
  public func to(_ device: Device) -> Tensor {
    device == self.device ? self : one(.toDevice, self, device, dtype)
  }

  /// One position along a dimension, which goes away.
  public func select(_ dimension: Int, _ index: Int) -> Tensor {
    one(.select, self, dimension, index)
  }
  /// A range of positions along a dimension.
  public func slice(_ range: Range<Int>, dim: Int = 0, step: Int = 1) -> Tensor {
    one(.slice, self, dim, range.lowerBound, range.upperBound, step)
  }
  /// The positions along a dimension that an integer tensor lists.
  public func indexSelect(_ indices: Tensor, dim: Int = 0) -> Tensor {
    one(.indexSelect, self, dim, indices)
  }
  /// Advanced indexing: `x[a, b, c]` with broadcast integer tensors, nil for a whole dimension.
  public func index(_ indices: [Tensor?]) -> Tensor { one(.index, self, indices) }
  /// Elements along a dimension picked by `indices`, which has the result's shape.
  public func gather(_ indices: Tensor, dim: Int) -> Tensor { one(.gather, self, dim, indices) }
  /// Replaces the rows listed by `indices` with the rows of `source`, in place.
  @discardableResult
  public func indexCopy_(_ indices: Tensor, _ source: Tensor, dim: Int = 0) -> Tensor {
    one(.indexCopyInPlace, self, dim, indices, source)
  }
  /// One value wherever `mask` holds.
  public func maskedFill(_ mask: Tensor, _ value: Double) -> Tensor {
    one(.maskedFill, self, mask, value)
  }
  /// Numbers in the place of NaN and of the two infinities; other elements as they are.
  public func nanToNum(_ nan: Double = 0, posinf: Double, neginf: Double) -> Tensor {
    one(.nanToNum, self, nan, posinf, neginf)
  }
  /// Constant padding; `padding` counts from the last dimension: (left, right, top, bottom, …).
  public func pad(_ padding: [Int], value: Double = 0) -> Tensor {
    one(.constantPadNd, self, padding, value)
  }
  /// The diagonal of two dimensions, as a last dimension.
  public func diagonal(dim1: Int = 0, dim2: Int = 1) -> Tensor {
    one(.diagonal, self, 0, dim1, dim2)
  }
  /// Dimensions reversed.
  public func flip(_ dimensions: [Int]) -> Tensor { one(.flip, self, dimensions) }
  /// A copy in which `source` is added at `indices` along a dimension; indices may repeat.
  public func scatterAdd(_ indices: Tensor, _ source: Tensor, dim: Int) -> Tensor {
    one(.scatterAdd, self, dim, indices, source)
  }
  /// Elements shifted along dimensions; those pushed out at one end come in at the other.
  public func roll(_ shifts: [Int], dims: [Int]) -> Tensor { one(.roll, self, shifts, dims) }
  /// A view with all windows of a dimension as a new last dimension.
  public func unfold(_ dimension: Int, size: Int, step: Int) -> Tensor {
    one(.unfold, self, dimension, size, step)
  }
  /// Windows of (N, C, H, W) as columns: (N, C·kH·kW, windows).
  public func im2col(_ kernel: [Int], padding: [Int] = [0, 0], stride: [Int] = [1, 1]) -> Tensor {
    one(.im2col, self, kernel, [1, 1], padding, stride)
  }
  /// The adjoint of `im2col`: columns added up into (N, C, H, W) with the given (H, W).
  public func col2im(
    _ size: [Int], kernel: [Int], padding: [Int] = [0, 0], stride: [Int] = [1, 1]
  ) -> Tensor {
    one(.col2im, self, size, kernel, [1, 1], padding, stride)
  }
  /// The positions of the elements that hold, in order, of a tensor of rank 1.
  public func nonzeroIndices() -> Tensor { one(.nonzero, self).squeeze(1) }
}
