/// Up to where a log is known to be durable when it is opened, and what may be concluded from it.
package struct RecoveryPoint: Sendable, Equatable {
  /// A place in a segment from which on its batches must be scanned; below it its index entries are
  /// whole.
  package struct ScanStart: Sendable, Equatable {
    package var segmentBaseOffset: Int64
    package var position: Int
    package var offset: Int64
    package var largest: TimestampOffset
  }

  /// All records below were synced.
  package var offset: Int64
  /// Whether what stands at or after `offset` was written by this engine in the session that ended,
  /// so that an invalid batch there is an unfinished write that nobody was promised.
  package var isOwn: Bool
  /// Where to begin scanning in the segment of the point; nil: at its first byte.
  package var scanStart: ScanStart?

  /// Nothing is known.
  package static let unknown = RecoveryPoint(offset: 0, isOwn: false, scanStart: nil)

  /// Judges a log's mark and the store's checkpoint.
  ///
  /// The newest slot of the mark says what was synced. Where scanning begins depends on whether the
  /// page cache that the last session wrote to is still there: after a power cut index pages are
  /// certain only below the last *synced* slot.
  package static func judge(
    _ mark: DurableMark.Contents, checkpoint: Int64?, bootIdentifier: UInt64
  ) -> RecoveryPoint {
    guard let newest = mark.newest else {
      return RecoveryPoint(offset: checkpoint ?? 0, isOwn: false, scanStart: nil)
    }
    let start = newest.bootIdentifier == bootIdentifier ? newest : mark.durable
    return RecoveryPoint(
      offset: max(newest.recoveryPoint, newest.isClean ? checkpoint ?? 0 : 0),
      isOwn: !newest.isClean,
      scanStart: start.map {
        ScanStart(
          segmentBaseOffset: $0.segmentBaseOffset, position: $0.position, offset: $0.recoveryPoint,
          largest: $0.largest)
      })
  }
}
