public import DiskIO
public import RecordFormat

/// Why the engine refused or could not do what it was asked.
public enum LogError: Error, Sendable {
  /// The offset is below the log's start or beyond its end.
  case offsetOutOfRange(offset: Int64, logStartOffset: Int64, logEndOffset: Int64)
  /// The offset lies in a damaged range; reading goes on at `offsets.upperBound` of the range.
  case corrupt(DamagedRange)
  /// The offset is within a batch, which is not taken apart: give its first offset, or the one
  /// after its last.
  case insideBatch(offset: Int64, batch: Range<Int64>)
  /// Bytes given to `append` are no batch that may be appended.
  case invalidBatch(BatchError)
  /// A ready batch has a time that the log's settings do not allow.
  case invalidTimestamp(found: Int64, reason: String)
  /// A producer's batch does not follow its last one; some batch before it is missing.
  case outOfOrderSequence(producerId: Int64, found: Int32, expected: Int32)
  /// A batch that its producer sent before this one was refused because of the disk and has not
  /// come again: `expected` is its sequence. Send that one first, then this one.
  case earlierBatchRefused(producerId: Int64, found: Int32, expected: Int32)
  /// A producer with a newer epoch has taken this one's place.
  case invalidProducerEpoch(producerId: Int64, found: Int16, current: Int16)
  /// A batch belongs to a transaction, or should, and the log knows it otherwise.
  case invalidTransactionState(producerId: Int64, reason: String)
  /// A batch is larger than `maxMessageBytes` or a segment.
  case recordTooLarge(bytes: Int, limit: Int)
  /// The log was opened for reading only.
  case readOnly(path: String)
  /// A write or sync failed: what is on disk is uncertain, so nothing more is written until the log
  /// is opened again, which checks it (`Store.reopenLog`, or opening the store again).
  case poisoned(path: String, cause: DiskError)
  /// The file system is full, or the limit of file sizes (`ulimit -f`) is reached; nothing was
  /// appended and reads go on. Make room and try again.
  case diskFull(DiskError)
  /// The file system failed otherwise.
  case disk(DiskError)
  /// Another process (or another part of this one) writes to the store.
  case locked(path: String, holder: Int32?)
  /// The log or store was closed.
  case closed(path: String)
  /// No such store, log or file.
  case notFound(path: String)
  /// The log stands already.
  case alreadyExists(path: String)
  /// Not a topic name or not a `<topic>-<partition>` name by Kafka's rules.
  case invalidName(name: String, reason: String)
  /// A setting of the log's topic cannot be read, so that it is not known what may be appended;
  /// reads go on. Mend the file and open the store again.
  case settingsUnreadable(path: String, reason: String)
  /// A setting is out of its range.
  case invalidConfiguration(name: String, reason: String)

  /// Sorts a failed disk call: a full disk is its own case since it passes.
  package init(_ error: DiskError) {
    self = error.isDiskFull ? .diskFull(error) : .disk(error)
  }
}

extension LogError: CustomStringConvertible {
  /// One line for people: what, where, and what to do.
  public var description: String {
    switch self {
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
    }
  }
}
