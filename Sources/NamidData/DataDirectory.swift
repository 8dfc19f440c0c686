import Foundation

/// The folder for data sets where none is named.
public enum DataDirectory {
  /// `NAMID_DATA`, else `namid/data` in `XDG_CACHE_HOME`, else in `.cache` of the home directory.
  ///
  /// - Parameter environment: The environment's variables.
  /// - Returns: The folder, which may not exist yet.
  public static func standard(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> URL {
    if let folder = environment["NAMID_DATA"], !folder.isEmpty { return URL(filePath: folder) }
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : URL(filePath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
    return cache.appending(path: "namid/data")
  }
}
