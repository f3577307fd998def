internal import DiskIO
internal import Logging

/// Removing the log's oldest records: for retention, and for deletions by users.
extension SegmentStore {
  /// Makes `offset` the log's start, and removes the segments that hold only records below it; the
  /// last segment always stays.
  ///
  /// The start is durable before any file is removed, so a deleted record never comes back,
  /// whatever crashes. Segments that lose their names only later are below the start, and the next
  /// call removes them.
  ///
  /// - Parameter offset: Not beyond what is durable. One below the log's start leaves the start
  ///   unchanged.
  /// - Returns: The segments that were removed.
  /// - Throws: If the start could not be made durable; nothing has changed then.
  @discardableResult
  func dropPrefix(below offset: Int64) throws(DiskError) -> [Segment] {
    let done = try changeFiles { () throws(DiskError) -> ([Segment], RetiredSegments) in
      do throws(DiskError) {
        try keepStart(offset)
      } catch  where error.isDiskFull {
        // Files that are about to be deleted make room.
        try removeIndexes(below: offset)
        try keepStart(offset)
      }
      let (dropped, snapshots) = edit { $0.dropPrefix() }
      return (dropped, retire(dropped, snapshots: snapshots).files)
    }
    guard let (dropped, files) = done else { return [] }
    removeLater(files)
    return dropped
  }

  /// Unlinks the indexes of segments that hold only records below `offset`: if needed once more,
  /// they would be rebuilt from the log (I9).
  private func removeIndexes(below offset: Int64) throws(DiskError) {
    let segments = state.segments
    for (segment, next) in zip(segments, segments.dropFirst()) where next.baseOffset <= offset {
      for kind in [SegmentName.Kind.index, .timeindex] {
        do throws(DiskError) {
          try log.disk.remove(segment.path(kind))
        } catch  where error.isNotFound {
          continue
        }
      }
      log.context.fileCache.remove(segment)
    }
    // File systems with a journal free the blocks once the removal is committed.
    try log.disk.syncDirectory(log.path)
  }

  /// Schedules the unlinking of retired segments' files once `file.delete.delay.ms` has passed.
  /// Called while no verb runs.
  func removeLater(_ files: RetiredSegments) {
    if files.isEmpty { return }
    log.context.housekeeper.schedule(files, afterMs: log.config.fileDeleteDelayMs)
  }

  /// Renames the files of segments that are no longer in the state, oldest first, so that files
  /// that keep their names are always at the log's end. Only for the verbs of this type, while no
  /// other one runs.
  ///
  /// A file that cannot be renamed is reported and left: the next opening finds it below the log's
  /// start, or replaced.
  ///
  /// - Returns: What is to be unlinked, and whether no file keeps its name.
  func retire(
    _ segments: [Segment], snapshots: [Int64]
  ) -> (files: RetiredSegments, isAside: Bool) {
    for segment in segments { segment.retire() }
    let files =
      segments.flatMap { segment in
        [SegmentName.Kind.log, .index, .timeindex, .txnindex].map {
          SegmentName(segment.baseOffset, $0)
        }
      } + snapshots.map { SegmentName($0, .snapshot) }
    var names: [String] = []
    let isAside = files.allSatisfy { renameAside($0, &names) }
    for segment in segments { log.context.fileCache.remove(segment) }
    return (RetiredSegments(segments, named: names, of: self), isAside)
  }

  /// - Parameter names: Receives the file's new name; none if the file does not exist.
  /// - Returns: Whether no file has the old name any more.
  private func renameAside(_ name: SegmentName, _ names: inout [String]) -> Bool {
    var aside = name
    aside.stage = .deleted
    do throws(DiskError) {
      try log.disk.rename(
        log.directory.path(name.fileName), to: log.directory.path(aside.fileName))
      names.append(aside.fileName)
      return true
    } catch {
      if error.isNotFound { return true }
      log.context.rateLimitedLog.log(
        .warning, cause: "removing segments of \(log.topicPartition)",
        "a file of a removed segment keeps its name",
        metadata: ["path": "\(log.directory.path(name.fileName))", "error": "\(error)"])
      return false
    }
  }
}

extension LogState {
  /// Removes the segments that hold only records below the start, and what belongs to them.
  ///
  /// - Returns: These segments, and the offsets of the producer snapshots removed with them.
  fileprivate mutating func dropPrefix() -> (segments: [Segment], snapshots: [Int64]) {
    // The next segment's base shows that this one ends at or before the start.
    let count = segments.dropFirst().prefix { $0.baseOffset <= startOffset }.count
    let dropped = Array(segments.prefix(count))
    segments.removeFirst(count)
    epochs.cut(before: startOffset)
    guard !dropped.isEmpty, let first = segments.first?.baseOffset else { return ([], []) }
    precondition(
      dropped.allSatisfy(\.isSealed), "I3: a segment before \(first) is dropped and written to")
    transactionIndexes.subtract(dropped.map(\.baseOffset))
    let snapshots = snapshotOffsets.filter { $0 < first }
    snapshotOffsets.removeAll { $0 < first }
    return (dropped, snapshots)
  }
}
