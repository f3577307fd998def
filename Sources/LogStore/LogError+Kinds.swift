package import DiskIO
package import RecordFormat

/// Making errors.
extension LogError {
  package static func offsetOutOfRange(
    offset: Int64, logStartOffset: Int64, logEndOffset: Int64
  ) -> LogError {
    LogError(
      Kind.offsetOutOfRange(
        offset: offset, logStartOffset: logStartOffset, logEndOffset: logEndOffset))
  }
  package static func corrupt(_ detail: DamagedRange) -> LogError {
    LogError(Kind.corrupt(detail))
  }
  package static func insideBatch(offset: Int64, batch: Range<Int64>) -> LogError {
    LogError(Kind.insideBatch(offset: offset, batch: batch))
  }
  package static func invalidBatch(_ detail: BatchError) -> LogError {
    LogError(Kind.invalidBatch(detail))
  }
  package static func invalidTimestamp(found: Int64, reason: String) -> LogError {
    LogError(Kind.invalidTimestamp(found: found, reason: reason))
  }
  package static func outOfOrderSequence(
    producerId: Int64, found: Int32, expected: Int32
  ) -> LogError {
    LogError(Kind.outOfOrderSequence(producerId: producerId, found: found, expected: expected))
  }
  package static func earlierBatchRefused(
    producerId: Int64, found: Int32, expected: Int32
  ) -> LogError {
    LogError(Kind.earlierBatchRefused(producerId: producerId, found: found, expected: expected))
  }
  package static func invalidProducerEpoch(
    producerId: Int64, found: Int16, current: Int16
  ) -> LogError {
    LogError(Kind.invalidProducerEpoch(producerId: producerId, found: found, current: current))
  }
  package static func invalidTransactionState(producerId: Int64, reason: String) -> LogError {
    LogError(Kind.invalidTransactionState(producerId: producerId, reason: reason))
  }
  package static func recordTooLarge(bytes: Int, limit: Int) -> LogError {
    LogError(Kind.recordTooLarge(bytes: bytes, limit: limit))
  }
  package static func readOnly(path: String) -> LogError {
    LogError(Kind.readOnly(path: path))
  }
  package static func poisoned(path: String, cause: DiskError) -> LogError {
    LogError(Kind.poisoned(path: path, cause: cause))
  }
  package static func diskFull(_ detail: DiskError) -> LogError {
    LogError(Kind.diskFull(detail))
  }
  package static func disk(_ detail: DiskError) -> LogError {
    LogError(Kind.disk(detail))
  }
  package static func locked(path: String, holder: Int32?) -> LogError {
    LogError(Kind.locked(path: path, holder: holder))
  }
  package static func closed(path: String) -> LogError {
    LogError(Kind.closed(path: path))
  }
  package static func notFound(path: String) -> LogError {
    LogError(Kind.notFound(path: path))
  }
  package static func alreadyExists(path: String) -> LogError {
    LogError(Kind.alreadyExists(path: path))
  }
  package static func invalidName(name: String, reason: String) -> LogError {
    LogError(Kind.invalidName(name: name, reason: reason))
  }
  package static func settingsUnreadable(path: String, reason: String) -> LogError {
    LogError(Kind.settingsUnreadable(path: path, reason: reason))
  }
  package static func invalidConfiguration(name: String, reason: String) -> LogError {
    LogError(Kind.invalidConfiguration(name: name, reason: reason))
  }
  package static func endOffsetMismatch(expected: Int64, found: Int64) -> LogError {
    LogError(Kind.endOffsetMismatch(expected: expected, found: found))
  }
  package static func cancelled(appended: Range<Int64>?) -> LogError {
    LogError(Kind.cancelled(appended: appended))
  }
}
