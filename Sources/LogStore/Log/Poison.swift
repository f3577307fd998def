package import DiskIO
internal import Synchronization

/// Remembers the first write or sync of a log that failed (I8): from then on nothing that was
/// written is certain.
///
/// The flag is stored after the cause (release) and loaded before it (acquire). Any thread.
package final class Poison: Sendable {
  private let flag = Atomic<Bool>(false)
  private let stored = Locked<(cause: DiskError?, isAnnounced: Bool)>((nil, false))

  /// Whether a write or a sync has failed.
  @inline(__always)
  package var isSet: Bool { flag.load(ordering: .acquiring) }

  /// What failed first; only after `isSet`.
  package var cause: DiskError {
    guard let cause = stored.withLock({ $0.cause }) else {
      preconditionFailure("the cause of a poisoning that did not happen")
    }
    return cause
  }

  /// Notes a failure; the first one counts. Calls nobody, so that it may be noted under a lock.
  package func set(_ error: DiskError) {
    stored.withLock { $0.cause = $0.cause ?? error }
    flag.store(true, ordering: .releasing)
  }

  /// The failure, once: whoever gets it tells those who wait for the log.
  package func takeUnannounced() -> DiskError? {
    stored.withLock { stored in
      defer { stored.isAnnounced = stored.cause != nil }
      return stored.isAnnounced ? nil : stored.cause
    }
  }
}
