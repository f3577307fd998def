package import DiskIO
package import RecordFormat

/// Why the engine refused or could not do what it was asked.
///
/// ```swift
/// do {
///   try await log.append(records)
/// } catch where error.code == .diskFull {
///   print(error)  // what, where, and what to do
/// }
/// ```
///
/// Codes are stable: a later version may add some, and never changes what one means.
public struct LogError: Error, Sendable {
  package let kind: Kind

  package init(_ kind: Kind) { self.kind = kind }

  /// Sorts a failed disk call: a full disk is its own case since it passes.
  package init(_ error: DiskError) {
    kind = error.isDiskFull ? .diskFull(error) : .disk(error)
  }

  /// What happened, with what is known of it; `Code` says what each means.
  package enum Kind: Sendable {
    case offsetOutOfRange(offset: Int64, logStartOffset: Int64, logEndOffset: Int64)
    case corrupt(DamagedRange)
    case insideBatch(offset: Int64, batch: Range<Int64>)
    case invalidBatch(BatchError)
    case invalidTimestamp(found: Int64, reason: String)
    case outOfOrderSequence(producerId: Int64, found: Int32, expected: Int32)
    case earlierBatchRefused(producerId: Int64, found: Int32, expected: Int32)
    case invalidProducerEpoch(producerId: Int64, found: Int16, current: Int16)
    case invalidTransactionState(producerId: Int64, reason: String)
    case recordTooLarge(bytes: Int, limit: Int)
    case readOnly(path: String)
    case poisoned(path: String, cause: DiskError)
    case diskFull(DiskError)
    case disk(DiskError)
    case locked(path: String, holder: Int32?)
    case closed(path: String)
    case notFound(path: String)
    case alreadyExists(path: String)
    case invalidName(name: String, reason: String)
    case settingsUnreadable(path: String, reason: String)
    case invalidConfiguration(name: String, reason: String)
    case endOffsetMismatch(expected: Int64, found: Int64)
    case cancelled(appended: Range<Int64>?)
  }
}

extension LogError: CustomStringConvertible {
  /// One line for people: what, where, and what to do.
  public var description: String {
    switch kind {
    case .offsetOutOfRange(let offset, let start, let end):
      "offset \(offset) is out of range: the log holds \(start) to \(end) (exclusive)"
    case .corrupt(let range):
      "damaged: \(range)"
    case .insideBatch(let offset, let batch):
      "offset \(offset) is within the batch of the offsets \(batch.lowerBound) to "
        + "\(batch.upperBound - 1); give \(batch.lowerBound) or \(batch.upperBound)"
    case .invalidBatch(let error):
      "not a valid batch: \(error)"
    case .invalidTimestamp(let found, let reason):
      "timestamp \(found): \(reason)"
    case .outOfOrderSequence(let producerId, let found, let expected):
      "producer \(producerId) sent sequence \(found) where \(expected) follows"
    case .earlierBatchRefused(let producerId, let found, let expected):
      "producer \(producerId) sent sequence \(found), but its batch with sequence \(expected) was "
        + "refused because of the disk and must come again first"
    case .invalidProducerEpoch(let producerId, let found, let current):
      "producer \(producerId) sent epoch \(found), but its epoch is \(current) by now"
    case .invalidTransactionState(let producerId, let reason):
      "producer \(producerId): \(reason)"
    case .recordTooLarge(let bytes, let limit):
      "a batch of \(bytes) bytes exceeds the limit of \(limit); "
        + "raise max.message.bytes or send less"
    case .readOnly(let path):
      "\(path) is open for reading only"
    case .poisoned(let path, let cause):
      "\(path) refuses appends since a write or sync failed (\(cause)); "
        + "open it again to check what is on disk"
    case .diskFull(let error):
      "\(error.fullText): \(error); nothing was appended, try again once there is room"
    case .disk(let error):
      "\(error)"
    case .locked(let path, let holder):
      "\(path) is locked by " + (holder.map { "process \($0)" } ?? "another writer")
        + "; only one process may write to a store"
    case .closed(let path):
      "\(path) is closed"
    case .notFound(let path):
      "\(path) does not exist"
    case .alreadyExists(let path):
      "\(path) exists already"
    case .invalidName(let name, let reason):
      "'\(name)' is not a valid name: \(reason)"
    case .settingsUnreadable(let path, let reason):
      "\(path): \(reason); nothing is appended to the topic until this is mended: put the settings "
        + "right and remove the line '#crc32c', or remove the file where the store's settings will "
        + "do; then open the store again"
    case .invalidConfiguration(let name, let reason):
      "\(name): \(reason)"
    case .endOffsetMismatch(let expected, let found):
      "the log ends at offset \(found), not at \(expected); nothing was appended: read what was "
        + "appended meanwhile and decide again"
    case .cancelled(let appended?):
      "the wait was cancelled; the records have the offsets \(appended.lowerBound) to "
        + "\(appended.upperBound - 1) and stay in the log"
    case .cancelled(nil):
      "the wait was cancelled"
    }
  }
}
