internal import DiskIO
internal import RecordFormat

/// Carrying out what the walk found.
extension LogLoader {
  /// Before a walk after an unclean stop: what stands in the page cache only becomes durable, for
  /// nothing may be acknowledged on top of it otherwise; and what an earlier failed sync left
  /// there, marked clean though the disk never got it, is dropped, so that the walk sees what the
  /// disk has. What the mark says was synced may stay in memory.
  func syncAndForget(
    _ segment: Segment, _ log: any DiskFile, _ size: Int, _ point: RecoveryPoint
  ) throws(DiskError) {
    if hints.isSynced { try log.checkWritten() } else { try log.sync() }
    let start = point.scanStart.flatMap { start in
      start.segmentBaseOffset == segment.baseOffset ? start.position : nil
    }
    let synced = min(start ?? 0, size)
    log.advise(.dontNeed, at: synced, count: size - synced)
  }

  /// Publishes what the walk found and brings the files in line with it.
  mutating func settle(
    _ outcome: SegmentRecovery.Outcome, segment: Segment, log: any DiskFile
  ) throws(DiskError) {
    for row in outcome.rows { report.add(row) }
    tail.sawProducers = tail.sawProducers || outcome.sawProducers
    tail.greatestProducerId = max(tail.greatestProducerId, outcome.greatestProducerId)
    for range in outcome.damage {
      segment.addDamage(range)
      report.damage.append(range)
    }
    for run in outcome.verified { segment.verified.insert(run) }
    let end = outcome.cut?.position ?? outcome.position
    segment.publish(
      SegmentEnd(
        relativeOffset: UInt32(clamping: outcome.nextOffset - segment.baseOffset),
        position: UInt32(clamping: end)))
    segment.setLargestTimestamp(outcome.index.cursor.largest)
    tail.nextOffset = outcome.nextOffset
    tail.dormant = nil
    if let cut = outcome.cut, access == .read {
      report.notes.append(
        "\(segment.path(.log)) has an unfinished end at position \(cut.position): \(cut.reason)")
    }
    noteLostEnd(of: segment, outcome, size: try log.size())
    guard access == .write else { return }
    let stored = try writeIndexes(outcome, segment)
    if let cut = outcome.cut { try cutOff(cut, segment, log) }
    // Of names that the process before left.
    if !hints.isSynced { tail.isDirectoryDirty = true }
    if !outcome.endsDamaged {
      tail.dormant = DormantSegment(
        segment: segment, position: end, nextOffset: outcome.nextOffset,
        cursor: outcome.index.cursor,
        offsetEntries: stored.offsetEntries, timeEntries: stored.timeEntries,
        createdMs: try disk.status(segment.path(.log))?.createdMs ?? nowMs,
        indexFault: stored.fault)
    }
  }

  /// Cuts a segment's end off; the later segments went aside before.
  private mutating func cutOff(
    _ cut: (position: Int, reason: String), _ segment: Segment, _ log: any DiskFile
  ) throws(DiskError) {
    if let index = segments.firstIndex(where: { $0 === segment }), index + 1 < segments.count {
      try setAside(after: index, reason: cut.reason)
    }
    let size = try log.size()
    let kept = try KeptBytes.keep(
      cut.position..<size, of: log, named: SegmentName(segment.baseOffset, .log).fileName,
      in: directory)
    try log.truncate(to: cut.position)
    try log.sync()
    report.cuts.append(
      .init(
        file: segment.path(.log), position: cut.position, bytes: size - cut.position, keptAs: kept,
        reason: cut.reason))
  }

  /// Moves the segments behind a cut aside, last first, so that a crash on the way leaves no gap.
  private mutating func setAside(after index: Int, reason: String) throws(DiskError) {
    for segment in segments[(index + 1)...].reversed() {
      let size = try disk.status(segment.path(.log))?.size ?? 0
      let kept = try KeptBytes.move(segment.baseOffset, in: directory)
      report.cuts.append(
        .init(
          file: segment.path(.log), position: 0, bytes: size, keptAs: kept,
          reason: "stands behind a cut: \(reason)"))
    }
    try disk.syncDirectory(directory.path)
  }

  mutating func dropSegments(after index: Int) throws(DiskError) {
    segments.removeSubrange((index + 1)...)
  }

  mutating func removeEmpty(at index: Int) throws(DiskError) {
    let isLoss = noteLostContent(of: segments[index])
    let segment = segments.remove(at: index)
    report.add(.r9)
    guard access == .write else { return }
    // What tells of lost records is not removed; see `LostSegment`.
    let kinds: [SegmentName.Kind] = isLoss ? [.log] : [.log, .index, .timeindex, .txnindex]
    for kind in kinds {
      guard try disk.status(segment.path(kind)) != nil else { continue }
      try disk.remove(segment.path(kind))
      report.removedFiles.append(segment.path(kind))
    }
    tail.isDirectoryDirty = true
  }

  /// R8: an empty last segment stays the active one.
  mutating func keepEmptyLast(_ segment: Segment) throws(DiskError) {
    report.add(.r8)
    segment.publish(SegmentEnd(relativeOffset: 0, position: 0))
    tail.nextOffset = max(tail.nextOffset, segment.baseOffset)
    _ = noteLostContent(of: segment)
    guard access == .write else { return }
    var outcome = SegmentRecovery.Outcome(
      position: 0, nextOffset: segment.baseOffset,
      index: IndexAccumulator(
        baseOffset: segment.baseOffset, intervalBytes: config.indexIntervalBytes),
      kept: .none, scanStart: 0)
    outcome.rows = []
    let stored = try writeIndexes(outcome, segment)
    tail.dormant = DormantSegment(
      segment: segment, position: 0, nextOffset: segment.baseOffset,
      cursor: outcome.index.cursor, offsetEntries: 0, timeEntries: 0,
      createdMs: try disk.status(segment.path(.log))?.createdMs ?? nowMs,
      indexFault: stored.fault)
  }

  /// Makes what recovery changed durable and writes it down.
  mutating func finish() throws(DiskError) {
    guard access == .write else { return try dropDamagedPages() }
    if tail.isDirectoryDirty, !hints.isCleanStop || report.isEventful {
      try disk.syncDirectory(directory.path)
    }
    if report.isEventful, let note = RecoveryHistory.add(report, to: directory, nowMs: nowMs) {
      report.notes.append(note)
    }
  }

  /// What this reader found damaged leaves the page cache again: another process may serve the log.
  private func dropDamagedPages() throws(DiskError) {
    for range in report.damage {
      guard !range.bytes.isEmpty, let file = try disk.openIfPresent(range.file) else { continue }
      file.dropPages(around: range.bytes)
    }
  }
}
