internal import DiskIO
internal import Glibc

/// Removing a log's last records, and undoing that: an operator's commands.
extension Store {
  /// Removes every record from `offset` on. They are kept in the log's `.bad/`, from which
  /// `undoTruncation` restores them. The log's leader epoch is raised, so that consumers and
  /// brokers can distinguish the removed records from those that get the offsets next.
  ///
  /// For a log that nothing else in this process uses: its `Log` object ends, readers of it throw
  /// `.closed`, and the returned one takes its place. Bytes that a reader got before
  /// (`FileRecords`) stay unchanged. Programs that only read the directory see the shorter log when
  /// they open it again.
  ///
  /// - Parameters:
  ///   - topicPartition: The log's name.
  ///   - offset: A batch's first offset, or the log's start, which removes all.
  /// - Returns: What was removed, and the log to use. If the log ends at `offset`, nothing was
  ///   removed and the log is the same as before.
  /// - Durability: When this returns the records are removed, durably, and not reported as lost;
  ///   before, a crash or an error leaves all of them, or none. If it throws after the truncation
  ///   was committed, the log is closed, and its next opening completes it.
  /// - Throws: `.offsetOutOfRange`; `.insideBatch` and `.corrupt` with the range of the batch or
  ///   the damage that contains `offset`; `.notFound`, `.closed`, `.poisoned`, `.disk`,
  ///   `.diskFull`.
  /// - Complexity: Reads the segment that holds `offset`, and writes its remaining part, once.
  ///   Blocks; making and deleting logs waits meanwhile.
  ///   Blocks; so does making and deleting logs meanwhile.
  public func truncateLogBlocking(
    _ topicPartition: TopicPartition, from offset: Int64
  ) throws(LogError) -> TruncatedLog {
    try changing(topicPartition) { (log) throws(LogError) -> TruncatedLog in
      guard let writing = log.writing else { throw .readOnly(path: log.path) }
      guard offset >= log.logStartOffset, offset <= log.logEndOffset else {
        throw .offsetOutOfRange(
          offset: offset, logStartOffset: log.logStartOffset, logEndOffset: log.logEndOffset)
      }
      if offset == log.logEndOffset { return TruncatedLog(log) }
      // Also the records that are about to be removed: undoing restores durable records.
      try writing.pipeline.syncOwnFiles()
      let cut = try SuffixCut(log, from: offset)
      try lowerCleanedOffset(of: topicPartition, to: cut.endOffset)
      return try replace(log) { () throws(LogError) in try Truncation(log, cut) }
    }
  }

  /// Restores what the last `truncateLog` of a log removed, unchanged; the leader epoch stays
  /// raised, and begins after the restored records.
  ///
  /// - Returns: What was restored, and the log to use, as `truncateLog`.
  /// - Durability: As `truncateLog`.
  /// - Throws: `.notFound` if there is nothing to undo, or `.bad/` no longer has the files;
  ///   `.offsetOutOfRange` if records were appended since: truncate from the first of them on,
  ///   which keeps them too; else as `truncateLog`.
  public func undoTruncationBlocking(
    of topicPartition: TopicPartition
  ) throws(LogError) -> TruncatedLog {
    try changing(topicPartition) { (log) throws(LogError) -> TruncatedLog in
      guard let writing = log.writing else { throw .readOnly(path: log.path) }
      try writing.pipeline.syncOwnFiles()
      let undo = try Truncation(undoing: log)
      return try replace(log) { () throws(LogError) in undo }
    }
  }

  private func changing(
    _ topicPartition: TopicPartition, _ body: (Log) throws(LogError) -> TruncatedLog
  ) throws(LogError) -> TruncatedLog {
    try naming.withLock { (_) throws(LogError) -> TruncatedLog in
      try closing.withLock { (isClosed) throws(LogError) -> TruncatedLog in
        if isClosed || state.withLock({ $0.isClosed }) { throw .closed(path: path) }
        guard let log = log(topicPartition) else {
          throw .notFound(path: "\(path)/\(topicPartition)")
        }
        try log.health.checkPresent()
        try log.health.checkNotFailed()
        return try body(log)
      }
    }
  }

  /// Ends the log, commits the truncation, and reopens the log, which executes it.
  private func replace(
    _ log: Log, _ make: () throws(LogError) -> Truncation
  ) throws(LogError) -> TruncatedLog {
    // From here on nothing is appended, and only this function changes the files.
    log.giveUp()
    var failure: LogError?
    do throws(LogError) {
      // The journal's entries must not bring back what is removed.
      try context.endJournalEntries(of: log.topicPartition, below: Int64.max)
      try log.store.truncateSuffix(try make())
    } catch {
      failure = error
    }
    let (new, completed) = try loadOrFail(log)
    take(new, inPlaceOf: log)
    // The error may have come after the commit.
    guard let completed else { throw failure ?? .closed(path: log.path) }
    // The mark says the same, with a CRC.
    writeCheckpointsOrLog()
    return TruncatedLog(new, completed)
  }

  private func loadOrFail(_ log: Log) throws(LogError) -> (Log, Truncation?) {
    do throws(LogError) {
      return try load(log)
    } catch {
      // Opening it again finds the log unchanged, or completes what is committed.
      switch error.kind {
      case .disk(let cause), .diskFull(let cause): log.health.fail(cause)
      default: log.health.fail(DiskError(.open, log.path, code: EIO))
      }
      throw error
    }
  }

  /// A cleaner has not cleaned what comes after the end. If this is lowered too early, it cleans
  /// more than it must.
  private func lowerCleanedOffset(
    of topicPartition: TopicPartition, to end: Int64
  ) throws(LogError) {
    do throws(DiskError) {
      let found = try OffsetCheckpoint.usable(context.disk, directory: path, .cleaner).offsets
      guard let cleaned = found[topicPartition], cleaned > end else { return }
      var checkpoint = OffsetCheckpoint(found)
      checkpoint.offsets[topicPartition] = end
      try checkpoint.write(context.disk, directory: path, .cleaner)
    } catch {
      throw LogError(error)
    }
  }
}
