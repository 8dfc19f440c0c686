import Foundation

/// A file operation that failed, with what became of the file.
public enum FileError: Error, Equatable {
  /// The step that failed.
  public enum Action: String, Sendable {
    /// Making a file, folder or link.
    case create
    /// Writing content.
    case write
    /// Reading content.
    case read
    /// Forcing content onto the disk.
    case sync
    /// Giving a finished file its final name.
    case rename
    /// Cutting off the end of a file.
    case truncate
  }

  /// The state of the file after the failure.
  public enum Aftermath: Sendable {
    /// The file of that name is as it was before.
    case previousUnchanged
    /// The file did not exist before and does not exist now.
    case nothingWritten
    /// Everything appended earlier is still there.
    case earlierKept
    /// The operation was not one that writes.
    case none
  }

  /// The disk or the quota is full; `needed` is the size of what was to be written, where known.
  case noSpace(path: String, needed: Int?, aftermath: Aftermath)
  /// The file would outgrow what the process or the file system allows.
  case tooLarge(path: String, needed: Int?, aftermath: Aftermath)
  /// The user may not do that.
  case permissionDenied(action: Action, path: String)
  /// The file system is mounted read-only.
  case readOnly(action: Action, path: String)
  /// A part of the path is a file where a folder is needed.
  case notAFolder(path: String, obstacle: String)
  /// The file, or a folder on the way to it, does not exist.
  case missing(action: Action, path: String, firstMissing: String)
  /// A folder stands where a file is needed.
  case isAFolder(action: Action, path: String)
  /// Something stands there that must not be replaced.
  case exists(path: String, remedy: String)
  /// Another process is replacing the same folder.
  case busy(path: String)
  /// The file is larger than anything of its kind.
  case overLimit(path: String, size: Int, limit: Int)
  /// Anything else that the system refused.
  case system(action: Action, path: String, code: Int32)
}

extension FileError: CustomStringConvertible {
  /// A sentence on the failure, its cause and the state that it leaves.
  public var description: String {
    switch self {
    case .noSpace(let path, let needed, let aftermath):
      "no space left while writing \(path)\(Self.size(needed))\(Self.text(aftermath, path))"
    case .tooLarge(let path, let needed, let aftermath):
      "file size limit reached while writing \(path)\(Self.size(needed))"
        + Self.text(aftermath, path)
    case .permissionDenied(let action, let path):
      "cannot \(action.rawValue) \(path): permission denied"
    case .readOnly(let action, let path):
      "cannot \(action.rawValue) \(path): the file system is read-only"
    case .notAFolder(let path, let obstacle):
      "cannot reach \(path): \(obstacle) is not a folder"
    case .missing(let action, let path, let firstMissing):
      path == firstMissing
        ? "cannot \(action.rawValue) \(path): it does not exist"
        : "cannot \(action.rawValue) \(path): the folder \(firstMissing) does not exist"
    case .isAFolder(let action, let path):
      "cannot \(action.rawValue) \(path): expected a file, found a folder"
    case .exists(let path, let remedy):
      "\(path) already exists: \(remedy)"
    case .busy(let path):
      "cannot replace \(path): another process is replacing it"
    case .overLimit(let path, let size, let limit):
      "cannot read \(path): expected at most \(limit) bytes, found \(size)"
    case .system(let action, let path, let code):
      "cannot \(action.rawValue) \(path): \(String(cString: strerror(code))) (error \(code))"
    }
  }

  private static func size(_ needed: Int?) -> String {
    needed.map { " (needed \($0) bytes)" } ?? ""
  }

  private static func text(_ aftermath: Aftermath, _ path: String) -> String {
    switch aftermath {
    case .previousUnchanged: ": the previous \(path) is unchanged"
    case .nothingWritten: ": nothing was written"
    case .earlierKept: ": what was written before is kept"
    case .none: ""
    }
  }
}

extension FileError {
  /// Rewrites this error with a folder's final name.
  func renaming(_ draft: URL, to final: URL, aftermath: Aftermath) -> FileError {
    let rename = { (path: String) in
      path.hasPrefix(draft.path) ? final.path + path.dropFirst(draft.path.count) : path
    }
    return switch self {
    case .noSpace(let path, let needed, _):
      .noSpace(path: rename(path), needed: needed, aftermath: aftermath)
    case .tooLarge(let path, let needed, _):
      .tooLarge(path: rename(path), needed: needed, aftermath: aftermath)
    case .system(let action, let path, let code):
      .system(action: action, path: rename(path), code: code)
    default: self
    }
  }

  /// Explains an error number of the system.
  init(
    code: Int32, _ action: Action, _ path: String, needed: Int? = nil, aftermath: Aftermath = .none
  ) {
    switch code {
    case ENOSPC, EDQUOT: self = .noSpace(path: path, needed: needed, aftermath: aftermath)
    case EFBIG: self = .tooLarge(path: path, needed: needed, aftermath: aftermath)
    case EACCES, EPERM: self = .permissionDenied(action: action, path: path)
    case EROFS: self = .readOnly(action: action, path: path)
    case EISDIR: self = .isAFolder(action: action, path: path)
    case ENOTDIR: self = .notAFolder(path: path, obstacle: Self.firstAncestor(of: path) ?? path)
    case ENOENT:
      let missing = Self.firstAncestor(of: path, orMissing: true) ?? path
      self = .missing(action: action, path: path, firstMissing: missing)
    default: self = .system(action: action, path: path, code: code)
    }
  }

  /// The first folder on the way to a path that is no folder, or does not exist.
  private static func firstAncestor(of path: String, orMissing: Bool = false) -> String? {
    var ancestors: [URL] = []
    var url = URL(filePath: path).deletingLastPathComponent()
    while url.path != "/", !url.path.isEmpty {
      ancestors.append(url)
      url.deleteLastPathComponent()
    }
    return ancestors.reversed().first { ancestor in
      switch FileKind(of: ancestor) {
      case .folder: false
      case nil: orMissing
      default: !orMissing
      }
    }?.path
  }
}
