package import DiskIO
internal import Synchronization

/// Remembers the first failed sync of a log (I8): from then on nothing that was written is certain.
///
/// The flag is stored after the cause (release) and loaded before it (acquire). Any thread.
package final class Poison: Sendable {
  private let flag = Atomic<Bool>(false)
  private let stored = Locked<DiskError?>(nil)

  /// Whether a sync has failed.
  @inline(__always)
  package var isSet: Bool { flag.load(ordering: .acquiring) }

  /// What failed first; only after `isSet`.
  package var cause: DiskError {
    guard let cause = stored.withLock({ $0 }) else {
      preconditionFailure("the cause of a poisoning that did not happen")
    }
    return cause
  }

  /// Notes a failure. Returns whether it is the first.
  package func set(_ error: DiskError) -> Bool {
    let isFirst = stored.withLock { stored in
      defer { stored = stored ?? error }
      return stored == nil
    }
    flag.store(true, ordering: .releasing)
    return isFirst
  }
}
