/// A log's end and its durable end, and the waiters for either.
///
/// Keeps I1: `recoveryPoint ≤ highWatermark ≤ logEndOffset`. Any thread.
package final class LogOffsets: Sendable {
  /// Offset that the next appended record gets; published by the holder of the writer lock.
  package let end: OffsetNotifier
  /// All records below it survive a power cut; published by the holder of the flush role.
  package let flushed: OffsetNotifier
  private let isAcknowledgedOnceFlushed: Bool

  /// - Parameter isAcknowledgedOnceFlushed: Whether an acknowledgement means durable.
  package init(end: Int64, flushed: Int64, isAcknowledgedOnceFlushed: Bool) {
    precondition(flushed <= end, "I1: a recovery point of \(flushed) in a log that ends at \(end)")
    self.end = OffsetNotifier(end)
    self.flushed = OffsetNotifier(flushed)
    self.isAcknowledgedOnceFlushed = isAcknowledgedOnceFlushed
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
