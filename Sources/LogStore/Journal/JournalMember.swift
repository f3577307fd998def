internal import DiskIO

/// A log whose batches the journal holds until the log's own files were synced.
protocol JournalClient: AnyObject, Sendable {
  /// Name of the log's directory.
  var logName: String { get }
  /// Everything below it is in the log's own files, durably.
  var recoveryPoint: Int64 { get }
  /// Whether the journal need keep nothing for it: the log was deleted, or is used no more.
  var needsNoJournal: Bool { get }
  /// Whether a write or sync of its own files failed, so that they will never be synced.
  var isFailed: Bool { get }
  /// Begins a sync of its own files, without holding up its flushes; nil if there is nothing to
  /// sync, or it was done at once.
  func beginOwnSync() -> OwnSync?
  /// Ends it.
  ///
  /// - Parameter isSynced: Whether a sync of everything was done since; else this does its own.
  func endOwnSync(_ sync: OwnSync, isSynced: Bool)
  /// Keeps entries of the journal in a file of the log, durably, because its own files failed.
  func keepEntries(_ groups: [UInt8]) throws(DiskError)
}

/// A sync of a log's own files that appends do not wait for.
struct OwnSync {
  var work: FlushWork
  let log: any DiskFile
}

/// A flush of one log whose bytes are written to the journal, with those of other logs.
protocol JournalMember {
  var client: any JournalClient { get }
  /// What the journal says of the bytes; without their place and CRC.
  var entry: JournalEntry { get }
  /// Reads the bytes from the log's file and checks them.
  func read(into bytes: inout MutableSpan<UInt8>) throws(DiskError)
  /// Ends the flush.
  ///
  /// - Parameter isDurable: Whether the journal holds the bytes durably; else the log syncs itself.
  func end(isDurable: Bool)
}

/// Whether a log's flush can go to the journal.
enum JournalStart {
  /// It has begun; `end` must be called.
  case begun(any JournalMember)
  /// There is nothing to flush.
  case idle
  /// The log must sync itself.
  case alone
}
