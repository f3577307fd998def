internal import CShims
internal import CoreMetrics
internal import Logging
internal import DiskIO

/// Who flushes a log right now, and what only that one may touch.
package struct FlushRole {
  /// Whether a thread is flushing.
  package var isTaken = false
  /// The mark file, opened by the first write.
  package var mark: DurableMark?
  /// Whether the mark says that this session writes: only then may a byte be appended.
  package var isMarkCurrent = false
  /// Bytes flushed since the mark was last made durable.
  package var bytesSinceMark = 0
  /// Position that was flushed last, to count them.
  package var flushedPosition = 0
  /// The one producer snapshot that stands at no segment's base.
  package var straySnapshot: Int64?
  /// Whether the log was closed, with nothing left to do.
  package var isSettled = false
  /// Whether it was closed without a producer snapshot at its end.
  var lacksClosingSnapshot = false
  /// The last record noted, for a durable mark at the next occasion.
  package var lastRecord: MarkRecord?
  /// What the sync that others share is to make durable.
  var sharedWork: FlushWork?
  /// Whether the store's shared sync covers the log; nil until it was looked at.
  var isCovered: Bool?
}

extension Log {
  /// After this many flushed bytes the mark is made durable: what a power cut can make the next
  /// opening scan (docs/performance.md#recovery).
  package static let markIntervalBytes = 64 << 20

  // MARK: Waiting

  /// Blocks until every record below `offset` is durable, whatever the log's durability mode.
  ///
  /// One fdatasync serves every waiter. The caller runs it itself where nobody else does right now.
  ///
  /// - Throws: `.poisoned` where the sync failed; `.offsetOutOfRange` beyond the log end offset.
  public func waitFlushed(upTo offset: Int64) throws(LogError) {
    guard offset <= logEndOffset else {
      try refuseIfGone()
      throw .offsetOutOfRange(
        offset: offset, logStartOffset: logStartOffset, logEndOffset: logEndOffset)
    }
    while flushed.value < offset {
      try refuseIfPoisoned()
      guard writer != nil else { throw .readOnly(path: path) }
      if takeFlushRole() {
        let outcome = flushStep()
        giveBackFlushRole()
        try outcome.get()
      } else {
        waitForFlush(reaching: offset)
      }
    }
  }

  /// Makes everything appended so far durable. Blocks.
  ///
  /// - Throws: As `waitFlushed(upTo:)`.
  public func flush() throws(LogError) {
    try waitFlushed(upTo: logEndOffset)
  }

  /// Suspends until every record below `offset` is durable, those that are yet to be appended too;
  /// the store's flusher does the sync. Cancelling the task does not end it.
  ///
  /// - Throws: `.poisoned` or `.closed` where that will never be.
  public func flushedEnd(reaches offset: Int64) async throws(LogError) {
    let outcome: OffsetNotifier.Outcome = await withCheckedContinuation { continuation in
      onFlushed(offset) { outcome in continuation.resume(returning: outcome) }
    }
    try outcome.get()
  }

  /// Calls `body` once when every record below `offset` is durable, those that are yet to be
  /// appended too, or the log failed or closed; at once where that is so already, else on the
  /// flushing thread. It must not block.
  public func onFlushed(
    _ offset: Int64, _ body: @escaping @Sendable (Result<Void, LogError>) -> Void
  ) {
    if flushed.onReach(offset, body) != 0 { context.flusher.request(self) }
  }

  /// Parks until the flush that runs now has ended or the offset is reached.
  private func waitForFlush(reaching offset: Int64) {
    _ = flushRole.wait { role in
      !role.isTaken || flushed.value >= offset || poison.isSet
    }
  }

  func takeFlushRole() -> Bool {
    flushRole.withLock { role in
      if role.isTaken { return false }
      role.isTaken = true
      return true
    }
  }

  /// Takes the flush role once nobody else has it.
  func waitForFlushRole() {
    while !takeFlushRole() { _ = flushRole.wait { !$0.isTaken } }
  }

  func giveBackFlushRole() {
    flushRole.withLock { $0.isTaken = false }
    flushRole.broadcast()
    if flushed.hasCallbacks, isDirty { context.flusher.request(self) }
  }

  // MARK: One flush

  /// Makes everything written so far durable and publishes it. Holder of the flush role.
  ///
  /// Order (I7): sealed segments and their trimmed indexes, the active segment, the directory; then
  /// the mark; then the recovery point; then the waiters.
  private func flushStep() -> Result<Void, LogError> {
    guard let writer else { return .success(()) }
    if isDeleted || isGivenUp { return .failure(.closed(path: path)) }
    let work = writer.withLock { state in
      takeSnapshotIfDue(&state)
      return takeFlushWork(&state)
    }
    if work.target == flushed.value && work.sealed.isEmpty && !work.isDirectoryDirty {
      return .success(())
    }
    return finishFlush(work, isSynced: false)
  }

