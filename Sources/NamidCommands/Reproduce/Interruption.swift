import Foundation
import Synchronization

/// The record of a signal that asks this process to stop.
enum Interruption {
  private static let signal = Atomic<Int32>(0)

  /// The signal that has arrived; nil for none.
  static var received: Int32? {
    let number = signal.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  /// Notes signals from now on instead of ending at once.
  static func watch() {
    // Touched before the handler may run: the first access of a static value takes a lock.
    signal.store(0, ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      Foundation.signal(number) { Interruption.signal.store($0, ordering: .relaxed) }
    }
  }
}
