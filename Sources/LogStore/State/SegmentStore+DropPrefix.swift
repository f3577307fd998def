package import DiskIO
internal import Logging

/// Removing the log's oldest records: retention, and what users ask to be deleted.
extension SegmentStore {
  /// Makes `offset` the log's start, and takes out the segments that hold only records below it;
  /// the last segment stays whatever it holds.
  ///
  /// The start is durable before anything of the log goes: a record that was deleted never comes
  /// back, whatever crashes. Segments that lose their names only later are below the start, and go
  /// with the next call.
  ///
  /// - Parameter offset: Not beyond what is durable. One below the log's start leaves that as it
  ///   is.
  /// - Returns: The segments that were taken out.
  /// - Throws: Where the start could not be made durable, and then nothing has changed.
  @discardableResult
  package func dropPrefix(below offset: Int64) throws(DiskError) -> [Segment] {
    let done = try changeFiles { () throws(DiskError) -> ([Segment], RetiredSegments) in
      do throws(DiskError) {
        try keepStart(offset)
      } catch  where error.isDiskFull {
        // What is about to be deleted makes room.
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

  /// Unlinks the indexes of segments that hold only records below `offset`: were they needed once
  /// more, they would be made from the log (I9).
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
    // File systems with a journal give the blocks back once the removal is in it.
    try log.disk.syncDirectory(log.path)
  }

  /// Has the files of retired segments unlinked once `file.delete.delay.ms` has passed. While no
  /// verb runs.
  func removeLater(_ files: RetiredSegments) {
    if files.isEmpty { return }
    log.context.housekeeper.schedule(files, afterMs: log.config.fileDeleteDelayMs)
  }

  /// Renames the files of segments that the state holds no longer, oldest first, so that what keeps
  /// its name is always the log's end. For the verbs of this type alone, while no other one runs.
  ///
  /// A file that cannot be renamed is told and left: the next opening finds it below the log's
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

  /// - Parameter names: Gets the name that the file has then; none where it is not there.
  /// - Returns: Whether nothing has the old name any more.
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
  /// Takes out the segments that hold only records below the start, and what goes with them.
  ///
  /// - Returns: They, and the offsets of producer snapshots that go with them.
  fileprivate mutating func dropPrefix() -> (segments: [Segment], snapshots: [Int64]) {
    // The one that the next segment's base shows to end at or before the start.
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
