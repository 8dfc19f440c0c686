import NamidFiles

/// The pickle of a file of `torch.save`, and its storages.
struct PyTorchArchive {
  let path: String
  let pickle: Pickle
  let storages: StoredBytes

  /// The longest pickle that is read; one of a thousand tensors has about 100 KB.
  private static let longestPickle = 1 << 28

  init(_ file: RandomAccessFile) throws {
    path = file.path
    if try ZipArchive.isZip(file) {
      (pickle, storages) = try Self.zip(file)
    } else {
      (pickle, storages) = try Self.rowOfPickles(file)
    }
  }

  /// The format since PyTorch 1.6: `NAME/data.pkl`, `NAME/data/KEY`, and `NAME/byteorder` since 2.0.
  private static func zip(_ file: RandomAccessFile) throws -> (Pickle, StoredBytes) {
    let archive = try ZipArchive(file)
    let ending = "data.pkl"
    let pickles = archive.entries.filter { $0.name == ending || $0.name.hasSuffix("/\(ending)") }
    guard let entry = pickles.first, pickles.count == 1 else {
      throw PyTorchFileError(
        file: file.path, reason: "it is a zip archive with \(pickles.count) entries data.pkl",
        remedy: "Take a file that torch.save has written.")
    }
    let folder = String(entry.name.dropLast(ending.count))
    if archive[folder + "constants.pkl"] != nil {
      throw PyTorchFileError(
        file: file.path, reason: "it is a TorchScript archive, not a file of torch.save",
        remedy: "Measure it as it is, or save its state_dict().")
    }
    let order = try archive[folder + "byteorder"].map {
      String(decoding: try archive.content(of: $0, limit: 64), as: UTF8.self)
    }
    guard [nil, "little", "big"].contains(order) else {
      throw PyTorchFileError(
        file: file.path, reason: "its byte order is neither little nor big",
        remedy: "The file is damaged; fetch or save it again.")
    }
    var places: [String: StoredBytes.Place] = [:]
    for entry in archive.entries where entry.name.hasPrefix(folder + "data/") {
      places[String(entry.name.dropFirst(folder.count + 5))] = .entry(entry)
    }
    return (
      try Pickle(archive.content(of: entry, limit: longestPickle), file: file.path),
      StoredBytes(
        file, archive, places, isBigEndian: order == "big")
    )
  }

  /// The format before PyTorch 1.6: five pickles, then each storage with its number of elements.
  private static func rowOfPickles(_ file: RandomAccessFile) throws -> (Pickle, StoredBytes) {
    let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    // The number of this length that follows is the format's mark.
    let start = try file.read(0..<min(file.count, 32))
    guard start.firstRange(of: [0x8A, 0x0A] + magic) != nil else {
      throw PyTorchFileError(
        file: file.path, reason: "it is no file of torch.save",
        remedy: start.starts(with: [0x80])
          ? "It may be a plain pickle: load it in Python and save it with torch.save."
          : "Take a file that torch.save has written.")
    }
    do {
      return try rowOfPickles(file, head: file.read(0..<min(file.count, 1 << 25)))
    } catch PickleError.truncated where file.count > 1 << 25 {
      return try rowOfPickles(file, head: file.read(0..<min(file.count, longestPickle)))
    }
  }

  private static func rowOfPickles(
    _ file: RandomAccessFile, head: [UInt8]
  ) throws -> (Pickle, StoredBytes) {
    var at = 0
    var pickles: [Pickle] = []
    for _ in 0..<5 {
      let (pickle, end) = try Pickle.reading(head, from: at, file: file.path)
      pickles.append(pickle)
      at = end
    }
    let (content, keys) = (pickles[3], pickles[4])
    guard pickles[1].root == .integer(1001) else {
      throw PickleError.unexpected(
        file: file.path, expected: "version 1001 of the format",
        found: pickles[1].kind(pickles[1].root))
    }
    guard let list = keys.elements(keys.root) else {
      throw PickleError.unexpected(
        file: file.path, expected: "the list of storages", found: keys.kind(keys.root))
    }
    let widths = PyTorchValues.storageWidths(of: content)
    var places: [String: StoredBytes.Place] = [:]
    for value in list {
      guard let key = keys.text(value), let width = widths[key], at + 8 <= file.count else {
        throw PickleError.unexpected(
          file: file.path, expected: "a storage of a known type", found: keys.kind(value))
      }
      let count = try file.read(at..<at + 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let (size, overflow) = count.multipliedReportingOverflow(by: UInt64(width))
      at += 8
      guard !overflow, size <= file.count - at else {
        throw PickleError.truncated(
          file: file.path, expected: overflow ? .max : at + Int(clamping: size), found: file.count)
      }
      places[key] = .range(at..<at + Int(size))
      at += Int(size)
    }
    // Numbers are little-endian in this format whatever machine wrote them.
    return (content, StoredBytes(file, nil, places, isBigEndian: false))
  }
}
