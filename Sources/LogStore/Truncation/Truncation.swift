/// The removal of a log's last records, or its undoing, as data: what the log is once it is done,
/// and which files go where.
///
/// Kept as text with a CRC (docs/format.md#mkstoretruncation): as `mkstore.truncation` from the
/// moment on from which it counts until it is done, then as `mkstore.truncated`, by which it can be
/// undone. Read strictly: content that is not byte for byte what `encoded` writes is unreadable.
package struct Truncation: Sendable, Equatable {
  /// Name of the file while it is under way: whoever opens the log for writing completes it, and
  /// whoever reads sees the log as it will be.
  package static let pendingName = "mkstore.truncation"
  /// Name of the file of the last one that is done and not undone.
  package static let doneName = "mkstore.truncated"

  /// Whether records go to `.bad/`, or come back from it.
  package enum Direction: String, Sendable {
    case remove
    case undo
  }

  /// A file that goes to `.bad/`, or comes back from it.
  package struct File: Sendable, Equatable {
    /// Its name in the log's directory; a `.log` or a `.txnindex`.
    package var name: SegmentName
    package var byteCount: Int
    /// Its name in `.bad/`.
    package var keptAs: String
  }

  package var direction: Direction
  /// Where the log ends without the records, and with them.
  package var shortEnd: Int64
  package var longEnd: Int64
  /// Base offset of the log's last segment without the records.
  package var lastBase: Int64
  /// Whether that segment is a new file, which waits under its `.cleaned` names.
  package var isReplaced: Bool
  /// The log's epochs once it is done, and those that it had before.
  package var epochs: [LeaderEpochCheckpoint.Entry]
  package var epochsBefore: [LeaderEpochCheckpoint.Entry]
  /// What the log's mark says beside its end (`MarkFlags`).
  package var markFlags: UInt32
  /// By falling base offset.
  package var files: [File]

  /// Where the log ends once it is done.
  package var endOffset: Int64 { direction == .remove ? shortEnd : longEnd }
  /// The records that go, or come back.
  package var offsets: Range<Int64> { shortEnd..<longEnd }

  /// The mark of the log once it is done: all below the end was synced, and this engine writes from
  /// there on, so that nothing which a power cut leaves beside the log tells of records behind it.
  /// It names no place in a segment; the last one is walked over as a whole.
  func mark(bootIdentifier: UInt64) -> MarkRecord {
    var record = MarkRecord(
      sequence: 0, bootIdentifier: bootIdentifier, recoveryPoint: endOffset,
      segmentBaseOffset: endOffset, position: 0,
      largest: TimestampOffset(timestamp: -1, offset: endOffset), offsetEntries: 0, timeEntries: 0,
      isClean: false)
    let flags = MarkFlags(rawValue: markFlags)
    record.isGapless = flags.isGapless
    // Nothing is known of the producers of records that come back.
    record.isWithoutProducers = flags.isWithoutProducers && direction == .remove
    record.durability = flags.durability
    return record
  }
}
