internal import DiskIO
internal import RecordFormat

/// What stands beside the segments and must agree with where the log turned out to end.
extension LogLoader {
  /// The log's epochs as they stand on disk; nil where they are missing or do not read.
  mutating func readEpochs() -> LeaderEpochCheckpoint? {
    do throws(CheckpointError) {
      return try LeaderEpochCheckpoint.read(disk, directory: directory.path)
    } catch {
      report.notes.append("\(error); epoch 0 is used for new batches")
      return nil
    }
  }

  /// The log's epochs between its start and its end, as Kafka cuts them when it loads a log.
  ///
  /// An epoch that was to begin beyond the end (its batches are lost) begins at the end: epochs
  /// never go back, and the next batches are of the last one.
  mutating func leaderEpochs(
    _ onDisk: LeaderEpochCheckpoint?, from start: Int64
  ) throws(DiskError) -> LeaderEpochCheckpoint {
    var entries = onDisk?.entries ?? []
    let end = tail.nextOffset
    let beyond = entries.last.flatMap { $0.startOffset > end ? $0.epoch : nil }
    if let beyond {
      entries.removeAll { $0.startOffset >= end }
      entries.append(.init(epoch: beyond, startOffset: end))
    }
    let fitting = LeaderEpochCheckpoint(entries)
    if beyond != nil, access == .write {
      try fitting.write(disk, directory: directory.path)
    }
    if let first = entries.lastIndex(where: { $0.startOffset <= start }) {
      entries.removeFirst(first)
      entries[0].startOffset = start
    }
    return LeaderEpochCheckpoint(entries)
  }

  /// What names and the mark tell of the log's producers; removes the snapshots that are of no use.
  ///
  /// A snapshot beyond the log's end is of batches that are lost. It goes, durably, before others
  /// take their offsets: were it to come back, it would speak of them.
  mutating func producerTracking(_ layout: SegmentLayout, _ mark: DurableMark.Contents)
    throws(DiskError) -> ProducerTracking
  {
    let end = tail.nextOffset
    let bases = Set(segments.map(\.baseOffset))
    let (kept, strays) = Self.sortSnapshots(layout.snapshots.filter { $0 <= end }, bases)
    if access == .write {
      let lost = layout.snapshots.filter { $0 > end }
      for offset in lost + strays {
        try disk.remove(directory.path(SegmentName(offset, .snapshot).fileName))
      }
      if !lost.isEmpty { try disk.syncDirectory(directory.path) }
    }
    return ProducerTracking(
      snapshotOffsets: kept,
      transactionIndexes: Set(
        layout.entries.filter(\.hasTransactionIndex).map(\.baseOffset)
      ).intersection(bases),
      isOwn: mark.newest.map { $0.recoveryPoint == end || !$0.isClean } ?? false,
      isKnownEmpty: isWithoutProducers(mark) || (end == 0 && layout.snapshots.isEmpty))
  }

  /// Kafka's rule: those at a segment's base stay, and the newest if it lies behind all of them.
  static func sortSnapshots(_ offsets: [Int64], _ bases: Set<Int64>) -> (
    kept: [Int64], strays: [Int64]
  ) {
    var kept = offsets.filter { bases.contains($0) }
    var strays = offsets.filter { !bases.contains($0) }
    if let newest = strays.last, newest > bases.max() ?? -1 {
      strays.removeLast()
      kept.append(newest)
    }
    return (kept, strays)
  }

  /// Whether the mark and what was scanned behind it show that the log knows no producer.
  private func isWithoutProducers(_ mark: DurableMark.Contents) -> Bool {
    guard let newest = mark.newest, newest.isWithoutProducers else { return false }
    if newest.recoveryPoint == tail.nextOffset { return true }
    // Everything from our own point on was scanned.
    return !newest.isClean && !hints.isCleanStop && !tail.sawProducers
  }
}
