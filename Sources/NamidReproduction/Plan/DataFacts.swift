import Foundation
import NamidData
import NamidTraining

/// Facts about a data set that a plan needs.
package struct DataFacts: Hashable, Sendable {
  /// The title of the set as published.
  package var title: String
  /// A digest of the test images; nil where the set is not here.
  package var identity: String?
  /// Training images.
  package var trainCount: Int
  /// Test images.
  package var testCount: Int
  /// Classes.
  package var classCount: Int
  /// Channels, height and width.
  package var shape: [Int]
  /// The problem that prevents the use of the data set; nil for none.
  package var problem: String?

  /// Known facts.
  package init(
    title: String, identity: String?, trainCount: Int, testCount: Int, classCount: Int,
    shape: [Int], problem: String? = nil
  ) {
    self.title = title
    self.identity = identity
    self.trainCount = trainCount
    self.testCount = testCount
    self.classCount = classCount
    self.shape = shape
    self.problem = problem
  }

  /// Looks at a set; where it is not here, what is known of the published one and why it cannot be used.
  ///
  /// The test images of a published set stand for the whole: two copies that differ, differ in both parts. One's own
  /// images may change in one part alone.
  ///
  /// - Parameters:
  ///   - name: The set's name.
  ///   - directory: The data directory.
  ///   - catalog: The sets that there are.
  /// - Throws: `DatasetError` for a name that no set has.
  package init(of name: String, in directory: URL, catalog: Catalog) throws {
    let source = try catalog.dataset(name)
    do {
      let test = try source.load(.test, in: directory)
      let published = source.expectedCounts[.train]
      let own =
        published == nil ? try source.load(.train, in: directory) : nil
      let identity = [test.fingerprint] + (own.map { [$0.fingerprint] } ?? [])
      self.init(
        title: source.title, identity: identity.joined(separator: " "),
        trainCount: published ?? own?.count ?? 0, testCount: test.count,
        classCount: test.classNames.count, shape: [test.channels, test.height, test.width])
    } catch {
      let shape = Self.published[name] ?? (classCount: 10, shape: [3, 32, 32])
      self.init(
        title: source.title, identity: nil,
        trainCount: source.expectedCounts[.train] ?? 0,
        testCount: source.expectedCounts[.test] ?? 0,
        classCount: shape.classCount, shape: shape.shape, problem: "\(error)")
    }
  }

  private static let published: [String: (classCount: Int, shape: [Int])] = [
    "cifar10": (10, [3, 32, 32]), "fashion-mnist": (10, [1, 28, 28]),
    "cifar100": (100, [3, 32, 32]), "cifar100-coarse": (20, [3, 32, 32]),
    "svhn": (10, [3, 32, 32]),
    "tiny-imagenet": (200, [3, 64, 64]),
  ]

  /// Bytes of the images in memory.
  var bytes: Int { (trainCount + testCount) * shape.reduce(1, *) }
}
