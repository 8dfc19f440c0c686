import Dispatch
import Foundation

/// Decodes image files of one size into one block, on all cores.
///
/// Without a size the first file gives it. The pixels are RGB values in the order N, H, W, C. The error names the file
/// that is corrupt or of another size; where there are several, it counts them and names the first in the given order.
func decodeAll(
  _ files: [URL], size: (height: Int, width: Int)? = nil
) throws -> (pixels: [UInt8], height: Int, width: Int) {
  guard let first = files.first else {
    throw DatasetError.empty(place: "a list of files", expected: "images")
  }
  let (height, width) = try size ?? decodeFile(first) { _, height, width in (height, width) }
  try requireMemory(forImages: files.count, height: height, width: width)
  let size = (height: height, width: width, reference: size == nil ? first : nil)
  let bytes = height * width * 3
  let pixels = try [UInt8](unsafeUninitializedCapacity: files.count * bytes) { buffer, filled in
    // Each piece of work writes its own stretch of the buffer and its own slot for failures.
    let perPiece = 256
    let pieces = (files.count + perPiece - 1) / perPiece
    let failures = UnsafeMutableBufferPointer<DecodingFailures>.allocate(capacity: pieces)
    failures.initialize(repeating: DecodingFailures())
    defer {
      failures.deinitialize()
      failures.deallocate()
    }
    nonisolated(unsafe) let target = buffer
    nonisolated(unsafe) let slots = failures
    DispatchQueue.concurrentPerform(iterations: pieces) { piece in
      for index in (piece * perPiece)..<min((piece + 1) * perPiece, files.count) {
        let place = (index * bytes)..<((index + 1) * bytes)
        do {
          try decode(
            files[index], as: size, into: UnsafeMutableBufferPointer(rebasing: target[place]))
        } catch {
          slots[piece].add(error)
        }
      }
    }
    try failures.reduce(into: DecodingFailures()) { $0.add($1) }.throwIfAny()
    filled = files.count * bytes
  }
  return (pixels, height, width)
}

/// Refuses a set that this machine cannot hold, before any memory is asked for.
func requireMemory(forImages count: Int, height: Int, width: Int) throws {
  let size = height * width * 3
  let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
  guard count <= memory / size else {
    throw DatasetError.tooLarge(
      what: "\(count) images of \(height)×\(width)",
      bytes: count.multipliedReportingOverflow(by: size).partialValue, available: memory)
  }
}

/// Decodes one file, with errors that name it.
func decodeFile<Result>(
  _ file: URL, body: (UnsafeBufferPointer<UInt8>, _ height: Int, _ width: Int) throws -> Result
) throws -> Result {
  let data = try Files.read(file, limit: 1 << 28)
  do {
    return try withDecodedImage(data, body: body)
  } catch let error as ImagingError {
    throw DatasetError.corruptImage(file: file.path, reason: error.description)
  }
}

private func decode(
  _ file: URL, as size: (height: Int, width: Int, reference: URL?),
  into target: UnsafeMutableBufferPointer<UInt8>
) throws {
  try decodeFile(file) { image, height, width in
    guard height == size.height, width == size.width else {
      let expected = "\(size.height)×\(size.width)"
      guard let reference = size.reference else {
        throw DatasetError.corruptImage(
          file: file.path, reason: "it has \(height)×\(width) pixels, not \(expected)")
      }
      throw DatasetError.mixedSizes(
        file: file.path, found: "\(height)×\(width)", expected: expected,
        reference: reference.path)
    }
    _ = target.update(fromContentsOf: image)
  }
}

/// The files that failed: their number, and the reasons of the first.
private struct DecodingFailures {
  private var count = 0
  private var first: [any Error] = []

  private static let named = 10

  mutating func add(_ error: any Error) {
    count += 1
    if first.count < Self.named { first.append(error) }
  }

  mutating func add(_ other: DecodingFailures) {
    count += other.count
    first += other.first.prefix(Self.named - first.count)
  }

  func throwIfAny() throws {
    guard let single = first.first else { return }
    guard count > 1 else { throw single }
    throw DatasetError.unusableImages(
      count: count, first: first.map { ($0 as? DatasetError)?.brief ?? "\($0)" })
  }
}
