internal import DiskIO
internal import Logging

/// The clean close of a log, and the end of its use without one.
extension FlushPipeline {
  /// Makes everything durable, trims the active indexes and writes the clean mark. Every later
  /// append is refused. Idempotent.
  ///
  /// - Throws: If something could not be made durable; the store then writes no clean marker. After
  ///   `.diskFull` everything appended is durable, and `close` may be called again.
  package func close(after recovery: RecoveryReport) throws(LogError) {
    writer.close()
    log.context.flusher.remove(self)
    defer { health.endWaits() }
    if withState({ $0.isSettled }) { return }
    try health.checkNotFailed()
    try syncOwnFiles()
    var snapshotFailure: LogError?
    do throws(LogError) { try producers.loadForClosing(recovery, mark) } catch {
      snapshotFailure = error
    }
    role.take()
    defer { giveBackRole() }
    // Making a mark durable may have failed meanwhile (I8).
    try health.checkNotFailed()
    do throws(DiskError) {
      try producers.writeClosingSnapshot(hasMark: mark.isThere)
    } catch {
      if error.isDiskFull { throw .diskFull(error) }
      snapshotFailure = LogError(error)
    }
    do throws(DiskError) {
      try closeActive(after: recovery)
    } catch {
      // A refused write or allocation may succeed later. A sync is not repeated (I8).
      if error.isDiskFull, !error.isFailedSync { throw .diskFull(error) }
      health.fail(error)
      throw .poisoned(path: log.path, cause: error)
    }
    if let snapshotFailure {
      log.context.logger.warning(
        "no producer snapshot at the log's end; the next opening counts as one after a crash",
        metadata: ["log": "\(log.topicPartition)", "error": "\(snapshotFailure)"])
    }
    withState { state in
      state.isSettled = true
      state.lacksClosingSnapshot = snapshotFailure != nil
    }
  }

  /// Whether the log was closed without the producer snapshot at its end that a clean stop
  /// promises; everything else is in order.
  var lacksClosingSnapshot: Bool { withState { $0.lacksClosingSnapshot } }

  private func closeActive(after recovery: RecoveryReport) throws(DiskError) {
    // The segment that was appended to. If nothing was appended: the one that recovery changed,
    // because its indexes lack their final entry and its mark still says that we write; or the last
    // one, if the mark names another file.
    let isUnsettled = !recovery.wasClean || recovery.isEventful || mark.isCopy
    let open =
      isUnsettled && writer.isDormant ? try writer.activate() : writer.active
    guard var active = open else {
      if isUnsettled { try mark.close(recoveryPoint: offsets.recoveryPoint) }
      return
    }
    try active.removeStrayTail()
    active = try settling.close(active)
    try active.log.sync()
    let (end, durableEnd) = (offsets.end.value, offsets.recoveryPoint)
    precondition(
      durableEnd == end, "I7: a log that ends at \(end) is closed, durable to \(durableEnd)")
    try mark.close(active, recoveryPoint: durableEnd)
    try log.disk.syncDirectory(log.path)
  }

  /// Ends every use of the files: no append and no flush runs any more, and waits fail with
  /// `.closed`. Changes nothing on disk.
  ///
  /// - Parameter mark: Marks the log as closed, before a running flush is waited for.
  func endUse(marking: () -> Void) {
    writer.close()
    marking()
    log.context.flusher.remove(self)
    // A running flush may still use the files; a later one sees that the log is closed.
    role.take()
    giveBackRole()
    health.endWaits()
    writer.release()
    mark.release()
  }
}
