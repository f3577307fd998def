internal import DiskIO

/// A flush whose sync other logs share. The thread that began it holds the flush role until it
/// ends, as for any other flush.
extension FlushPipeline {
  /// Begins a flush of what was appended so far.
  ///
  /// Only for appends to the active segment. What a roll leaves (trimmed indexes, new names,
  /// producer snapshots) is rare and takes a flush of its own.
  func beginSharedFlush(by group: GroupSync) -> Flusher.SharedFlushStart {
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

  /// Cancels a flush that was begun: none of it has happened.
  func abandonSharedFlush() {
    withState { $0.sharedWork = nil }
    giveBackRole()
  }

  /// Starts writing the flush's bytes to the disk.
  ///
  /// - Returns: False if that failed, which marks the log as failed and ends the flush: the file
  ///   has reported its error and would not report it again.
  func writeSharedFlush() -> Bool {
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

  /// Ends the flush and wakes its waiters.
  ///
  /// - Parameter isSynced: Whether a sync that began after `writeSharedFlush` has covered it;
  ///   without one the log syncs by itself.
  func endSharedFlush(isSynced: Bool) {
    let work = withState { state in
      defer { state.sharedWork = nil }
      return state.sharedWork
    }
    guard let work else { preconditionFailure("I7: \(log.path): no shared flush was begun") }
    // A failure fails the log and reaches every waiter; no other caller needs it.
    _ = finish(work, isSynced: isSynced)
    giveBackRole()
  }

  /// Whether the directory is on the group's file system; determined once.
  private func isCovered(by group: GroupSync) -> Bool {
    if let known = withState({ $0.isCovered }) { return known }
    let isCovered = group.covers(log.path)
    withState { $0.isCovered = isCovered }
    return isCovered
  }
}
