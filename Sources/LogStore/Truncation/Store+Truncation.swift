internal import DiskIO
internal import Glibc

/// Removing a log's last records, and undoing that: an operator's commands.
extension Store {
  /// Removes every record from `offset` on. They are kept in the log's `.bad/`, by which
  /// `undoTruncation` puts them back; the log's leader epoch is raised, so that consumers and
  /// brokers can tell the records that get the offsets next from these.
  ///
  /// For a log that nothing else in this process uses: its `Log` object ends, readers of it throw
  /// `.closed`, and the one that is returned takes its place. Bytes that a reader was given before
  /// (`FileRecords`) stay as they are. Programs that only read the directory see the shorter log
  /// when they open it again.
  ///
  /// - Parameters:
  ///   - topicPartition: The log's name.
  ///   - offset: A batch's first offset, or the log's start, which removes all.
  /// - Returns: What was removed, and the log to use. Nothing was where the log ends at `offset`;
  ///   and the log is the same as before then.
  /// - Durability: When this returns the records are gone, durably, and not told as lost; before,
  ///   a crash or an error leaves all of them, or none. Where it throws after the truncation began
  ///   to count, the log is closed, and its next opening completes it.
  /// - Throws: `.offsetOutOfRange`; `.insideBatch` and `.corrupt` with the range of the batch or of
  ///   the damage that `offset` is within; `.notFound`, `.closed`, `.poisoned`, `.disk`,
  ///   `.diskFull`.
  /// - Complexity: The segment that holds `offset` is read, and what stays of it is written, once.
  ///   Blocks; so does making and deleting logs meanwhile.
  public func truncateLog(
    _ topicPartition: TopicPartition, from offset: Int64
  ) throws(LogError) -> TruncatedLog {
    try changing(topicPartition) { (log) throws(LogError) -> TruncatedLog in
      guard let writing = log.writing else { throw .readOnly(path: log.path) }
      guard offset >= log.logStartOffset, offset <= log.logEndOffset else {
        throw .offsetOutOfRange(
          offset: offset, logStartOffset: log.logStartOffset, logEndOffset: log.logEndOffset)
      }
      if offset == log.logEndOffset { return TruncatedLog(log) }
      // Also what is about to go: undoing it gives durable records.
      try writing.pipeline.waitFlushed(upTo: log.logEndOffset)
      let cut = try SuffixCut(log, from: offset)
      try lowerCleanedOffset(of: topicPartition, to: cut.endOffset)
      return try replace(log) { () throws(LogError) in try Truncation(log, cut) }
    }
  }

  /// Puts back what the last `truncateLog` of a log removed, as it was; the leader epoch stays, and
  /// begins behind them.
  ///
  /// - Returns: What came back, and the log to use, as `truncateLog`.
  /// - Durability: As `truncateLog`.
  /// - Throws: `.notFound` where there is nothing to undo, or `.bad/` has the files no more;
  ///   `.offsetOutOfRange` where records were appended since: truncate from the first of them on,
  ///   which keeps them too; else as `truncateLog`.
  public func undoTruncation(
    of topicPartition: TopicPartition
  ) throws(LogError) -> TruncatedLog {
    try changing(topicPartition) { (log) throws(LogError) -> TruncatedLog in
      guard log.writing != nil else { throw .readOnly(path: log.path) }
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

  /// Ends the log, lets the truncation count, and reopens the log, which carries it out.
  private func replace(
    _ log: Log, _ make: () throws(LogError) -> Truncation
  ) throws(LogError) -> TruncatedLog {
    // From here on nothing is appended, and nothing is done to the files but here.
    log.giveUp()
    var failure: LogError?
    do throws(LogError) {
      try log.store.truncateSuffix(try make())
    } catch {
      failure = error
    }
    let (new, completed) = try loadOrFail(log)
    take(new, inPlaceOf: log)
    // An error may have come after it began to count.
    guard let completed else { throw failure ?? .closed(path: log.path) }
    // The mark says the same, with a CRC.
    writeCheckpointsOrLog()
    return TruncatedLog(new, completed)
  }

  private func loadOrFail(_ log: Log) throws(LogError) -> (Log, Truncation?) {
    do throws(LogError) {
      return try load(log)
    } catch {
      // Opening it again finds the log as it was, or completes what counts.
      switch error {
      case .disk(let cause), .diskFull(let cause): log.health.fail(cause)
      default: log.health.fail(DiskError(.open, log.path, code: EIO))
      }
      throw error
    }
  }

  /// A cleaner has not cleaned what comes after the end. Lowered too early it cleans more than it
  /// must.
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
