import Dispatch
import Foundation

/// Decoded files in one block: RGB values in the order N, H, W, C.
struct DecodedFiles {
  var pixels: [UInt8]
  var height: Int
  var width: Int
  var notes: DecodingNotes
}

/// Decodes image files of one size into one block, on all cores.
///
/// Without a size the first file that can be decoded gives it; images that the preparation scales have its size. The
/// error names the file that is corrupt or of another size; where there are several, it counts them and names the first
/// in the given order.
func decodeAll(
  _ files: [URL], size: (height: Int, width: Int)? = nil,
  preparation: ImagePreparation = ImagePreparation()
) throws -> DecodedFiles {
  guard !files.isEmpty else {
    throw DatasetError.empty(place: "a list of files", expected: "images")
  }
  let size = try expectedSize(of: files, size, preparation)
  let (height, width) = (size.height, size.width)
  try requireMemory(forImages: files.count, height: height, width: width)
  let bytes = height * width * 3
  var notes = DecodingNotes()
  let pixels = try [UInt8](unsafeUninitializedCapacity: files.count * bytes) { buffer, filled in
    // Each piece of work writes its own stretch of the buffer and its own slot for failures.
    let perPiece = 256
    let pieces = (files.count + perPiece - 1) / perPiece
    let results = UnsafeMutableBufferPointer<DecodingResult>.allocate(capacity: pieces)
    results.initialize(repeating: DecodingResult())
    defer {
      results.deinitialize()
      results.deallocate()
    }
    nonisolated(unsafe) let target = buffer
    nonisolated(unsafe) let slots = results
    DispatchQueue.concurrentPerform(iterations: pieces) { piece in
      for index in (piece * perPiece)..<min((piece + 1) * perPiece, files.count) {
        let place = (index * bytes)..<((index + 1) * bytes)
        do {
          slots[piece].notes.add(
            try decode(
              files[index], as: size, preparation,
              into: UnsafeMutableBufferPointer(rebasing: target[place])))
        } catch {
          slots[piece].add(error)
        }
      }
    }
    let result = results.reduce(into: DecodingResult()) { $0.add($1) }
    try result.throwIfAny()
    notes = result.notes
    filled = files.count * bytes
  }
  return DecodedFiles(pixels: pixels, height: height, width: width, notes: notes)
}

/// A size that all images of a set must have, and the image that gives it where none is wanted.
private struct ExpectedSize {
  var height: Int
  var width: Int
  var reference: URL?
}

/// The size of scaled images, else the wanted one, else that of the first file that can be decoded.
private func expectedSize(
  of files: [URL], _ wanted: (height: Int, width: Int)?, _ preparation: ImagePreparation
) throws -> ExpectedSize {
  if let side = preparation.side { return ExpectedSize(height: side, width: side) }
  if let wanted { return ExpectedSize(height: wanted.height, width: wanted.width) }
  for file in files {
    let size = try? decodeFile(file) {
      ExpectedSize(height: $0.height, width: $0.width, reference: file)
    }
    if let size { return size }
  }
  // Where none can be decoded any size will do, for all will be named.
  return ExpectedSize(height: 1, width: 1)
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
  _ file: URL, background: Colour = .white, body: (BorrowedImage) throws -> Result
) throws -> Result {
  let data = try Files.read(file, limit: 1 << 28)
  do {
    return try withDecodedImage(data, background: background, body: body)
  } catch let error as ImagingError {
    throw DatasetError.corruptImage(file: file.path, reason: error.description)
  }
}

private func decode(
  _ file: URL, as size: ExpectedSize,
  _ preparation: ImagePreparation, into target: UnsafeMutableBufferPointer<UInt8>
) throws -> DecodingNotes {
  try decodeFile(file, background: preparation.background) { image in
    let (height, width) = (image.height, image.width)
    if let side = preparation.side {
      preparation.scale(image.pixels, height: height, width: width, to: side, into: target)
      return image.notes
    }
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
    _ = target.update(fromContentsOf: image.pixels)
    return image.notes
  }
}

/// The outcome of some files: what is noteworthy, the number of failures and the reasons of the first.
private struct DecodingResult {
  var notes = DecodingNotes()
  private var count = 0
  private var first: [any Error] = []

  private static let named = 10

  mutating func add(_ error: any Error) {
    count += 1
    if first.count < Self.named { first.append(error) }
  }

  mutating func add(_ other: DecodingResult) {
    notes.add(other.notes)
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
