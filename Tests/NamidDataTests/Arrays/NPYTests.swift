import Foundation
import NamidTestSupport
import Testing

@testable import NamidFiles

/// Arrays that NumPy wrote (`Tests/Golden/make-data-fixtures.py`), and damaged ones.
struct NPYTests {
  private struct Expected: Decodable {
    var shape: [Int]
    var values: [Double]
  }

  private static let expected = Result {
    try Golden.json("data/npy/npy", as: [String: Expected].self)
  }

  private static func file(_ name: String) -> URL { Golden.url("data/npy/\(name).npy") }

  @Test func everyTypeOrderAndVersionIsReadAsNumPyReadsIt() throws {
    let expected = try Self.expected.get()
    #expect(expected.count > 20)
    for (name, array) in expected {
      let read = try NPYArray(Self.file(name))
      #expect(read.shape == array.shape, "\(name)")
      #expect(try read.doubles() == array.values, "\(name)")
      #expect(read.count == array.values.count)
      if read.element.title.contains("int") {
        #expect(try read.integers() == array.values.map { Int($0) }, "\(name)")
      } else {
        #expect(try read.integers() == nil, "\(name)")
      }
    }
  }

  @Test(arguments: ["c-f4", "fortran-u1", "fortran-big-i4", "big-f8"])
  func rowsAreReadAlone(_ name: String) throws {
    let array = try NPYArray(Self.file(name))
    let all = try array.bytes()
    let row = all.count / array.shape[0]
    for first in 0..<array.shape[0] {
      for end in first...array.shape[0] {
        #expect(try array.bytes(rows: first..<end) == Array(all[first * row..<end * row]))
      }
    }
  }

  @Test(arguments: [
    ("object", "pickled objects"), ("records", "records"), ("complex", "<c8"), ("text", "<U2"),
  ])
  func otherTypesAreRefused(_ name: String, _ word: String) {
    let text = message { _ = try NPYArray(Self.file(name)) }
    #expect(text?.contains(word) == true, "\(text ?? "read")")
  }

  @Test func aFileCutAnywhereIsRefused() throws {
    for name in ["c-f8", "version-2", "scalar"] {
      let whole = [UInt8](try Data(contentsOf: Self.file(name)))
      for length in whole.indices {
        #expect(throws: NPYError.self, "\(name) cut after \(length)") {
          try NPYArray(Array(whole.prefix(length)), named: name)
        }
      }
      #expect(throws: NPYError.self) { try NPYArray(whole + [0], named: name) }
    }
  }

  @Test func damagedFilesEndInAnErrorOrNumbers() throws {
    let whole = [UInt8](try Data(contentsOf: Self.file("fortran-f8")))
    for position in whole.indices {
      for change: UInt8 in [1, 0x55, 0xFF] {
        var damaged = whole
        damaged[position] ^= change
        do {
          let array = try NPYArray(damaged, named: "x")
          #expect(try array.doubles().count == array.count)
        } catch let error as NPYError {
          #expect(!error.reason.isEmpty)
        }
      }
    }
  }

  /// A file of version 1 with a dictionary and as many bytes.
  private func file(_ dictionary: String, bytes: Int) -> [UInt8] {
    [0x93] + Array("NUMPY".utf8) + [1, 0] + littleEndian(dictionary.utf8.count, 2)
      + Array(dictionary.utf8) + [UInt8](repeating: 1, count: bytes)
  }

  @Test(arguments: [
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952,)}", 0),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}", 8),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", 8),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", 8),
    ("{'descr': '<f8', 'fortran_order': False, 'shape': (1)}; import os", 8),
    ("{'descr': '<f8', 'fortran_order': open('x'), 'shape': (1,)}", 8),
    ("{'descr': '<f8', 'fortran_order': False}", 8),
    ("{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 8),
    ("{'descr': '\\x3cf8', 'fortran_order': False, 'shape': (1,)}", 8), ("{", 8), ("", 8),
  ])
  func hostileHeadsAreRefused(_ head: String, _ bytes: Int) {
    #expect(throws: NPYError.self) { try NPYArray(file(head, bytes: bytes), named: "x") }
  }

  @Test func spacesAndLongNumbersOfPython2AreRead() throws {
    let head = "{ \"shape\" :( 2L ,),'fortran_order':True , 'descr':'|u1' }  \n"
    #expect(try NPYArray(file(head, bytes: 2), named: "x").doubles() == [1, 1])
  }

  @Test func whatIsWrittenIsNumPysFileByteForByte() throws {
    try withTemporaryFolder { folder in
      let place = folder.appending(path: "x.npy")
      let (floats, integers) = (try NPYArray(Self.file("c-f4")), try NPYArray(Self.file("c-i8")))
      try AtomicFile.write(to: place) {
        try NPYArray.write(floats.doubles().map { Float($0) }, shape: floats.shape, to: $0)
      }
      #expect(try Data(contentsOf: place) == Data(contentsOf: Self.file("c-f4")))
      try AtomicFile.write(to: place) {
        try NPYArray.write(
          integers.doubles().map { Int64($0) }, shape: integers.shape, to: $0)
      }
      #expect(try Data(contentsOf: place) == Data(contentsOf: Self.file("c-i8")))
      try AtomicFile.write(to: place) { try NPYArray.write([Float](), shape: [0, 3], to: $0) }
      #expect(try Data(contentsOf: place) == Data(contentsOf: Self.file("empty")))
    }
  }
}
