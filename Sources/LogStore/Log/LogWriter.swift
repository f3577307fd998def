package import DiskIO
package import RecordFormat

/// What the holder of a log's writer lock owns: the active segment and where the next batch goes.
package struct LogWriter {
  /// The segment that is appended to, open; nil before the first append of a session.
  package var active: ActiveSegment?
  /// The segment that the first append will go on with; nil where it must start a new one.
  package var dormant: DormantSegment?
  /// Epoch that appended batches are stamped with.
  package var leaderEpoch: Int32
  /// Sealed segments that no flush has covered yet, oldest first.
  package var unsyncedSealed: [ActiveSegment] = []
  /// Whether names were made in the log's directory since it was last synced.
  package var isDirectoryDirty = false
  /// Whether the log takes no more appends.
  package var isClosed = false
  /// What is known of the log's producers; right once `ProducerTracking.isLoaded`.
  package var producers = ProducerState(endOffset: 0, expirationMs: Int64.max)
  /// Snapshots of it that the next flush writes.
  package var pendingSnapshots: [PendingSnapshot] = []
  /// Position in the active segment up to which a snapshot was taken.
  package var snapshotPosition = 0

  package init(dormant: DormantSegment?, leaderEpoch: Int32) {
    self.dormant = dormant
    self.leaderEpoch = leaderEpoch
  }
}

/// The last segment of a log that nobody has appended to in this session: no descriptor, no
/// mapping, so that a thousand idle logs cost none.
package struct DormantSegment: Sendable {
  package let segment: Segment
  package var position: Int
  package var nextOffset: Int64
  package var cursor: IndexCursor
  /// Entries of the two indexes that stand in their files and are right.
  package var offsetEntries: Int
  package var timeEntries: Int
  /// When the segment was made, milliseconds since 1970 UTC.
  package var createdMs: Int64
  /// Why the indexes must be made from the log before the segment is gone on with.
  package var indexFault: DiskError?
}

/// The one segment of a log that grows, with what only its writer needs.
package struct ActiveSegment {
  package let segment: Segment
  package let log: any DiskFile
  /// Replaced where an index fails; readers may still use the one before.
  package var offsetIndex: OffsetIndex
  package var timeIndex: TimeIndex
  /// Position behind the last whole batch.
  package var position: Int
  /// Offset of the next record.
  package var nextOffset: Int64
  /// Which batches get index entries.
  package var cursor: IndexCursor
  /// When the segment was made, milliseconds since 1970 UTC, for `segmentMs`.
  package var createdMs: Int64
  /// Whether a failed write may have left bytes behind `position`.
  package var hasStrayTail = false
  /// Why the indexes lack entries and must be made from the log.
  package var indexFault: DiskError?

  package var baseOffset: Int64 { segment.baseOffset }

  /// Why the segment must be rolled before a batch is appended to it, nil where it need not.
  package func rollReason(
    appending byteCount: Int, lastOffset: Int64, config: LogConfig, nowMs: Int64
  ) -> RollReason? {
    if position > config.segmentBytes - byteCount, position > 0 { return .size }
    if position > 0, nowMs - createdMs > config.segmentMs { return .age }
    if offsetIndex.isFull || timeIndex.isFull { return .indexFull }
    if lastOffset - baseOffset > Int64(Int32.max) { return .offsetRange }
    return nil
  }

  /// Makes sure that the entries a batch at `position` may need have their blocks.
  @inline(__always)
  package func reserveEntries(intervalBytes: Int) throws(DiskError) {
    guard cursor.isEntryDue(at: position, intervalBytes: intervalBytes) else { return }
    try offsetIndex.file.reserve()
    try timeIndex.file.reserve()
  }

  /// Notes an appended batch, also in the indexes; `reserveEntries` came before.
  ///
  /// Whatever becomes of an index, the batch is part of the segment: `indexFault` says what failed.
  @inline(__always)
  package mutating func noteAppended(_ header: BatchHeader, intervalBytes: Int) {
    let start = position
    position += header.byteCount
    nextOffset = header.nextOffset
    guard cursor.note(header, at: start, intervalBytes: intervalBytes) else { return }
    do throws(DiskError) {
      try offsetIndex.append(offset: header.lastOffset, position: start)
      try timeIndex.appendIfLarger(cursor.largest)
    } catch {
      indexFault = error
    }
  }

  /// The end that readers may see.
  package var end: SegmentEnd {
    SegmentEnd(
      relativeOffset: UInt32(clamping: nextOffset - baseOffset), position: UInt32(position))
  }
}

/// Why a segment is rolled.
package enum RollReason: String, Sendable {
  case size, age, indexFull, offsetRange
}
