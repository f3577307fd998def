internal import Synchronization

/// A log's end and its durable end, and the waiters for either.
///
/// Keeps I1: `recoveryPoint ≤ highWatermark ≤ logEndOffset`. Any thread.
package final class LogOffsets: Sendable {
  /// Offset that the next appended record gets; published by the holder of the writer lock.
  package let end: OffsetNotifier
  /// All records below it survive a power cut, in the log's own files or in the store's journal;
  /// published by the holder of the flush role.
  package let flushed: OffsetNotifier
  private let synced: Atomic<Int64>
  private let isAcknowledgedOnceFlushed: Bool

  /// - Parameter isAcknowledgedOnceFlushed: Whether an acknowledgement means durable.
  package init(end: Int64, flushed: Int64, isAcknowledgedOnceFlushed: Bool) {
    precondition(flushed <= end, "I1: a recovery point of \(flushed) in a log that ends at \(end)")
    self.end = OffsetNotifier(end)
    self.flushed = OffsetNotifier(flushed)
    synced = Atomic(flushed)
    self.isAcknowledgedOnceFlushed = isAcknowledgedOnceFlushed
  }

  /// All records below it are in the log's own files, durably.
  package var recoveryPoint: Int64 { synced.load(ordering: .acquiring) }

  /// Moves the recovery point. For the holder of the flush role.
  func noteSynced(_ offset: Int64) {
    let before = recoveryPoint
    precondition(offset >= before, "I1: the recovery point falls from \(before) to \(offset)")
    precondition(offset <= end.value, "I1: a recovery point of \(offset) above \(end.value)")
    synced.store(offset, ordering: .releasing)
  }

  /// All records below its value are acknowledged.
  package var acknowledged: OffsetNotifier { isAcknowledgedOnceFlushed ? flushed : end }

  /// The end for a reader with `limit`.
  package func notifier(_ limit: LogReader.Limit) -> OffsetNotifier {
    switch limit {
    case .logEnd: end
    case .highWatermark: acknowledged
    }
  }

  /// Ends all waits.
  package func fail(_ error: LogError) {
    flushed.fail(error)
    end.fail(error)
  }
}
