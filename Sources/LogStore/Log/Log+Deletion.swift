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
    waitForFlushRole()
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

  /// Whether the log's store was closed: another session may write to the directory by now.
  package var isGivenUp: Bool { givenUp.load(ordering: .acquiring) }

  /// Ends every use of the files, before the store gives its lock back: what stands in them after
  /// that is for the next session to say, which may cut them. Changes nothing on disk. Idempotent.
  package func giveUp() {
    writer?.withLock { $0.isClosed = true }
    if givenUp.exchange(true, ordering: .acquiringAndReleasing) { return }
    context.flusher.remove(self)
    // A flush that runs may still use the files; one that begins later sees the flag.
    waitForFlushRole()
    giveBackFlushRole()
    endWaits()
    writer?.withLock { state in
      state.active = nil
      state.dormant = nil
      state.unsyncedSealed = []
    }
    flushRole.withLock { $0.mark = nil }
    for segment in segments.snapshot.segments where segment.openFiles != nil {
      segment.setPinned(false)
      context.fileCache.remove(segment)
    }
  }

  /// Throws where the log was deleted or its store was closed.
  func refuseIfGone() throws(LogError) {
    if isDeleted || isGivenUp { throw .closed(path: path) }
  }
}
