/// Up to where a log is known to be durable when it is opened, and what follows from that.
package struct RecoveryPoint: Sendable, Equatable {
  /// A place in a segment from which on its batches must be scanned; below it its index entries are
  /// complete.
  struct ScanStart: Sendable, Equatable {
    var segmentBaseOffset: Int64
    var position: Int
    var offset: Int64
    var largest: TimestampOffset
    /// Leading index entries that were synced with it. Later ones may be torn, so they are counted,
    /// not searched for.
    var offsetEntries: Int
    var timeEntries: Int
  }

  /// All records below were synced.
  package var offset: Int64
  /// Base offset of the first segment to examine, never above `offset` except in a copy. It may end
  /// at the point: all its records are synced then, but if it was rolled since, its indexes may not
  /// have been trimmed.
  package var segmentBaseOffset: Int64
  /// Whether this engine wrote everything at or after `offset` in the session that ended, so that
  /// an invalid batch there is an unfinished write that was never acknowledged.
  var isOwn: Bool
  /// Where to begin scanning in the segment of the point; nil: at its first byte.
  var scanStart: ScanStart?

  /// Nothing is known.
  package static let unknown = RecoveryPoint(
    offset: 0, segmentBaseOffset: 0, isOwn: false, scanStart: nil)

  /// Determines the point from a log's mark and the store's checkpoint.
  ///
  /// The newest slot of the mark says what was synced. Where scanning begins depends on whether the
  /// page cache of the last session still exists: after a power cut index pages are certain only
  /// below the last *synced* slot.
  ///
  /// - Parameter isOutrun: Whether another writer wrote after a clean mark. Only then may the
  ///   checkpoint, which has no CRC, claim more than the mark, which has one.
  package static func judge(
    _ mark: DurableMark.Contents, checkpoint: Int64?, isOutrun: Bool, bootIdentifier: UInt64
  ) -> RecoveryPoint {
    guard let newest = mark.newest else {
      let offset = checkpoint ?? 0
      return RecoveryPoint(
        offset: offset, segmentBaseOffset: offset, isOwn: false, scanStart: nil)
    }
    if mark.isCopy { return copied(newest) }
    let known = isOutrun ? max(checkpoint ?? 0, newest.recoveryPoint) : newest.recoveryPoint
    let start = newest.bootIdentifier == bootIdentifier ? newest : mark.durable
    return RecoveryPoint(
      offset: known,
      segmentBaseOffset:
        known > newest.recoveryPoint ? known : min(known, newest.segmentBaseOffset),
      isOwn: !newest.isClean,
      scanStart: start.map {
        ScanStart(
          segmentBaseOffset: $0.segmentBaseOffset, position: $0.position, offset: $0.recoveryPoint,
          largest: $0.largest, offsetEntries: $0.offsetEntries, timeEntries: $0.timeEntries)
      })
  }

  /// The files of a copy are from different moments, and may not be synced. The mark only shows
  /// from which segment on one of them may end early, and the checkpoint, copied too, nothing.
  private static func copied(_ mark: MarkRecord) -> RecoveryPoint {
    RecoveryPoint(
      offset: 0, segmentBaseOffset: min(mark.recoveryPoint, mark.segmentBaseOffset),
      isOwn: false, scanStart: nil)
  }
}