  /// What a flush that begins now has to make durable. Holder of the flush role and the writer
  /// lock.
  func takeFlushWork(_ state: inout LogWriter) -> FlushWork {
    defer {
      state.unsyncedSealed = []
      state.isDirectoryDirty = false
      state.pendingSnapshots = []
    }
    return FlushWork(
      startedNs: mk_monotonic_ns(), target: logEnd.value, active: state.active,
      record: state.active.map { markRecord($0, recoveryPoint: logEnd.value, isClean: false) },
      sealed: state.unsyncedSealed, isDirectoryDirty: state.isDirectoryDirty,
      snapshots: state.pendingSnapshots)
  }

  /// Syncs what a flush has to make durable, notes it in the mark and publishes it. Holder of the
  /// flush role.
  ///
  /// - Parameter isSynced: Whether a sync that was begun after the work was taken has covered it.
  func finishFlush(_ work: FlushWork, isSynced: Bool) -> Result<Void, LogError> {
    do throws(DiskError) {
      if poison.isSet { throw poison.cause }
      if isSynced {
        try work.active?.log.checkWritten()
      } else {
        try context.syncTraffic.sync { () throws(DiskError) in try sync(work) }
      }
      // Synced, but nobody will find it: somebody removed the directory under us.
      if let log = work.active?.log, log.isUnlinked {
        throw DiskError.notFound(.sync, log.path)
      }
      if let active = work.active {
        let flushed = flushRole.withLock { role in
          role.lastRecord?.segmentBaseOffset == active.baseOffset ? role.flushedPosition : 0
        }
        try refuseCut(active, since: flushed)
      }
      writeSnapshots(work.snapshots)
      try note(work)
    } catch {
      poisonLog(error)
      return .failure(.poisoned(path: path, cause: error))
    }
    context.metrics.flushTime.recordNanoseconds(mk_monotonic_ns() - work.startedNs)
    context.metrics.flushedRecords.record(work.target - flushed.value)
    flushed.publish(work.target)
    return .success(())
  }

  private func sync(_ work: FlushWork) throws(DiskError) {
    for sealed in work.sealed {
      try sealed.log.sync()
      settleIndexes(of: sealed)
    }
    try work.active?.log.sync()
    if work.isDirectoryDirty {
      try directory.disk.syncDirectory(directory.path)
      try refuseIfReplaced(work.sealed.map(\.log) + [work.active?.log].compactMap { $0 })
    }
  }

  /// Files that were made by their path and files that were open before must still stand in one
  /// directory: somebody may have put another in its place, and then each holds half a log.
  private func refuseIfReplaced(_ files: [any DiskFile]) throws(DiskError) {
    for file in files where !file.isStillNamed { throw DiskError.notFound(.sync, file.path) }
  }

  /// Notes in the mark what was just made durable.
  private func note(_ work: FlushWork) throws(DiskError) {
    guard let active = work.active, let record = work.record else { return }
    let (mark, isDue) = flushRole.withLock { role -> (DurableMark?, Bool) in
      let byteCount = max(0, active.position - role.flushedPosition)
      context.syncTraffic.noteSynced(byteCount)
      role.bytesSinceMark += byteCount
      if !work.sealed.isEmpty { role.bytesSinceMark += Self.markIntervalBytes }
      role.flushedPosition = active.position
      role.lastRecord = record
      return (role.mark, role.bytesSinceMark >= Self.markIntervalBytes)
    }
    writeOutIndexes(of: active)
    try mark?.noteFlushed(record)
    if isDue { context.flusher.requestMark(self) }
  }
}

// MARK: - What the flusher's thread does

extension Log: Flusher.Client {
  package func flushNow() {
    // A failure poisons the log and reaches whoever waits; there is nobody else to tell.
    do throws(LogError) { try flush() } catch { return }
  }

  package func startFlush() {
    guard let writer else { return }
    writer.withLock { $0.active?.log }?.startSync()
  }

  package var flushIntervalMs: Int? {
    if case .interval(let milliseconds) = config.durability { milliseconds } else { nil }
  }

  package var isDirty: Bool { flushed.value < logEnd.value && !poison.isSet }

  package func refreshMark(force: Bool) {
    let limit = force ? 1 : Self.markIntervalBytes
    guard flushRole.withLock({ $0.bytesSinceMark >= limit }) else { return }
    waitForFlushRole()
    defer { giveBackFlushRole() }
    if poison.isSet { return }
    do throws(DiskError) {
      let (mark, record) = flushRole.withLock { ($0.mark, $0.lastRecord) }
      if let mark, let record { try writeDurableMark(record, mark) }
    } catch {
      poisonLog(error)
    }
  }
}
