internal import DiskIO
internal import Synchronization

/// The only editor of a log's `LogState`, with all operations that ever change it.
///
/// The state is behind a lock, with an atomic generation beside it: readers keep a copy and check
/// only the generation until it changes (2–3 ns), so that reading takes no lock in steady state.
/// The new state is stored before the generation (release). Any thread may read; each verb says who
/// may call it.
///
/// A verb that removes files has one order (docs/durability.md#removed-segments): new files are
/// durable, and whatever else must be on disk first; the state is published; old files are renamed;
/// the `Housekeeper` unlinks them after `file.delete.delay.ms`, even if they are still read.
/// Readers of the old state continue with their open files. Files that they open later still belong
/// to the old segment, or the read starts again with the new state.
package final class SegmentStore: Sendable {
  let log: LogEnvironment
  private let current: Locked<LogState>
  private let generationWord: Atomic<UInt64>
  private let startOffsetWord: Atomic<Int64>
  /// The files lock, held while the log's start is written and files of segments are put in place,
  /// renamed or removed: one verb at a time.
  private let files = Locked(FilesState())

  /// State of the log's files.
  private struct FilesState {
    /// Whether this log may not touch them any more.
    var isEnded = false
  }

  /// Publishes the state with which a log is opened.
  init(_ state: LogState, _ log: LogEnvironment) {
    for (segment, next) in zip(state.segments, state.segments.dropFirst()) {
      precondition(
        segment.baseOffset < next.baseOffset,
        "I2: segment \(next.baseOffset) follows \(segment.baseOffset)")
    }
    self.log = log
    current = Locked(state)
    generationWord = Atomic(state.generation)
    startOffsetWord = Atomic(state.startOffset)
  }

  /// Increases with every change (acquire).
  @inline(__always)
  package var generation: UInt64 { generationWord.load(ordering: .acquiring) }

  /// The log's current state.
  package var state: LogState { current.withLock { $0 } }

  /// `state.startOffset`, without the lock (acquire).
  @inline(__always)
  package var startOffset: Int64 { startOffsetWord.load(ordering: .acquiring) }

  // MARK: Verbs that touch no file

  /// Adds a segment whose base offset is the log's end: the new active one or, in a read-only log,
  /// one that its owner began. Called by the holder of the writer lock, or by the thread that
  /// follows the log.
  package func roll(to segment: Segment) {
    edit { state in
      if let last = state.segments.last {
        precondition(
          last.baseOffset < segment.baseOffset,
          "I2: segment \(segment.baseOffset) follows \(last.baseOffset)")
        precondition(
          last.isSealed,
          "I3: segment \(last.baseOffset) may be written to, and \(segment.baseOffset) follows it")
      }
      state.segments.append(segment)
    }
  }

  /// Records the producer snapshots that were written and removed. Called by the holder of the
  /// flush role.
  func noteSnapshot(_ written: Int64, removed: Int64?) {
    edit { state in
      state.snapshotOffsets.removeAll { $0 == written || $0 == removed }
      let index = state.snapshotOffsets.firstIndex { $0 > written }
      state.snapshotOffsets.insert(written, at: index ?? state.snapshotOffsets.endIndex)
    }
  }

  /// Removes the segments before `base`, which the log's owner removed, in a read-only log. Called
  /// by any thread that finds a file missing.
  ///
  /// - Parameter start: The log's start by its owner.
  func followPrefix(to base: Int64, start: Int64) {
    edit { state in
      state.segments.removeAll { $0.baseOffset < base }
      state.startOffset = max(state.startOffset, base, start)
    }
  }

  // MARK: The start

  /// Raises the offset of the first record that may be read; never lowers it. Any thread that does
  /// not hold the writer lock: it is written to the log's `mkstore.start`, durably, before it is
  /// published.
  ///
  /// - Throws: `.disk`, `.diskFull`: nothing is published, and the next opening gives the old start
  ///   or this one; `.closed` if the log was deleted or its store closed.
  func raiseStart(to offset: Int64) throws(LogError) {
    let done: Void?
    do throws(DiskError) {
      done = try changeFiles { () throws(DiskError) in try keepStart(offset) }
    } catch {
      throw LogError(error)
    }
    if done == nil { throw .closed(path: log.path) }
  }

  /// Raises the start durably. Only for the verbs of this type, while no other one runs.
  func keepStart(_ offset: Int64) throws(DiskError) {
    guard offset > startOffset else { return }
    if !log.isReadOnly { try LogStartFile(offset).write(log.directory) }
    edit { state in
      state.startOffset = offset
      state.toldStartOffset = offset
    }
  }

  // MARK: Files

  /// Ends every change of the log's files by this object; waits for a running one.
  ///
  /// - Parameter removingAll: Whether the log was deleted, and has no segment from now on.
  /// - Returns: The segments that it had.
  package func end(removingAll: Bool) -> [Segment] {
    files.withLock { $0.isEnded = true }
    var segments: [Segment] = []
    edit { state in
      segments = state.segments
      if removingAll { state.segments = [] }
    }
    return segments
  }

  /// Runs `body`, which writes files of `segment`, while no verb changes their names.
  ///
  /// - Returns: nil if the segment is no part of the log any more; `body` was then not run.
  func changeFiles<Result>(
    of segment: Segment, _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result? {
    if segment.isRetired { return nil }
    return try files.withLock { (files) throws(DiskError) in
      files.isEnded || segment.isRetired ? nil : try body()
    }
  }

  /// Runs a verb while no other one runs, unless this log may not touch the files any more.
  func changeFiles<Result>(
    _ body: () throws(DiskError) -> Result
  ) throws(DiskError) -> Result? {
    try files.withLock { (files) throws(DiskError) in files.isEnded ? nil : try body() }
  }

  /// Publishes a changed state. Only for the verbs of this type.
  func edit<Result>(_ change: (inout LogState) -> Result) -> Result {
    current.withLock { state in
      let result = change(&state)
      if InvariantChecks.areOn { state.checkInvariants() }
      state.generation += 1
      startOffsetWord.store(state.startOffset, ordering: .releasing)
      generationWord.store(state.generation, ordering: .releasing)
      return result
    }
  }
}
