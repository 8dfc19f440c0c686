import NamidTorch

extension ImageSet {
  /// Takes validation images out of a set, the same share of every class.
  ///
  /// The two parts are disjoint, together they are the whole set, and both keep its order. Which
  /// images are taken depends on the labels, the count and the seed, and on nothing else.
  ///
  /// - Parameters:
  ///   - count: The number of images that go to validation: at least 1, fewer than all.
  ///   - seed: Seed of the draw.
  /// - Returns: The rest, with this set's split, and the validation part.
  /// - Throws: `DatasetError.badCount` when one of the parts would be empty.
  public func splitting(
    validation count: Int, seed: UInt64
  ) throws -> (train: ImageSet, validation: ImageSet) {
    let taken = try drawStratified(count, seed: seed)
    var isTaken = [Bool](repeating: false, count: self.count)
    for index in taken { isTaken[index] = true }
    return (
      train: subset(indices: labels.indices.filter { !isTaken[$0] }),
      validation: subset(indices: taken, split: .validation)
    )
  }

  /// Draws some of the images, the same share of every class, in the order of the set.
  ///
  /// Unlike `prefix(_:)` it is fair to all classes where the images are sorted by class.
  ///
  /// - Parameters:
  ///   - count: The number of images: at least 1, at most all.
  ///   - seed: Seed of the draw.
  /// - Returns: The drawn images.
  /// - Throws: `DatasetError.badCount` when the set has fewer images.
  public func sample(_ count: Int, seed: UInt64) throws -> ImageSet {
    count == self.count ? self : subset(indices: try drawStratified(count, seed: seed))
  }

  /// The images at some indices, in the order of the indices.
  public func subset(indices: [Int]) -> ImageSet {
    subset(indices: indices, split: split)
  }

  /// The first images of the set; all of them where it has no more.
  ///
  /// Image folders are sorted by class, so their first images are all of one class.
  public func prefix(_ count: Int) -> ImageSet {
    precondition(count >= 0, "prefix of \(count) images")
    return count >= self.count ? self : subset(indices: Array(0..<count))
  }

  private func subset(indices: [Int], split: Split) -> ImageSet {
    let size = bytesPerImage
    let chosen = [UInt8](unsafeUninitializedCapacity: indices.count * size) { buffer, filled in
      pixels.withUnsafeBufferPointer { all in
        for (position, index) in indices.enumerated() {
          precondition(labels.indices.contains(index), "image \(index) of \(count)")
          _ = UnsafeMutableBufferPointer(rebasing: buffer[(position * size)...])
            .update(fromContentsOf: all[(index * size)..<((index + 1) * size)])
        }
      }
      filled = indices.count * size
    }
    return ImageSet(
      name: name, title: title, split: split, height: height, width: width, channels: channels,
      classNames: classNames, pixels: chosen, labels: indices.map { labels[$0] },
      indices: indices.map { self.indices[$0] }, layout: layout,
      ignoredFiles: ignoredFiles)
  }

  /// Sorted indices of `wanted` images, shared out over the classes by largest remainder.
  private func drawStratified(_ wanted: Int, seed: UInt64) throws -> [Int] {
    guard wanted > 0, wanted < count else {
      throw DatasetError.badCount(set: title, wanted: wanted, available: count)
    }
    return stratifiedDraw(wanted, of: labels, classCount: classNames.count, seed: seed)
  }
}

/// Sorted places of `wanted` labels, fewer than there are, shared out over the classes by largest remainder.
func stratifiedDraw(_ wanted: Int, of labels: [Int], classCount: Int, seed: UInt64) -> [Int] {
  let count = labels.count
  var members = [[Int]](repeating: [], count: classCount)
  for (index, label) in labels.enumerated() { members[label].append(index) }

  // floor(wanted * n / total) of each class, then one more for the largest remainders.
  var shares = members.map { wanted * $0.count / count }
  let remainders = members.map { wanted * $0.count % count }
  let byRemainder = members.indices.sorted {
    (remainders[$0], $1) > (remainders[$1], $0)
  }
  for label in byRemainder.prefix(wanted - shares.reduce(0, +)) { shares[label] += 1 }

  var taken: [Int] = []
  for (label, share) in shares.enumerated() {
    // A stream per class: images added to one class leave the draw of the others alone.
    var stream = RandomStream(drawingClass: UInt64(label), seed: seed)
    var pool = members[label]
    for position in 0..<share {
      let other = position + stream.evenInteger(below: pool.count - position)
      pool.swapAt(position, other)
    }
    taken += pool.prefix(share)
  }
  return taken.sorted()
}

extension RandomStream {
  /// The stream that draws the images of a class.
  ///
  /// It is not keyed as other streams are: a seed stands for the same images in figures recorded before there were
  /// keys.
  fileprivate init(drawingClass label: UInt64, seed: UInt64) {
    self.init(state: label == 0 ? seed : Self.mix(seed &+ Self.mix(label)))
  }

  /// The next integer in 0 ..< bound, each equally likely.
  fileprivate mutating func evenInteger(below bound: Int) -> Int {
    let bound = UInt64(bound)
    // Draws under 2^64 mod bound are thrown away: the rest is a multiple of the bound.
    let floor = (0 &- bound) % bound
    while true {
      let draw = next()
      if draw >= floor { return Int(draw % bound) }
    }
  }
}
