import Dispatch
import Foundation

/// Decodes image files of one size into one block, on all cores.
///
/// - Parameter files: The files, at least one; the first gives the size.
/// - Returns: RGB values in the order N, H, W, C, and the size.
/// - Throws: `DatasetError` that names the first file, in the given order, that is corrupt or of
///   another size.
func decodeAll(_ files: [URL]) throws -> (pixels: [UInt8], height: Int, width: Int) {
  guard let reference = files.first else {
    throw DatasetError.empty(place: "a list of files", expected: "images")
  }
  let (height, width) = try decodeFile(reference) { _, height, width in (height, width) }
  let size = height * width * 3
  let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
  guard files.count <= memory / size else {
    throw DatasetError.tooLarge(
      what: "\(files.count) images of \(height)×\(width)",
      bytes: files.count.multipliedReportingOverflow(by: size).partialValue, available: memory)
  }
  let pixels = try [UInt8](unsafeUninitializedCapacity: files.count * size) { buffer, filled in
    // Each piece of work writes its own stretch of the buffer and its own slot for a failure.
    let perPiece = 256
    let pieces = (files.count + perPiece - 1) / perPiece
    let failures = UnsafeMutableBufferPointer<(any Error)?>.allocate(capacity: pieces)
    failures.initialize(repeating: nil)
    defer {
      failures.deinitialize()
      failures.deallocate()
    }
    nonisolated(unsafe) let target = buffer
    nonisolated(unsafe) let slots = failures
    DispatchQueue.concurrentPerform(iterations: pieces) { piece in
      do {
        for index in (piece * perPiece)..<min((piece + 1) * perPiece, files.count) {
          try decodeFile(files[index]) { image, foundHeight, foundWidth in
            guard foundHeight == height, foundWidth == width else {
              throw DatasetError.mixedSizes(
                file: files[index].path, found: "\(foundHeight)×\(foundWidth)",
                expected: "\(height)×\(width)", reference: reference.path)
            }
            _ = UnsafeMutableBufferPointer(rebasing: target[(index * size)..<((index + 1) * size)])
              .update(fromContentsOf: image)
          }
        }
      } catch {
        slots[piece] = error
      }
    }
    if let failure = failures.first(where: { $0 != nil }) ?? nil { throw failure }
    filled = files.count * size
  }
  return (pixels, height, width)
}

/// Decodes one file, with errors that name it.
func decodeFile<Result>(
  _ file: URL, body: (UnsafeBufferPointer<UInt8>, _ height: Int, _ width: Int) throws -> Result
) throws -> Result {
  let data = try Files.read(file)
  do {
    return try withDecodedImage(data, body: body)
  } catch let error as ImagingError {
    throw DatasetError.corruptImage(file: file.path, reason: error.description)
  }
}
