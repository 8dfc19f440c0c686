import Foundation
import NamidTestSupport
import Testing
@testable import NamidFiles

@Suite struct EventFileTests {
  /// The examples of RFC 3720, §B.4, and the usual check value.
  @Test func checksumsMatchTheirStandard() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
    #expect(CRC32C.checksum((0..<32).reversed()) == 0x113F_DB5C)
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
  }

  @Test func scalarsReadBack() throws {
    try withTemporaryFolder { folder in
      let file = try EventFile(folder: folder)
      try file.append(step: 0, [(tag: "train/loss", value: 1.5)])
      try file.append(step: 300, [(tag: "a", value: -0.25), (tag: "b", value: .infinity)])
      try file.append(step: 5_000_000_000, [(tag: "ü", value: .nan)])
      let events = try EventReader.events(of: file.url)
      #expect(events.map(\.version) == ["brain.Event:2", nil, nil, nil])
      #expect(events.map(\.step) == [nil, 0, 300, 5_000_000_000])
      #expect(events[1].scalars.map(\.tag) == ["train/loss"])
      #expect(events[1].scalars[0].value == 1.5)
      #expect(events[2].scalars.map(\.tag) == ["a", "b"])
      #expect(events[2].scalars.map(\.value) == [-0.25, .infinity])
      #expect(events[3].scalars[0].tag == "ü")
      #expect(events[3].scalars[0].value.isNaN)
      let now = Date().timeIntervalSince1970
      #expect(events.allSatisfy { $0.wallTime > now - 86400 && $0.wallTime <= now })
      #expect(events.allSatisfy { !$0.startsSession })
    }
  }

  @Test func aResumeTellsReadersToDropLaterSteps() throws {
    try withTemporaryFolder { folder in
      let first = try EventFile(folder: folder)
      let second = try EventFile(folder: folder, resumingAfter: 300)
      #expect(first.url != second.url)
      let events = try EventReader.events(of: second.url)
      #expect(events.map(\.step) == [nil, 301])
      #expect(events.map(\.startsSession) == [false, true])
    }
  }

  @Test func namesFollowThePattern() throws {
    try withTemporaryFolder { folder in
      let name = try EventFile(folder: folder).url.lastPathComponent
      let pattern = try Regex("events\\.out\\.tfevents\\.\\d{10}\\..+\\.\(getpid())\\.\\d+")
      #expect(try pattern.wholeMatch(in: name) != nil)
    }
  }

  /// Readers take the files of a folder in the order of their names.
  @Test func namesSortInTheOrderOfCreation() throws {
    try withTemporaryFolder { folder in
      let files = try (0..<5).map { _ in try EventFile(folder: folder).url.lastPathComponent }
      #expect(files == files.sorted())
      // The clock went back by years, and somebody else's file stands beside them.
      let late = "events.out.tfevents.4000000000.host.1.0"
      for name in [late, "events.out.tfevents.99999999999999999999.x", "events.out.tfevents."] {
        try Data().write(to: folder.appending(path: name))
      }
      let next = try EventFile(folder: folder).url.lastPathComponent
      #expect(next.hasPrefix("events.out.tfevents.4000000001.") && late < next)
    }
  }

  @Test func aMissingFolderIsAnError() {
    #expect(throws: FileError.self) { try EventFile(folder: URL(filePath: "/nowhere/at/all")) }
  }
}

/// Decodes event files by the rules of record files and protocol buffers, apart from the writer.
private struct EventReader {
  struct Event {
    var wallTime = 0.0
    var step: Int?
    var version: String?
    var scalars: [(tag: String, value: Float)] = []
    var startsSession = false
  }

  private struct Malformed: Error {}
  private var rest: ArraySlice<UInt8>

  static func events(of url: URL) throws -> [Event] {
    var reader = EventReader(rest: try Data(contentsOf: url)[...].map { $0 }[...])
    var events: [Event] = []
    while !reader.rest.isEmpty {
      let header = try reader.take(8)
      guard try reader.number(4) == mask(header) else { throw Malformed() }
      var headerReader = EventReader(rest: header)
      let body = try reader.take(Int(headerReader.number(8)))
      guard try reader.number(4) == mask(body) else { throw Malformed() }
      events.append(try event(of: body))
    }
    return events
  }

  private static func event(of body: ArraySlice<UInt8>) throws -> Event {
    var event = Event()
    for field in try fields(of: body) {
      switch field.number {
      case 1: event.wallTime = Double(bitPattern: field.bits)
      case 2: event.step = Int(field.bits)
      case 3: event.version = String(decoding: field.bytes, as: UTF8.self)
      case 5:
        for value in try fields(of: field.bytes) where value.number == 1 {
          let parts = try fields(of: value.bytes)
          guard parts.map(\.number) == [1, 2] else { throw Malformed() }
          let tag = String(decoding: parts[0].bytes, as: UTF8.self)
          event.scalars.append((tag, Float(bitPattern: UInt32(parts[1].bits))))
        }
      case 7:
        let log = try fields(of: field.bytes)
        event.startsSession = log.map(\.number) == [1] && log[0].bits == 1
      default: throw Malformed()
      }
    }
    return event
  }

  private static func fields(
    of body: ArraySlice<UInt8>
  ) throws -> [(number: UInt64, bits: UInt64, bytes: ArraySlice<UInt8>)] {
    var reader = EventReader(rest: body)
    var fields: [(number: UInt64, bits: UInt64, bytes: ArraySlice<UInt8>)] = []
    while !reader.rest.isEmpty {
      let key = try reader.varint()
      switch key & 7 {
      case 0: fields.append((key >> 3, try reader.varint(), []))
      case 1: fields.append((key >> 3, try reader.number(8), []))
      case 2: fields.append((key >> 3, 0, try reader.take(Int(reader.varint()))))
      case 5: fields.append((key >> 3, try reader.number(4), []))
      default: throw Malformed()
      }
    }
    return fields
  }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw Malformed() }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private mutating func number(_ count: Int) throws -> UInt64 {
    try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = try take(1).first {
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw Malformed()
  }

  /// The checksum bit by bit, without a table, and its mask.
  private static func mask(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = (sum >> 1) ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    sum = ~sum
    return UInt64((sum >> 15 | sum << 17) &+ 0xA282_EAD8)
  }
}
