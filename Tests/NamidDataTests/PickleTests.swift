import Foundation
import NamidTestSupport
import Testing

@testable import NamidData

/// Hostile and unusual pickles, through the reader of CIFAR-10's Python layout.
struct PickleTests {
  private let size = 3 * 32 * 32

  /// Reads bytes as the test batch with one image.
  private func read(_ bytes: [UInt8]) throws -> Result<ImageSet, DatasetError> {
    var result: Result<ImageSet, DatasetError>?
    try withTemporaryFolder { folder in
      try folder.write(bytes, to: "test_batch")
      result = Result { () throws(DatasetError) in
        do {
          return try CIFARPython.read(folder, split: .test, imagesPerBatch: 1)
        } catch let error as DatasetError {
          throw error
        } catch {
          throw .unreadable(file: "an error of another type", reason: "\(error)")
        }
      }
    }
    return try #require(result)
  }

  private func error(_ bytes: [UInt8]) throws -> DatasetError? {
    switch try read(bytes) {
    case .success: nil
    case .failure(let error): error
    }
  }

  private func batch(_ data: [UInt8], labels: [UInt8]? = nil) -> [UInt8] {
    PickleWriter.dictionary([("labels", labels ?? PickleWriter.labels([4])), ("data", data)])
  }

  private var image: [UInt8] { pattern(image: 2, count: size) }
  private var array: [UInt8] { PickleWriter.array(shape: [1, size], data: image) }

  @Test func aWellFormedBatchIsRead() throws {
    let set = try read(batch(array)).get()
    #expect(set.labels == [4])
    #expect(planes(of: set.pixels) == image)
  }

  @Test(arguments: [
    ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("__builtin__", "getattr"),
    ("subprocess", "Popen"), ("numpy.core.multiarray", "fromfile"), ("numpy", "load"),
  ])
  func everyOtherNameIsRefusedByName(_ module: String, _ name: String) throws {
    let call =
      PickleWriter.global(module, name) + PickleWriter.string("touch /tmp/owned") + [0x85]
      + Array("R".utf8)
    guard case .refused(_, "\(module).\(name)")? = try error(batch(call)) else {
      Issue.record("\(module).\(name) was not refused")
      return
    }
    // Not even where the value is thrown away.
    #expect(try error([0x80, 2] + call + Array("0".utf8) + batch(array)) != nil)
  }

  @Test func knownNamesAreCalledOnlyAsArraysNeedThem() throws {
    let dtypeOfNothing = PickleWriter.global("numpy", "dtype") + Array(")R".utf8)
    let reconstructed =
      PickleWriter.global("numpy.core.multiarray", "_reconstruct")
      + PickleWriter.global("numpy", "dtype") + [0x85] + Array("R".utf8)
    let calledArray = PickleWriter.global("numpy", "ndarray") + Array(")R".utf8)
    for call in [dtypeOfNothing, reconstructed, calledArray, Array("K\u{1})R".utf8)] {
      guard case .refused? = try error(batch(call)) else {
        Issue.record("an unusual call was not refused")
        continue
      }
    }
  }

  @Test(arguments: [0x82, 0x83, 0x84, 0x97, 0x98, 0xFF, 0x00] as [UInt8])
  func operationsThatDataDoesNotNeedAreRefused(_ code: UInt8) throws {
    guard case .foreign(_, _, let found)? = try error([0x80, 2, code, 1, 2, 3, 4]) else {
      Issue.record("operation \(code) was taken")
      return
    }
    #expect(found.contains("at byte 2"))
  }

  @Test func newerProtocolsAreReadAsFarAsTheyAreKnown() throws {
    #expect(try read([0x80, 4] + batch(array).dropFirst(2)).get().labels == [4])
    guard case .foreign(_, _, "protocol 6")? = try error([0x80, 6] + batch(array)) else {
      Issue.record("protocol 6 was taken")
      return
    }
  }

  @Test(
    arguments: [
      [0x54, 0xFF, 0xFF, 0xFF, 0xFF], [0x54, 0xFF, 0xFF, 0xFF, 0x7F],
      [0x58, 0xFF, 0xFF, 0xFF, 0xFF],
      [0x55, 0xFF], [0x8A, 0xFF],
    ] as [[UInt8]])
  func hugeLengthsAskForNoMemory(_ operation: [UInt8]) throws {
    guard case .truncated? = try error([0x80, 2] + operation) else {
      Issue.record("a length behind the end was taken")
      return
    }
  }

