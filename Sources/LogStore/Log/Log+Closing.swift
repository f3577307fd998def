internal import DiskIO
internal import Logging

extension Log {
  /// Makes everything durable, trims the active indexes and writes the clean mark; after this every
  /// append is refused. Idempotent.
  ///
  /// - Throws: Where something could not be made durable; the store then writes no clean marker.
  ///   `.diskFull` passes: all that was appended is durable, and `close` may be tried again.
  package func close() throws(LogError) {
    guard let writer else { return }
    writer.withLock { $0.isClosed = true }
    context.flusher.remove(self)
    defer { endWaits() }
    if flushRole.withLock({ $0.isSettled }) { return }
    try refuseIfPoisoned()
    try flush()
    var snapshotFailure: LogError?
    do throws(LogError) { try loadForClosingSnapshot() } catch { snapshotFailure = error }
    waitForFlushRole()
    defer { giveBackFlushRole() }
    do throws(DiskError) {
      try writeClosingSnapshot()
    } catch {
      if error.isDiskFull { throw .diskFull(error) }
      snapshotFailure = LogError(error)
    }
    do throws(DiskError) {
      try closeActive()
    } catch {
      // What a write or an allocation was refused, another may get. A sync is not repeated (I8).
      if error.isDiskFull, !error.isFailedSync { throw .diskFull(error) }
      poisonLog(error)
      throw .poisoned(path: path, cause: error)
    }
    if let snapshotFailure {
      context.logger.warning(
        "no producer snapshot at the log's end; the next opening counts as one after a crash",
        metadata: ["log": "\(topicPartition)", "error": "\(snapshotFailure)"])
    }
    flushRole.withLock { role in
      role.isSettled = true
      role.lacksClosingSnapshot = snapshotFailure != nil
    }
  }

  /// Whether the log was closed without the producer snapshot at its end that a clean stop
  /// promises; everything else is in order.
  var lacksClosingSnapshot: Bool { flushRole.withLock { $0.lacksClosingSnapshot } }

  private func closeActive() throws(DiskError) {
    guard var active = try activeToClose() else { return }
    if active.hasStrayTail { try active.log.truncate(to: active.position) }
    active = try settleIndexes(ofActive: active)
    try active.log.sync()
    var mark = flushRole.withLock { $0.mark }
    let record = markRecord(active, recoveryPoint: flushed.value, isClean: true)
    if mark == nil, hadMark {
      mark =
        recovery.wasClean && !hadMarkCopy
        ? try DurableMark.open(directory).0 : try DurableMark.replace(directory, with: record)
    }
    if let mark { try writeDurableMark(record, mark) }
    try directory.disk.syncDirectory(directory.path)
  }

  /// The segment to close: the one that was appended to; where none was, the one that recovery
  /// changed, for its indexes lack their final entry and its mark still says that we write; or the
  /// last one, where the mark names another file.
  private func activeToClose() throws(DiskError) -> ActiveSegment? {
    try writer?.withLock { (state) throws(DiskError) in
      let isUnsettled = !recovery.wasClean || recovery.isEventful || hadMarkCopy
      if isUnsettled, state.dormant != nil { try activate(&state, nowMs: context.nowMs()) }
      return state.active
    }
  }

  func endWaits() {
    let error = LogError.closed(path: path)
    flushed.fail(error)
    logEnd.fail(error)
  }
}
