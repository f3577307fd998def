internal import DiskIO

/// A flush whose sync other logs share. Whoever began it holds the flush role until it ends, so
/// that it is as any other to everybody else.
extension FlushPipeline {
  /// Begins a flush of what was appended so far.
  ///
  /// Only of appends to the active segment: what a roll leaves (trimmed indexes, new names,
  /// producer snapshots) goes the log's own way, which is seldom.
  package func beginSharedFlush(by group: GroupSync) -> Flusher.SharedFlushStart {
    guard !health.isFailed, role.tryTake() else { return .alone }
    guard !health.isGone, isCovered(by: group) else {
      giveBackRole()
      return .alone
    }
    var isIdle = false
    let work = writer.takeFlushWork { state in
      guard state.active != nil, state.unsyncedSealed.isEmpty, !state.isDirectoryDirty,
        state.pendingSnapshots.isEmpty
      else { return false }
      isIdle = offsets.end.value == offsets.flushed.value
      return !isIdle
    }
    guard let work, let active = work.active else {
      giveBackRole()
      return isIdle ? .idle : .alone
    }
    withState { $0.sharedWork = work }
    return .begun(byteCount: mark.unflushedBytes(of: active))
  }

  /// Lets go of a flush that was begun: nothing of it has happened.
  package func abandonSharedFlush() {
    withState { $0.sharedWork = nil }
    giveBackRole()
  }

  /// Starts bringing the flush's bytes to the disk.
  ///
  /// - Returns: False where that failed, which marks the log as failed and ends the flush: the file
  ///   has told its error, and would not tell it again.
  package func writeSharedFlush() -> Bool {
    guard let work = withState({ $0.sharedWork }), let active = work.active else {
      preconditionFailure("I7: \(log.path): no shared flush was begun")
    }
    do throws(DiskError) {
      try active.log.writeOut()
      return true
    } catch {
      health.fail(error)
      abandonSharedFlush()
      return false
    }
  }

  /// Ends the flush and wakes who waits for it.
  ///
  /// - Parameter isSynced: Whether a sync has covered it that began after `writeSharedFlush`;
  ///   without one the log syncs for itself.
  package func endSharedFlush(isSynced: Bool) {
    let work = withState { state in
      defer { state.sharedWork = nil }
      return state.sharedWork
    }
    guard let work else { preconditionFailure("I7: \(log.path): no shared flush was begun") }
    // A failure ends the log and reaches whoever waits; no one else is to be told.
    _ = finish(work, isSynced: isSynced)
    giveBackRole()
  }

  /// Whether the directory is on the group's file system; looked at once.
  private func isCovered(by group: GroupSync) -> Bool {
    if let known = withState({ $0.isCovered }) { return known }
    let isCovered = group.covers(log.path)
    withState { $0.isCovered = isCovered }
    return isCovered
  }
}
