/// The removal of a log's last records, or its undoing, as data: the final log, and which files are
/// moved where.
///
/// Stored as text with a CRC (docs/format.md#mkstoretruncation): as `mkstore.truncation` from its
/// commitment until it is done, then as `mkstore.truncated`, from which it can be undone. Read
/// strictly: content that is not byte for byte what `encoded` writes is unreadable.
struct Truncation: Sendable, Equatable {
  /// Name of the file of an unfinished truncation: an opening for writing completes it, and readers
  /// see the final log.
  static let pendingName = "mkstore.truncation"
  /// Name of the file of the last truncation that is done and not undone.
  static let doneName = "mkstore.truncated"

  /// Whether records go to `.bad/`, or come back from it.
  enum Direction: String, Sendable {
    case remove
    case undo
  }

  /// A file that goes to `.bad/`, or comes back from it.
  struct File: Sendable, Equatable {
    /// Its name in the log's directory; a `.log` or a `.txnindex`.
    var name: SegmentName
    var byteCount: Int
    /// Its name in `.bad/`.
    var keptAs: String
  }

  var direction: Direction
  /// Where the log ends without the records, and with them.
  var shortEnd: Int64
  var longEnd: Int64
  /// Base offset of the log's last segment without the records.
  var lastBase: Int64
  /// Whether that segment is a new file, stored under its `.cleaned` names.
  var isReplaced: Bool
  /// The log's epochs once it is done, and those that it had before.
  var epochs: [LeaderEpochCheckpoint.Entry]
  var epochsBefore: [LeaderEpochCheckpoint.Entry]
  /// The content of the log's mark besides its end (`MarkFlags`).
  var markFlags: UInt32
  /// By falling base offset.
  var files: [File]

  /// Where the log ends once it is done.
  var endOffset: Int64 { direction == .remove ? shortEnd : longEnd }
  /// The records that are removed or restored.
  var offsets: Range<Int64> { shortEnd..<longEnd }

  /// The mark of the final log: everything below the end was synced, and this engine writes from
  /// there on, so that files which a power cut leaves are not taken for evidence of later records.
  /// It names no position in a segment; the last one is walked over as a whole.
  func mark(bootIdentifier: UInt64) -> MarkRecord {
    var record = MarkRecord(
      sequence: 0, bootIdentifier: bootIdentifier, recoveryPoint: endOffset,
      segmentBaseOffset: endOffset, position: 0,
      largest: TimestampOffset(timestamp: -1, offset: endOffset), offsetEntries: 0, timeEntries: 0,
      isClean: false)
    let flags = MarkFlags(rawValue: markFlags)
    record.isGapless = flags.isGapless
    // The producers of restored records are not known.
    record.isWithoutProducers = flags.isWithoutProducers && direction == .remove
    record.durability = flags.durability
    return record
  }
}
