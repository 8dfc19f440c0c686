import Foundation
import NamidTerminal
import NamidTorch
import NamidTraining
import Synchronization

/// The end of a computation that has run out of memory, from where no code can go on: the process begins
/// anew with smaller batches, or ends with one line that says what to lower.
enum OutOfMemory {
  /// The remedy, in words.
  enum Remedy: Sendable {
    /// A sentence for people.
    case advice(String)
    /// Fewer images per step of a training in a run's folder.
    case smallerSteps(setting: String, now: Int, run: URL)
    /// Fewer images at once in work whose results do not depend on it; `last` may help when it is one image already.
    case smallerBatches(than: Int, last: String? = nil)
  }

  /// The exit status, EX_OSERR of sysexits.h: what the system had was not enough.
  static let status: Int32 = 71

  /// The exit status after any other failure within libtorch, EX_SOFTWARE of sysexits.h.
  static let softwareStatus: Int32 = 70

  private static let remedy = Mutex(Remedy.advice("take smaller batches, or a smaller network"))
  private static let device = Mutex(Device.cpu)

  /// Ends the process properly from now on, where it would trap.
  static func watch() { EngineError.beforeTrap(end(after:)) }

  /// Says where the process computes.
  static func expect(on device: Device) { self.device.withLock { $0 = device } }

  /// Says what helps from now on.
  static func expect(_ remedy: Remedy) { self.remedy.withLock { $0 = remedy } }

  /// Says what helps while `body` works.
  static func expecting<Result>(_ remedy: Remedy, _ body: () throws -> Result) rethrows -> Result {
    let previous = self.remedy.withLock(\.self)
    expect(remedy)
    defer { expect(previous) }
    return try body()
  }

  private static func end(after error: EngineError) {
    let device = device.withLock(\.self)
    if Terminal.isInteractive { Terminal.writeError("\r\u{1B}[K") }
    switch error.kind {
    case .invalidCall, .missingOperator, .other:
      end("\(firstLine(of: error)): see `namid doctor`; what is finished is kept", softwareStatus)
    case .nondeterministic:
      let operation = error.call.prefix { $0 != "(" }
      end("\(operation) has no deterministic kernel on \(device): leave out --deterministic", 1)
    case .outOfMemory:
      let place = error.isAboutHostMemory ? hostText : text(of: device)
      switch remedy.withLock(\.self) {
      case .smallerBatches(let size, _) where size > 1:
        note("out of memory on \(place) at batch size \(size); going on with \(size / 2)")
        Restart.again(batchSize: size / 2)
        end("this process could not begin anew: give --batch-size \(size / 2)", status)
      case .smallerBatches(_, let last):
        let more =
          error.isAboutHostMemory
          ? "free some, or raise its limit" : "take a device with more memory (--device)"
        end("out of memory on \(place): \(last.map { "\($0), or " } ?? "")\(more)", status)
      case .advice(let advice): end("out of memory on \(place): \(advice)", status)
      case .smallerSteps(let setting, let size, let run):
        let kept =
          CheckpointFolder(run: run).isEmpty
          ? ""
          : " in a new run; \(run.relativePath) can go on where more memory is free (--resume)"
        end("out of memory on \(place): lower \(setting) (now \(size))\(kept)", status)
      }
    }
  }

  /// Files are written whole or not at all, and the system gives up locks: nothing else is to be done at the end.
  private static func end(_ line: String, _ status: Int32) -> Never {
    note("Error: \(line)")
    fflush(nil)
    _exit(status)
  }

  /// Takes the first line of an error; in CUDA's errors advice for programmers follows.
  private static func firstLine(of error: EngineError) -> String {
    error.description.split(separator: "\n").first.map(String.init) ?? error.call
  }

  private static func text(of device: Device) -> String {
    guard let memory = try? DeviceMemory(of: device) else { return "\(device)" }
    let used = byteText(Double(memory.total - memory.free))
    return "\(device) (\(byteText(Double(memory.total))), \(used) in use)"
  }

  private static var hostText: String {
    let all = byteText(Double(ProcessInfo.processInfo.physicalMemory))
    #if os(Linux)
      let resource = Int32(RLIMIT_AS.rawValue)
    #else
      let resource = RLIMIT_AS
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(Int64.max) else {
      return "the host (\(all))"
    }
    return "the host (\(all), limited to \(byteText(Double(limit.rlim_cur))))"
  }
}
