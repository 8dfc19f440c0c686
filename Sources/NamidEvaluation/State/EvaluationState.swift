import Foundation
import NamidFiles
import NamidSettings

/// The folder in which an evaluation keeps what it has finished, so that it continues after any interruption.
///
/// It holds the plan and one small file per finished batch; each is written aside, forced onto the disk and renamed.
/// The batch size is not part of the plan: what is missing may be done in other batches.
public final class EvaluationState {
  /// The place of the folder.
  public enum Place: Sendable, Hashable {
    /// Below a run's folder, named by the specification.
    case run(URL)
    /// A folder of the user's choice.
    case folder(URL)
  }

  private static let planFile = "plan.json"
  private static let chunkExtension = "safetensors"

  /// The folder.
  public let folder: URL
  private let place: Place
  private let plan: EvaluationPlan
  private let imageShape: [Int]
  private let lock: FolderLock
  /// Finished batches that were there from the start.
  private(set) var restoredCount = 0

  /// Opens a folder, or makes it; throws away finished batches found there if `fresh` is true.
  ///
  /// Throws an `EvaluationError` and leaves the folder as it was where the folder cannot be used.
  init(_ place: Place, plan: EvaluationPlan, imageShape: [Int], fresh: Bool) throws {
    folder =
      switch place {
      case .run(let run):
        run.appending(path: "evaluations/\(plan.specificationHash).state")
      case .folder(let folder): folder
      }
    self.place = place
    self.plan = plan
    self.imageShape = imageShape
    try Self.refuseOther(folder, plan, fresh: fresh)
    do {
      try createFolder(at: folder)
    } catch {
      throw EvaluationError.stateNotWritable(folder.path, reason: "\(error)")
    }
    guard let lock = FolderLock(folder) else { throw EvaluationError.stateInUse(folder.path) }
    self.lock = lock
    if fresh { Self.clear(folder, keeping: [FolderLock.fileName]) }
    do {
      try AtomicFile.write(
        plan.tree().data(indent: 2), to: folder.appending(path: Self.planFile))
    } catch {
      throw EvaluationError.stateNotWritable(folder.path, reason: "\(error)")
    }
    restoredCount = Self.names(in: folder).count(where: Self.isChunk)
  }

  // MARK: Chunks

  /// Hands everything that was finished over to a session, and says how much it is.
  func restore(
    into session: EvaluationSession, batchSize: Int, withImages: Bool, say: (String) -> Void
  ) throws {
    for member in plan.members {
      session.restore(try chunks(of: member, withImages: withImages, say: say), of: member)
    }
    if restoredCount == 0 { return }
    let most = plan.members.count * ((plan.data.count + batchSize - 1) / batchSize)
    say(
      "continuing: \(restoredCount) of at most \(max(most, restoredCount)) batches were done "
        + "(\(folder.path))")
  }

  /// The finished batches of an attack; a damaged file is removed and `say` told.
  func chunks(
    of member: MemberPlan, withImages: Bool, say: (String) -> Void
  ) throws -> [Chunk] {
    let stem = try member.fileStem()
    let files = Self.names(in: folder).filter { $0.hasPrefix(stem + "-") && Self.isChunk($0) }
    return try files.sorted().compactMap { name in
      let url = folder.appending(path: name)
      do {
        return try ChunkFile.read(
          url, key: try key(of: member), sampleCount: plan.data.count, imageShape: imageShape,
          withImages: withImages)
      } catch {
        say("\(url.path) is damaged and its batch is done again: \(error)")
        restoredCount -= 1
        try FileManager.default.removeItem(at: url)
        return nil
      }
    }
  }

  /// Keeps a finished batch.
  func save(_ chunk: Chunk, of member: MemberPlan) throws {
    let digits = String(chunk.samples.first ?? 0)
    let padded = String(repeating: "0", count: max(0, 7 - digits.count)) + digits
    let name = "\(try member.fileStem())-\(padded).\(Self.chunkExtension)"
    try ChunkFile.write(chunk, key: try key(of: member), to: folder.appending(path: name))
  }

  /// Removes the state, after everything in it has been reported.
  public func finish() {
    Self.clear(folder)
    // Whatever else lies in the folder is not ours, and then it stays.
    rmdir(folder.path)
    if case .run = place { rmdir(folder.deletingLastPathComponent().path) }
  }

  private func key(of member: MemberPlan) throws -> String {
    "\(try specificationHash(plan)) \(try specificationHash(member))"
  }

  // MARK: The folder

  private static func refuseOther(_ folder: URL, _ plan: EvaluationPlan, fresh: Bool) throws {
    let file = folder.appending(path: planFile)
    let names = names(in: folder)
    guard names.contains(planFile) else {
      let foreign = names.filter { !isOwn($0) }.sorted()
      if !foreign.isEmpty { throw EvaluationError.foreignFiles(folder.path, names: foreign) }
      return
    }
    if fresh { return }
    let found: JSONValue
    do {
      found = try JSONValue(parsing: readFile(at: file, limit: 1 << 24))
    } catch {
      throw EvaluationError.unreadableState(file.path, reason: "\(error)")
    }
    if let version = found["version"]?.intValue, version < EvaluationPlan.currentVersion {
      throw EvaluationError.earlierFormat(folder.path, format: version)
    }
    let differences = EvaluationPlan.differences(found: found, wanted: try plan.tree())
    if !differences.isEmpty {
      throw EvaluationError.otherEvaluation(folder.path, differences: differences)
    }
  }

  /// Removes all own files, the plan last but for the lock: half removed, the folder is still known for what it is.
  private static func clear(_ folder: URL, keeping kept: [String] = []) {
    let own = names(in: folder).filter { isOwn($0) && !kept.contains($0) }
    let last = [planFile, FolderLock.fileName]
    for name in own.filter({ !last.contains($0) }) + last.filter(own.contains) {
      try? FileManager.default.removeItem(at: folder.appending(path: name))
    }
  }

  private static func names(in folder: URL) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
  }

  /// `NAME-DIGEST-NUMBER.safetensors`.
  private static func isChunk(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    let words = parts.first?.split(separator: "-") ?? []
    return parts.count == 2 && parts[1] == chunkExtension && words.count >= 3
      && words[words.count - 2].count == 8 && words[words.count - 2].allSatisfy(\.isHexDigit)
      && words[words.count - 1].allSatisfy(\.isNumber)
  }

  private static func isOwn(_ name: String) -> Bool {
    if name.hasPrefix("."), name.hasSuffix(".partial") { return true }
    return name == planFile || name == FolderLock.fileName || isChunk(name)
  }
}
