import Foundation

/// Makes a new folder; the caller deletes it.
public func makeTemporaryFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "namid-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

/// Deletes a folder; that it is gone already is fine.
public func remove(_ folder: URL) {
  try? FileManager.default.removeItem(at: folder)
}

/// The names in a folder, hidden ones included, sorted.
public func sortedNames(in folder: URL) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}

/// The content of everything below a folder by path; for links, where they point.
public func snapshot(of folder: URL) throws -> [String: Data] {
  let manager = FileManager.default
  var content: [String: Data] = [:]
  for path in try manager.subpathsOfDirectory(atPath: folder.path) {
    let url = folder.appending(path: path)
    let kind = try manager.attributesOfItem(atPath: url.path)[.type] as? FileAttributeType
    switch kind {
    case .typeSymbolicLink:
      content[path] = Data(try manager.destinationOfSymbolicLink(atPath: url.path).utf8)
    case .typeDirectory: content[path] = Data()
    default: content[path] = try Data(contentsOf: url)
    }
  }
  return content
}

/// Runs a test in a folder of its own that is deleted afterwards.
@discardableResult
public func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = try makeTemporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The content of a small text file.
public func text(of url: URL) throws -> String {
  try String(contentsOf: url, encoding: .utf8)
}

/// The message of the error that a call throws, or nil where it throws none.
public func message(of body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}
