/// What a log consists of at one moment: immutable, published by `SegmentStore` and read without a
/// lock in steady state. A reader that keeps one sees the log as of that moment.
package struct LogState: Sendable {
  /// Segments by rising base offset (I2), the active one last; never empty in an open log.
  package internal(set) var segments: [Segment]
  /// Increases with every change.
  package internal(set) var generation: UInt64 = 1
  /// Offset of the first record that may be read.
  package internal(set) var startOffset: Int64
  /// The log start by the checkpoint when the log was opened. If a log's first files are missing,
  /// only this shows that their records were deleted.
  var toldStartOffset: Int64?
  /// Which leader epoch each part of the log was written in; the last one is the epoch of new
  /// batches.
  package internal(set) var epochs: LeaderEpochCheckpoint
  /// Offsets of the producer snapshots in the directory that may be used, rising.
  var snapshotOffsets: [Int64]
  /// Base offsets of the segments that have a file of aborted transactions.
  package internal(set) var transactionIndexes: Set<Int64>
  /// The rules for batches if only this engine has written the log: whether a gap in offsets is
  /// damage.
  package internal(set) var rules: OwnLogRules

  /// The log's start for the checkpoint; nil if the first segment's name has it.
  var checkpointedStartOffset: Int64? {
    if let first = segments.first, startOffset > first.baseOffset { return startOffset }
    return toldStartOffset.flatMap { $0 > 0 ? $0 : nil }
  }

  /// Index of the last segment whose base offset is at or below `offset`; nil if all are above.
  package func index(of offset: Int64) -> Int? {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].baseOffset <= offset { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : low - 1
  }

  /// The segment after this one; nil for the last, and for one that is no part of the log any more.
  package func segment(after segment: Segment) -> Segment? {
    guard let index = index(of: segment.baseOffset), index + 1 < segments.count else { return nil }
    return segments[index + 1]
  }

  /// Checks I2 and I3 over the whole list, for each published state.
  func checkInvariants() {
    for (segment, next) in zip(segments, segments.dropFirst()) {
      precondition(
        segment.baseOffset < next.baseOffset,
        "I2: segment \(next.baseOffset) follows \(segment.baseOffset)")
      precondition(
        segment.isSealed,
        "I3: segment \(segment.baseOffset) may be written to, and \(next.baseOffset) follows it")
    }
    for (snapshot, next) in zip(snapshotOffsets, snapshotOffsets.dropFirst()) {
      precondition(snapshot < next, "I2: the producer snapshot \(next) follows \(snapshot)")
    }
  }
}
