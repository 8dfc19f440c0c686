import Foundation
import NamidFiles
import NamidTerminal

/// Decoded images in one file, so that a set of very many files is decoded once.
///
/// The file is 256 bytes of text, which name the files that the pixels came from, and then the
/// pixels as they lie in memory. What it must be is known before it is opened: nothing in it says
/// how much to read, and a file that is another in any way is made anew.
struct PixelCache {
  /// The digest of the files that the images come from.
  let key: String
  let count: Int
  let height: Int
  let width: Int

  /// The reason for which a file gives no pixels.
  enum Fault: Error, Equatable {
    case absent
    case unusable(String)
  }

  static let headerLength = 256
  private static let mark = "namid pixels 1\n"

  private var byteCount: Int { count * height * width * 3 }

  /// Takes the pixels out of the first place that has them, or decodes them.
  ///
  /// Decoded ones are kept in the first place that can be written; a cache that cannot be kept is only told.
  func pixels(
    in places: [URL], of title: String, say: (String) -> Void, decode: () throws -> [UInt8]
  ) throws -> [UInt8] {
    try requireMemory(forImages: count, height: height, width: width)
    for place in places {
      do {
        return try read(place)
      } catch Fault.unusable(let reason) {
        say("\(title): \(place.path) \(reason); it is not used")
      } catch Fault.absent {
        continue
      }
    }
    say("\(title): decoding \(thousands(count)) images; later they come from a cache")
    let pixels = try decode()
    for place in places {
      do {
        try write(pixels, to: place)
        say("\(title): the decoded images are kept in \(place.path)")
        break
      } catch {
        say("\(title): the decoded images are not kept: \(error)")
      }
    }
    return pixels
  }

  // MARK: - The file

  private func header(fingerprint: String) -> [UInt8] {
    let text = """
      \(Self.mark)files \(key)
      images \(count) of \(height)x\(width)x3
      fingerprint \(fingerprint)

      """
    let bytes = Array(text.utf8)
    return bytes
      + [UInt8](repeating: UInt8(ascii: "\n"), count: max(0, Self.headerLength - bytes.count))
  }

  /// Writes the file aside and then gives it its name.
  func write(_ pixels: [UInt8], to file: URL) throws {
    precondition(pixels.count == byteCount, "\(pixels.count) values for \(byteCount)")
    try createFolder(at: file.deletingLastPathComponent())
    try AtomicFile.write(to: file) { writer in
      try writer.write(Data(header(fingerprint: Self.fingerprint(pixels))))
      try pixels.withUnsafeBytes { try writer.write($0) }
    }
  }

  /// Reads the pixels straight into the array that is given back.
  func read(_ file: URL) throws -> [UInt8] {
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw Fault.absent }
      throw Fault.unusable("cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    let header = try headerOfThese(descriptor)
    var status = stat()
    let expected = Self.headerLength + byteCount
    guard fstat(descriptor, &status) == 0, Int(status.st_size) == expected else {
      throw Fault.unusable(
        "is cut short or damaged: expected \(expected) bytes, found \(status.st_size)")
    }
    let pixels = try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
      filled = Self.fill(UnsafeMutableRawBufferPointer(buffer), from: descriptor)
      guard filled == byteCount else { throw Fault.unusable("cannot be read to its end") }
    }
    guard header == self.header(fingerprint: Self.fingerprint(pixels)) else {
      throw Fault.unusable("is damaged: its pixels are not those that were written")
    }
    return pixels
  }

  /// The header, if it is one of a cache of these files.
  private func headerOfThese(_ descriptor: Int32) throws -> [UInt8] {
    let found = [UInt8](unsafeUninitializedCapacity: Self.headerLength) { buffer, filled in
      filled = Self.fill(UnsafeMutableRawBufferPointer(buffer), from: descriptor)
    }
    guard found.starts(with: Self.mark.utf8) else {
      throw Fault.unusable("is no cache of decoded images")
    }
    let expected = header(fingerprint: String(repeating: "0", count: 16))
    let lines = { (bytes: [UInt8]) in bytes.split(separator: UInt8(ascii: "\n")).prefix(3) }
    guard found.count == Self.headerLength, lines(found) == lines(expected) else {
      throw Fault.unusable("was made from other files, or from these before they changed")
    }
    return found
  }

  private static func fingerprint(_ pixels: [UInt8]) -> String {
    var hash = Fingerprint()
    pixels.withUnsafeBytes { hash.add($0) }
    return hash.hex
  }

  /// Reads until the buffer is full or the file is at its end; gives the number of bytes.
  private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Int {
    var rest = buffer[...]
    while !rest.isEmpty {
      // The system gives at most 2 GiB at once.
      let piece = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let count = Foundation.read(descriptor, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      rest = rest.dropFirst(count)
    }
    return buffer.count - rest.count
  }
}
