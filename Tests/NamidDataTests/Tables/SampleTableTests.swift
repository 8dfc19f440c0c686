import Foundation
import NamidTestSupport
import NamidTorch
import Testing

@testable import NamidData

@Suite(.serialized) struct SampleTableTests {
  /// Reads a file with these bytes; the message where that fails.
  func read(_ data: Data, _ name: String = "x.csv") throws -> SampleTable {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: name)
      try data.write(to: url)
      return try SampleTable(contentsOf: url)
    }
  }

  func message(_ text: String, _ name: String = "x.csv") -> String {
    do {
      return "read \(try read(Data(text.utf8), name).values.shape)"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    "1,2\n3,4\n5,7\n", "1;2\r\n3;4\r\n5;7", "a,b\n1, 2\n\n 3,4\n5 ,7\n\n",
    "\n\"X\",\"Y\"\n1,2\n3,4\n5,7",
  ])
  func numbersAreRead(_ text: String) throws {
    let table = try read(Data(text.utf8))
    #expect(table.values.shape == [3, 2] && table.count == 3)
    #expect(table.values.array(of: Double.self) == [1, 2, 3, 4, 5, 7])
  }

  @Test func tabsAndExponentsAreRead() throws {
    let table = try read(Data("1e-3\t-2\n.5\t+4e2".utf8), "x.tsv")
    #expect(table.values.array(of: Double.self) == [1e-3, -2, 0.5, 400])
  }

  @Test func columnsAreChosenByName() throws {
    let table = try read(Data("X0,Y0,x1\n1,2,3\n4,5,6\n".utf8))
    let x = try #require(table.columns(beginningWith: "x"))
    #expect(x.names == ["X0", "x1"] && x.values.array(of: Double.self) == [1, 3, 4, 6])
    #expect(table.columns(beginningWith: "q") == nil)
    #expect(try read(Data("1,2\n3,4".utf8)).columns(beginningWith: "x") == nil)
  }

  @Test func whatIsWrongIsNamedByLineAndColumn() {
    #expect(message("a,b\n1,2\n3,x7\n").contains("line 3, column 2 (b): \"x7\" is not a number"))
    #expect(message("1,2\n3,\n").contains("line 2, column 2: \"\" is not a number"))
    #expect(message("1,2\n\n3,4,5\n").contains("line 3: 3 cells, where the lines before have 2"))
    #expect(message("1,2\n3,nan\n").contains("row 2, column 2: not a finite number"))
    #expect(message("1,2\ninf,3\n").contains("row 2, column 1: not a finite"))
    #expect(message("X0,X1\n1,2\n1,3\n").contains("column 1 (X0) has the same value"))
    for text in ["", "\n\n", "X0,Y0\n"] { #expect(message(text).contains("no rows"), "\(text)") }
    #expect(message("1", "x.xlsx").contains(".csv, .tsv, .npy or .safetensors"))
  }

  /// A file as numpy.save writes it.
  func npy(_ header: String, _ body: Data) -> Data {
    let text = Data((header + "\n").utf8)
    return Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, UInt8(text.count), 0]) + text + body
  }

  @Test func arraysOfNumPyAreRead() throws {
    let doubles = [1.0, 2, 3, 4, 5, 7].withUnsafeBytes { Data($0) }
    let table = try read(
      npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", doubles), "x.npy")
    #expect(table.values.shape == [3, 2])
    #expect(table.values.array(of: Double.self) == [1, 2, 3, 4, 5, 7])
    let integers = [Int64(-1), 5].withUnsafeBytes { Data($0) }
    let vector = try read(
      npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", integers), "x.npy")
    #expect(vector.values.shape == [2, 1] && vector.values.array(of: Double.self) == [-1, 5])
  }

  @Test func badArraysAreRefused() {
    func message(_ data: Data) -> String {
      do {
        return "read \(try read(data, "x.npy").values.shape)"
      } catch {
        return "\(error)"
      }
    }
    let body = Data(count: 48)
    let shape = "'fortran_order': False, 'shape':"
    #expect(message(Data("hello, world".utf8)).contains("no NumPy header"))
    #expect(
      message(npy("{'descr': '<f8', \(shape) (3, 3), }", body)).contains("9 numbers of 8 bytes"))
    #expect(message(npy("{'descr': '<f8', \(shape) (3, 2, 1), }", body)).contains("rank 1 or 2"))
    #expect(message(npy("{'descr': '<c16', \(shape) (3, 1), }", body)).contains("<c16"))
    #expect(
      message(npy("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }", body))
        .contains("the same value in every row"))
    #expect(
      message(npy("{'descr': '<f8', \(shape) (4294967296, 4294967296), }", body)).contains(": "))
    // 2⁶⁰ numbers of 8 bytes are more bytes than an Int can count.
    #expect(
      message(npy("{'descr': '<f8', \(shape) (1073741824, 1073741824), }", body))
        .contains("1152921504606846976 numbers of 8 bytes"))
    #expect(message(npy("{'descr': '<f8', \(shape) (2, 2), }", body)).contains("48 bytes"))
    #expect(
      message(Data([0x93]) + Data("NUMPY".utf8) + Data([2, 0, 255, 255, 255, 255, 0, 0]))
        .contains("header of"))
  }

  @Test func oneTensorOfSafetensorsIsRead() throws {
    try withTemporaryFolder { folder in
      let url = folder.appending(path: "table.safetensors")
      let values = Tensor([Float(1), 2, 3, 5], shape: [2, 2])
      try Weights.write([(name: "x", tensor: values)], metadata: [:], to: url)
      #expect(try SampleTable(contentsOf: url).values.array(of: Double.self) == [1, 2, 3, 5])
      try Weights.write(
        [(name: "x", tensor: values), (name: "y", tensor: values)], metadata: [:], to: url)
      #expect(throws: SampleTableError.self) { try SampleTable(contentsOf: url) }
    }
  }
}
