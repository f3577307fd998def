internal import DiskIO

/// A flush whose sync other logs share. Whoever began it holds the flush role until it ends, so
/// that it is as any other to everybody else.
extension Log {
  /// Begins a flush of what was appended so far.
  ///
  /// Only of appends to the active segment: what a roll leaves (trimmed indexes, new names,
  /// producer snapshots) goes the log's own way, which is seldom.
  package func beginSharedFlush(by group: GroupSync) -> Flusher.SharedFlushStart {
    guard let writer, !poison.isSet, takeFlushRole() else { return .alone }
    guard !isDeleted, !isGivenUp, isCovered(by: group) else {
      giveBackFlushRole()
      return .alone
    }
    let (work, isIdle) = writer.withLock { state -> (FlushWork?, Bool) in
      takeSnapshotIfDue(&state)
      guard state.active != nil, state.unsyncedSealed.isEmpty, !state.isDirectoryDirty,
        state.pendingSnapshots.isEmpty
      else { return (nil, false) }
      if logEnd.value == flushed.value { return (nil, true) }
      return (takeFlushWork(&state), false)
    }
    guard let work, let active = work.active else {
      giveBackFlushRole()
      return isIdle ? .idle : .alone
    }
    return flushRole.withLock { role in
      role.sharedWork = work
      return .begun(byteCount: max(0, active.position - role.flushedPosition))
    }
  }

  /// Lets go of a flush that was begun: nothing of it has happened.
  package func abandonSharedFlush() {
    flushRole.withLock { $0.sharedWork = nil }
    giveBackFlushRole()
  }

  /// Starts bringing the flush's bytes to the disk.
  ///
  /// - Returns: False where that failed, which poisons the log and ends the flush: the file has
  ///   told its error, and would not tell it again.
  package func writeSharedFlush() -> Bool {
    guard let work = flushRole.withLock({ $0.sharedWork }), let active = work.active else {
      preconditionFailure("\(path): no shared flush was begun")
    }
    do throws(DiskError) {
      try active.log.writeOut()
      return true
    } catch {
      poisonLog(error)
      abandonSharedFlush()
      return false
    }
  }

  /// Ends the flush and wakes who waits for it.
  ///
  /// - Parameter isSynced: Whether a sync has covered it that began after `writeSharedFlush`;
  ///   without one the log syncs for itself.
  package func endSharedFlush(isSynced: Bool) {
    let work = flushRole.withLock { role in
      defer { role.sharedWork = nil }
      return role.sharedWork
    }
    guard let work else { preconditionFailure("\(path): no shared flush was begun") }
    // A failure poisons the log and reaches whoever waits; there is nobody else to tell.
    _ = finishFlush(work, isSynced: isSynced)
    giveBackFlushRole()
  }

  /// Whether the directory stands on the group's file system; looked at once.
  private func isCovered(by group: GroupSync) -> Bool {
    if let known = flushRole.withLock({ $0.isCovered }) { return known }
    let isCovered = group.covers(path)
    flushRole.withLock { $0.isCovered = isCovered }
    return isCovered
  }
}
