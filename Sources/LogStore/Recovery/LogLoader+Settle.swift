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
        offsetEntries: stored.offset, timeEntries: stored.time,
        createdMs: try disk.status(segment.path(.log))?.createdMs ?? nowMs)
    }
  }

  /// Replaces the index entries behind the kept ones.
  ///
  /// On a full disk the log opens all the same, with the entries that are there: an index only
  /// saves time (I9).
  ///
  /// - Returns: Entries that stand in the files and may be gone on with.
  private mutating func writeIndexes(
    _ outcome: SegmentRecovery.Outcome, _ segment: Segment
  ) throws(DiskError) -> (offset: Int, time: Int) {
    let unsealedTimeEntries = outcome.index.timeEntries.count
    var index = outcome.index
    let goesOn = segment === segments.last && !outcome.endsDamaged
    if !goesOn { index.seal() }
    var final = index
    final.seal()
    let sealed = final.timeEntries
    var isRebuilt = false
    func replace(_ kind: SegmentName.Kind, _ kept: Int, _ fresh: [UInt8]) throws(DiskError) -> Int {
      let path = segment.path(kind)
      do throws(DiskError) {
        let found = try disk.openIfPresent(path, .readWrite)
        let isMissing = found == nil
        let file = if let found { found } else { try disk.open(path, .create) }
        isRebuilt = isRebuilt || isMissing
        tail.isDirectoryDirty = tail.isDirectoryDirty || isMissing
        if kind == .timeindex, goesOn, try holds(file, kept, sealed) { return kept + fresh.count }
        if fresh.isEmpty, try isKeptAsItIs(file, kept, goesOn: goesOn) { return kept }
        try file.truncate(to: kept)
        do throws(DiskError) {
          if !fresh.isEmpty { try file.write(fresh.span, at: kept) }
        } catch  where error.isDiskFull {
          try file.truncate(to: kept)
          report.notes.append("the disk is full: \(path) ends early")
          return kept
        }
        // Nobody goes on with the segment: its indexes are final.
        if !goesOn { try file.sync() }
        return kept + fresh.count
      } catch  where error.isDiskFull {
        report.notes.append("the disk is full: \(path) could not be made")
        return 0
      }
    }
    let offsetBytes = try replace(
      .index, outcome.kept.offsetEntries * OffsetIndex.entryBytes, index.offsetEntries)
    let keptTimeBytes = outcome.kept.timeEntries * TimeIndex.entryBytes
    let timeBytes = try replace(.timeindex, keptTimeBytes, index.timeEntries)
    if isRebuilt { report.rebuiltIndexes.append(segment.path(.index)) }
    return (
      offsetBytes / OffsetIndex.entryBytes,
      min(timeBytes, keptTimeBytes + unsealedTimeEntries) / TimeIndex.entryBytes
    )
  }

  /// Whether a time index ends as a close leaves it: with the entries behind the kept ones and the
  /// final one. The next append cuts that off, and where none comes nobody would write it again.
  private func holds(_ file: any DiskFile, _ kept: Int, _ sealed: [UInt8]) throws(DiskError) -> Bool
  {
    guard hints.isCleanStop, try file.size() == kept + sealed.count else { return false }
    var bytes = [UInt8](repeating: 0, count: sealed.count)
    var target = bytes.mutableSpan
    return try file.read(into: &target, at: kept) == sealed.count && bytes == sealed
  }

  /// Whether an index needs no cut: it ends with the kept bytes, or only the zeros that were
  /// allocated for more entries stand behind them. Freeing those, of thousands of logs, is most of
  /// what a start after a kill would wait for; the log's first append and its close cut them.
  private func isKeptAsItIs(
    _ file: any DiskFile, _ kept: Int, goesOn: Bool
  ) throws(DiskError) -> Bool {
    let size = try file.size()
    guard goesOn, size > kept, size - kept <= IndexFile.allocationBytesMin else {
      return size == kept
    }
    return try KeptBytes.isAllZeros(kept..<size, of: file)
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
    _ = try writeIndexes(outcome, segment)
    tail.dormant = DormantSegment(
      segment: segment, position: 0, nextOffset: segment.baseOffset,
      cursor: outcome.index.cursor, offsetEntries: 0, timeEntries: 0,
      createdMs: try disk.status(segment.path(.log))?.createdMs ?? nowMs)
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
