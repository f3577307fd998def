internal import DiskIO
internal import Synchronization

/// The one editor of a log's `LogState`, with the only ways in which it ever changes.
///
/// The state is kept behind a lock, with an atomic generation beside it: readers keep a copy and
/// look only at the generation until it moves (2–3 ns), so that reading takes no lock in steady
/// state. The new state is stored before the generation (release). Any thread may read; each verb
/// says who may call it.
package final class SegmentStore: Sendable {
  private let current: Locked<LogState>
  private let generationWord: Atomic<UInt64>
  private let startOffsetWord: Atomic<Int64>
  /// The start lock, held while the log's start is written and published.
  private let keeping: Locked<StartKeeping>

  /// Where the log's start is kept.
  private enum StartKeeping {
    case inFile(LogDirectory)
    /// The log is only read: its owner keeps its start.
    case nowhere
    /// The files may be another log's by now.
    case ended(path: String)
  }

  /// Publishes the state that a log is opened with.
  ///
  /// - Parameters:
  ///   - state: The log as it was found.
  ///   - directory: The log's, whose files are changed only where the log is not only read.
  ///   - isReadOnly: Whether it is.
  package init(_ state: LogState, in directory: LogDirectory, isReadOnly: Bool) {
    keeping = Locked(isReadOnly ? .nowhere : .inFile(directory))
    current = Locked(state)
    generationWord = Atomic(state.generation)
    startOffsetWord = Atomic(state.startOffset)
  }

  /// Moves with every change (acquire).
  @inline(__always)
  package var generation: UInt64 { generationWord.load(ordering: .acquiring) }

  /// The log as it is now.
  package var state: LogState { current.withLock { $0 } }

  /// `state.startOffset`, without the lock (acquire).
  @inline(__always)
  package var startOffset: Int64 { startOffsetWord.load(ordering: .acquiring) }

  // MARK: Verbs

  /// Adds a segment whose base offset is the log's end: the new active one, or, in a log that is
  /// only read, one that its owner began. Called by the holder of the writer lock, or by the thread
  /// that follows the log.
  package func roll(to segment: Segment) {
    edit { state in
      precondition(
        state.segments.last.map { $0.baseOffset < segment.baseOffset } ?? true,
        "segment \(segment.baseOffset) does not come after the last one (I2)")
      state.segments.append(segment)
    }
  }

  /// Raises the offset of the first record that may be read; never lowers it. Any thread, but none
  /// that holds the writer lock: it is written to the log's `mkstore.start`, durably, before it is
  /// published.
  ///
  /// - Throws: `.disk`, `.diskFull`, and then nothing is published: the next opening gives the old
  ///   start or this one; `.closed` where the log was deleted or its store closed.
  package func raiseStart(to offset: Int64) throws(LogError) {
    try keeping.withLock { (keeping) throws(LogError) in
      if case .ended(let path) = keeping { throw .closed(path: path) }
      guard offset > startOffset else { return }
      if case .inFile(let directory) = keeping {
        do throws(DiskError) {
          try LogStartFile(offset).write(directory)
        } catch {
          throw LogError(error)
        }
      }
      edit { state in
        state.startOffset = offset
        state.toldStartOffset = offset
      }
    }
  }

  /// From now on the log's files are not touched: they may be another log's, or another session's.
  /// Idempotent.
  package func endKeeping() {
    keeping.withLock { keeping in
      if case .inFile(let directory) = keeping { keeping = .ended(path: directory.path) }
    }
  }

  /// Notes the producer snapshots that were written and removed. Called by the holder of the flush
  /// role.
  package func noteSnapshot(_ written: Int64, removed: Int64?) {
    edit { state in
      state.snapshotOffsets.removeAll { $0 == written || $0 == removed }
      let index = state.snapshotOffsets.firstIndex { $0 > written }
      state.snapshotOffsets.insert(written, at: index ?? state.snapshotOffsets.endIndex)
    }
  }

  /// Leaves no segment, as the log is deleted.
  ///
  /// - Returns: Those that it had.
  package func removeAll() -> [Segment] {
    var removed: [Segment] = []
    edit { state in
      removed = state.segments
      state.segments = []
    }
    return removed
  }

  private func edit(_ change: (inout LogState) -> Void) {
    current.withLock { state in
      change(&state)
      state.generation += 1
      startOffsetWord.store(state.startOffset, ordering: .releasing)
      generationWord.store(state.generation, ordering: .releasing)
    }
  }
}
