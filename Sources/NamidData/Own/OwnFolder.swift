import Foundation

/// One's own images: a folder with `train/CLASS/*.jpg` and `test` or `val` beside it.
public struct OwnFolder: DatasetSource {
  /// The folder.
  public let folder: URL

  /// Names a folder; a relative path starts at the current directory, `~` is the home directory.
  public init(path: String) {
    folder = URL(fileURLWithPath: (path as NSString).expandingTildeInPath).standardizedFileURL
  }

  /// `folder:` and the folder's last name.
  public var name: String { Datasets.folderPrefix + folder.lastPathComponent }
  /// The folder's last name.
  public var title: String { folder.lastPathComponent }
  /// The folder's path.
  public var origin: String { folder.path }
  /// Nothing is known about the terms of one's own images.
  public var licence: String { "your own" }
  /// Any number of images will do.
  public var expectedCounts: [Split: Int] { [:] }

  /// The folder itself, whatever the data directory.
  public func candidates(in directory: URL) -> [URL] { [folder] }

  /// Image folders, where there is at least one split.
  public func layout(of folder: URL) -> String? {
    ImageFolders.splits(in: folder).isEmpty ? nil : "image folders"
  }

  /// Decodes the images of a split.
  public func read(_ split: Split, from location: DatasetLocation) throws -> ImageSet {
    try ImageFolders.read(location.folder, split: split, name: name, title: title)
  }

  /// None: nobody published them.
  public func publishedFiles(of layout: String) -> [PublishedFile] { [] }

  /// How such a folder looks.
  public func advice(for directory: URL) -> String {
    "It must hold train/CLASS/*.jpg and test/CLASS/*.jpg or val/CLASS/*.jpg (or *.png)."
  }

  /// Fails: one's own images are where one put them.
  public func fetch(into directory: URL, progress: (String) -> Void) throws {
    throw DatasetError.fetchFailed(
      name: name, reasons: ["images of one's own have no publisher"],
      remedy: advice(for: directory))
  }
}
