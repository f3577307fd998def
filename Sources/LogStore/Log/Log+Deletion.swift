internal import Synchronization

extension Log {
  /// Whether the log was deleted from its store: its paths may be another log's by now.
  package var isDeleted: Bool { deleted.load(ordering: .acquiring) }

  /// Ends every use of the log before its directory goes: appends and waits fail with `.closed`,
  /// no flush runs any more, and no file is kept open.
  package func endForDeletion() {
    writer?.withLock { $0.isClosed = true }
    deleted.store(true, ordering: .releasing)
    context.flusher.remove(self)
    // A flush that runs may still use paths; one that begins later sees the flag.
    while !takeFlushRole() { _ = flushRole.wait { !$0.isTaken } }
    giveBackFlushRole()
    endWaits()
    writer?.withLock { state in
      state.active = nil
      state.dormant = nil
      state.unsyncedSealed = []
      state.pendingSnapshots = []
    }
    flushRole.withLock { $0.mark = nil }
    let all = segments.snapshot.segments
    segments.update { $0 = [] }
    for segment in all {
      segment.setPinned(false)
      context.fileCache.remove(segment)
    }
  }

  /// Throws where the log was deleted.
  func refuseIfDeleted() throws(LogError) {
    if isDeleted { throw .closed(path: path) }
  }
}