  @Test func malformedStacksAreErrors() throws {
    let bad: [[UInt8]] = [
      Array(".".utf8), Array("t.".utf8), Array("0.".utf8), Array("u.".utf8), Array("K\u{1}a.".utf8),
      Array("](K\u{1}s.".utf8), Array("}K\u{1}u.".utf8), Array("}(K\u{1}u.".utf8),
      Array("h\u{9}.".utf8), Array("g7\n.".utf8), Array("(.".utf8), Array("Nb.".utf8),
      Array("N)b.".utf8), Array("Ix\n.".utf8), Array("Sx\n.".utf8), Array("S'\\q'\n.".utf8),
      Array("N.".utf8), Array("].".utf8), Array("}.".utf8), [0x85], [0x87, 0x2E],
      [0x8A, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x2E],
    ]
    for pickle in bad { #expect(try error([0x80, 2] + pickle) != nil, "\(pickle)") }
  }

  @Test func deepNestingAndCyclesAreHarmless() throws {
    let deep = Array("N".utf8) + [UInt8](repeating: 0x85, count: 300_000)
    let opened = [UInt8](repeating: UInt8(ascii: "]"), count: 200_000)
    let nested = opened + [UInt8](repeating: UInt8(ascii: "a"), count: 199_999)
    let cycle = Array("]q\u{5}h\u{5}a".utf8)
    for value in [deep, nested, cycle] {
      #expect(try error(batch(value)) != nil)  // the data is no array
      let spare = PickleWriter.dictionary([
        ("spare", value), ("labels", PickleWriter.labels([4])), ("data", array),
      ])
      #expect(try read(spare).get().labels == [4])
    }
  }

  @Test func endlessOperationsAreRefused() throws {
    let many = [UInt8](repeating: UInt8(ascii: "("), count: 2_100_000)
    guard case .refused? = try error([0x80, 2] + many) else {
      Issue.record("two million marks were taken")
      return
    }
  }

  @Test func arraysMustBeRowsOfUnsignedBytes() throws {
    let bad = [
      PickleWriter.array(shape: [1, size], data: image, dtype: "f4"),
      PickleWriter.array(shape: [1, size], data: image, columnsFirst: true),
      PickleWriter.array(shape: [1, size + 1], data: image),
      PickleWriter.array(shape: [size], data: image),
      PickleWriter.array(shape: [-1, -size], data: image),
      PickleWriter.array(shape: [3, size / 3], data: image),
      PickleWriter.array(
        shape: [Int(Int32.max), Int(Int32.max), Int(Int32.max), 8], data: image),
      PickleWriter.string("not an array"),
      Array("N".utf8),
    ]
    for value in bad {
      guard case .foreign? = try error(batch(value)) else {
        Issue.record("\(value.count) bytes that are no image array were taken")
        continue
      }
    }
  }

  @Test func countsMustAgree() throws {
    guard case .wrongCount(_, 1, 2)? = try error(batch(array, labels: PickleWriter.labels([1, 2])))
    else {
      Issue.record("two labels for one image were taken")
      return
    }
    let two = PickleWriter.array(shape: [2, size], data: image + image)
    guard case .wrongCount(_, 1, 2)? = try error(batch(two)) else {
      Issue.record("two images for one label were taken")
      return
    }
    guard case .foreign? = try error(PickleWriter.dictionary([("data", array)])) else {
      Issue.record("a batch without labels was taken")
      return
    }
    #expect(try error(batch(array) + [0]) != nil)  // bytes after the end
  }

  @Test func protocolZeroIsRead() throws {
    // The same batch as text: data as a quoted string with escapes, labels as written integers.
    let quoted = image.map { byte -> String in
      switch byte {
      case 39: "\\'"
      case 92: "\\\\"
      case 10: "\\n"
      case 13: "\\r"
      case 9: "\\t"
      case 32..<127: String(UnicodeScalar(byte))
      default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }.joined()
    let text = """
      (dp0
      S'labels'
      p1
      (lp2
      I4
      asS'data'
      p3
      cnumpy.core.multiarray
      _reconstruct
      p4
      (cnumpy
      ndarray
      p5
      (I0
      tp6
      S'b'
      p7
      tp8
      Rp9
      (I1
      (I1
      L3072L
      tp10
      cnumpy
      dtype
      p11
      (S'u1'
      p12
      I0
      I1
      tp13
      Rp14
      (I3
      S'|'
      p15
      NNNI-1
      I-1
      I0
      tp16
      bI00
      S'\(quoted)'
      p17
      tp18
      bs.
      """
    let set = try read(Array(text.utf8)).get()
    #expect(set.labels == [4])
    #expect(planes(of: set.pixels) == image)
  }
}
