internal import CoreMetrics
package import DiskIO
internal import Logging
internal import Synchronization

/// Whether a log still accepts appends and reads. A failed write or sync (I8), the log's deletion
/// and the end of its store each end something permanently. Any thread.
package final class LogHealth: Sendable {
  private let log: LogEnvironment
  private let offsets: LogOffsets
  private let role: FlushRole
  private let failed = Atomic<Bool>(false)
  private let failure = Locked(Failure())
  private let deleted = Atomic<Bool>(false)
  private let givenUp = Atomic<Bool>(false)

  private struct Failure {
    var cause: DiskError?
    /// A failed sync of the log's directory, whether the first failure or a later one.
    var lostNames: DiskError?
    var isAnnounced = false
  }

  init(_ log: LogEnvironment, _ offsets: LogOffsets, _ role: FlushRole) {
    self.log = log
    self.offsets = offsets
    self.role = role
  }

  // MARK: Failure

  /// Whether a write or a sync has failed; set after the cause (release), loaded before it.
  @inline(__always)
  package var isFailed: Bool { failed.load(ordering: .acquiring) }

  /// The first write or sync that failed; nil if none has.
  package var cause: DiskError? { isFailed ? failure.withLock { $0.cause } : nil }

  /// Throws if an earlier write or sync failed (I8).
  @inline(__always)
  package func checkNotFailed() throws(LogError) {
    guard let cause, !isDeleted else { return }
    throw .poisoned(path: log.path, cause: cause)
  }

  /// The error for an append that the disk refused; nothing of it was appended.
  ///
  /// After a temporary shortage the log stays usable. Any other error marks it as failed. May be
  /// called under the writer lock; call `announce` after releasing it.
  func rejection(for error: DiskError) -> LogError {
    if error.isShortage, !error.isFailedSync { return LogError(error) }
    note(error)
    return .poisoned(path: log.path, cause: cause ?? error)
  }

  /// Marks the log as failed and ends its waits. Not under the writer lock.
  func fail(_ error: DiskError) {
    note(error)
    announce()
  }

  /// Marks the log as failed if a sync of its directory failed, whatever its purpose: another name,
  /// such as a new segment's, may be lost, and no later sync would reveal it (I8). Not under the
  /// writer lock.
  func failIfNamesMayBeLost(_ error: DiskError) {
    if error.operation == .syncDirectory { fail(error) }
  }

  /// A failed sync of the log's directory: no later one proves that a name is on disk.
  var lostNames: DiskError? { isFailed ? failure.withLock { $0.lostNames } : nil }

  private func note(_ error: DiskError) {
    failure.withLock { failure in
      failure.cause = failure.cause ?? error
      if error.operation == .syncDirectory { failure.lostNames = error }
    }
    failed.store(true, ordering: .releasing)
  }

  /// Ends the log's waits if it has failed, and logs that, once. Not under the writer lock, because
  /// waiters are called.
  func announce() {
    guard isFailed, let cause = takeUnannounced() else { return }
    let context = log.context
    context.metrics.poisonedLogs.increment()
    context.rateLimitedLog.log(
      .error, cause: "failed: \(log.topicPartition)",
      "a write or sync failed; the log takes nothing more until it is opened again",
      metadata: ["log": "\(log.topicPartition)", "cause": "\(cause)"])
    offsets.fail(.poisoned(path: log.path, cause: cause))
    role.wake()
    context.failures.note(log.topicPartition)
  }

  private func takeUnannounced() -> DiskError? {
    failure.withLock { failure in
      defer { failure.isAnnounced = failure.cause != nil }
      return failure.isAnnounced ? nil : failure.cause
    }
  }

  // MARK: End of use

  /// Whether the log was deleted from its store: its paths may belong to another log by now.
  package var isDeleted: Bool { deleted.load(ordering: .acquiring) }

  /// Whether the log's store was closed: another session may write to the directory by now.
  package var isGivenUp: Bool { givenUp.load(ordering: .acquiring) }

  /// Whether this log may not touch the files any more.
  @inline(__always)
  package var isGone: Bool { isDeleted || isGivenUp }

  /// Throws if the log was deleted or its store was closed.
  @inline(__always)
  func checkPresent() throws(LogError) {
    if isGone { throw .closed(path: log.path) }
  }

  func markDeleted() { deleted.store(true, ordering: .releasing) }

  /// - Returns: Whether it was given up before.
  func giveUp() -> Bool { givenUp.exchange(true, ordering: .acquiringAndReleasing) }

  /// Ends the waits of a log that accepts no more appends.
  func endWaits() { offsets.fail(.closed(path: log.path)) }
}

extension DiskError {
  /// Whether bytes or names may not be on disk, which no second attempt can disprove (I8).
  var isFailedSync: Bool { operation == .sync || operation == .syncDirectory }
}
