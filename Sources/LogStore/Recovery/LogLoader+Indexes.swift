internal import DiskIO
internal import RecordFormat

/// Bringing the indexes of a walked segment in line with its log.
extension LogLoader {
  /// What the index files of a segment hold after a walk.
  struct StoredIndexes {
    /// Entries that are in the files and may be gone on with.
    var offsetEntries: Int
    var timeEntries: Int
    /// Why they must be made from the log before the segment is gone on with.
    var fault: DiskError?
  }

  /// Replaces the index entries after the kept ones.
  ///
  /// A file that cannot be read or written is removed, and made from the log when it is needed. On
  /// a full disk the log opens all the same, with the entries that are there: an index only saves
  /// time (I9).
  mutating func writeIndexes(
    _ outcome: SegmentRecovery.Outcome, _ segment: Segment
  ) throws(DiskError) -> StoredIndexes {
    for kind in [SegmentName.Kind.index, .timeindex] {
      guard let fault = unreadableIndexes[segment.path(kind)] else { continue }
      report.notes.append("\(fault); the index is made from the log")
      discardIndex(segment, kind)
    }
    do throws(DiskError) {
      return try writeFiles(outcome, segment)
    } catch {
      if error.isOutOfDescriptors { throw error }
      report.notes.append("\(error); the index is made from the log when it is needed")
      for kind in [SegmentName.Kind.index, .timeindex] { discardIndex(segment, kind) }
      return StoredIndexes(offsetEntries: 0, timeEntries: 0, fault: error)
    }
  }

  /// Removes an index file, or an empty directory that has its name. What cannot be removed is
  /// told: the index is then kept in memory.
  private mutating func discardIndex(_ segment: Segment, _ kind: SegmentName.Kind) {
    let path = segment.path(kind)
    if !report.rebuiltIndexes.contains(path) { report.rebuiltIndexes.append(path) }
    do throws(DiskError) {
      guard let found = try disk.status(path) else { return }
      if found.kind == .directory { try disk.removeDirectory(path) } else { try disk.remove(path) }
      tail.isDirectoryDirty = true
    } catch {
      report.notes.append("\(error); until it is removed, the index is kept in memory")
    }
  }

  private mutating func writeFiles(
    _ outcome: SegmentRecovery.Outcome, _ segment: Segment
  ) throws(DiskError) -> StoredIndexes {
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
    return StoredIndexes(
      offsetEntries: offsetBytes / OffsetIndex.entryBytes,
      timeEntries: min(timeBytes, keptTimeBytes + unsealedTimeEntries) / TimeIndex.entryBytes)
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
}
