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

  /// Throws where an earlier sync failed (I8).
  @inline(__always)
  package func refuseIfPoisoned() throws(LogError) {
    guard poison.isSet else { return }
    throw .poisoned(path: path, cause: poison.cause)
  }

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
  public func flush() throws(LogError) {
    try waitFlushed(upTo: logEndOffset)
  }

  /// Suspends until every record below `offset` is durable; the pinned flusher does the sync.
  public func flushedEnd(reaches offset: Int64) async throws(LogError) {
    let outcome: OffsetNotifier.Outcome = await withCheckedContinuation { continuation in
      onFlushed(offset) { outcome in continuation.resume(returning: outcome) }
    }
    try outcome.get()
  }

  /// Calls `body` once when every record below `offset` is durable (or the log failed), on the
  /// flushing thread; it must not block.
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
      try sealed.offsetIndex.file.trimAndSync()
      try sealed.timeIndex.file.trimAndSync()
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
    try mark?.noteFlushed(record)
    if isDue { context.flusher.requestMark(self) }
  }

  /// Holder of the writer lock, or while nobody appends.
  private func markRecord(_ active: ActiveSegment, recoveryPoint: Int64, isClean: Bool)
    -> MarkRecord
  {
    MarkRecord(
      sequence: 0, bootIdentifier: context.disk.bootIdentifier, recoveryPoint: recoveryPoint,
      segmentBaseOffset: active.baseOffset, position: active.position,
      largest: active.cursor.largest, offsetEntries: active.offsetIndex.count,
      timeEntries: active.timeIndex.count, isClean: isClean,
      isWithoutProducers: producers.isLoaded && !producers.mayHoldProducers,
      isGapless: isGapless, durability: config.durability)
  }

  func poisonLog(_ error: DiskError) {
    guard poison.set(error) else { return }
    context.metrics.poisonedLogs.increment()
    context.logger.error(
      "a sync failed; the log refuses writes until it is opened anew",
      metadata: ["log": "\(topicPartition)", "cause": "\(error)"])
    let failure = LogError.poisoned(path: path, cause: error)
    flushed.fail(failure)
    logEnd.fail(failure)
    flushRole.broadcast()
  }
}

extension DiskError {
  /// Whether it says that bytes or names may not be on disk, which no second attempt can prove
  /// otherwise (I8).
  fileprivate var isFailedSync: Bool { operation == .sync || operation == .syncDirectory }
}

// MARK: - The mark

extension Log {
  /// Before the first byte of a session is appended, the mark must durably say that this engine
  /// writes from the recovery point on (docs/durability.md#mark). Costs one sync per log and
  /// session.
  package func markBeforeFirstWrite() throws(LogError) {
    if hasCurrentMark { return }
    // Before the first byte of a session: from here on the state is the writer's.
    try loadProducers()
    while !(flushRole.withLock { $0.isMarkCurrent }) {
      try refuseIfPoisoned()
      guard takeFlushRole() else {
        _ = flushRole.wait { !$0.isTaken }
        continue
      }
      defer { giveBackFlushRole() }
      try refuseIfGone()
      do throws(DiskError) {
        try writeFirstMark()
      } catch {
        // Nothing was appended, so that a full disk may be tried again; a failed sync may not (I8).
        guard error.isFailedSync else {
          throw LogError(error)
        }
        poisonLog(error)
        throw .poisoned(path: path, cause: error)
      }
    }
    setCurrentMark()
  }

  private func writeFirstMark() throws(DiskError) {
    if flushRole.withLock({ $0.isMarkCurrent }) { return }
    let (mark, _) = try DurableMark.open(directory)
    let active = try writer!.withLock { (state) throws(DiskError) -> ActiveSegment in
      try activate(&state, nowMs: context.nowMs())
      return state.active!
    }
    // The mark says that the entries below it are durable.
    try active.offsetIndex.file.sync()
    try active.timeIndex.file.sync()
    let record = markRecord(active, recoveryPoint: flushed.value, isClean: false)
    try mark.noteDurable(record)
    try directory.disk.syncDirectory(directory.path)
    flushRole.withLock { role in
      role.mark = mark
      role.isMarkCurrent = true
      role.flushedPosition = record.position
      role.lastRecord = record
    }
  }

  /// Makes the mark durable; the active indexes come first, so that what stands below a durable
  /// mark has its entries too. A record that a roll has overtaken is left to the next flush, which
  /// brings a newer one.
  private func writeDurableMark(_ record: MarkRecord, _ mark: DurableMark) throws(DiskError) {
    let active = writer?.withLock { $0.active }
    guard let active, active.baseOffset == record.segmentBaseOffset else { return }
    try active.offsetIndex.file.sync()
    try active.timeIndex.file.sync()
    try mark.noteDurable(record)
    flushRole.withLock { role in
      role.bytesSinceMark = 0
      role.lastRecord = record
    }
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
    while !takeFlushRole() { _ = flushRole.wait { !$0.isTaken } }
    defer { giveBackFlushRole() }
    do throws(DiskError) {
      let (mark, record) = flushRole.withLock { ($0.mark, $0.lastRecord) }
      if let mark, let record { try writeDurableMark(record, mark) }
    } catch {
      poisonLog(error)
    }
  }
}

// MARK: - Closing

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
    while !takeFlushRole() { _ = flushRole.wait { !$0.isTaken } }
    defer { giveBackFlushRole() }
    do throws(DiskError) {
      try closeActive()
    } catch {
      // What a write or an allocation was refused, another may get. A sync is not repeated (I8).
      if error.isDiskFull, !error.isFailedSync { throw .diskFull(error) }
      poisonLog(error)
      throw .poisoned(path: path, cause: error)
    }
    flushRole.withLock { $0.isSettled = true }
  }

  private func closeActive() throws(DiskError) {
    guard let active = try activeToClose() else { return }
    if active.hasStrayTail { try active.log.truncate(to: active.position) }
    try active.timeIndex.file.reserve()
    active.timeIndex.appendIfLarger(active.cursor.largest)
    try active.offsetIndex.file.trimAndSync()
    try active.timeIndex.file.trimAndSync()
    try active.log.sync()
    writeClosingSnapshot()
    var mark = flushRole.withLock { $0.mark }
    if mark == nil, hadMark { mark = try DurableMark.open(directory).0 }
    if let mark {
      let record = markRecord(active, recoveryPoint: flushed.value, isClean: true)
      try writeDurableMark(record, mark)
    }
    try directory.disk.syncDirectory(directory.path)
  }

  /// The segment to close: the one that was appended to; where none was, the one that recovery
  /// changed, for its indexes lack their final entry and its mark still says that we write.
  private func activeToClose() throws(DiskError) -> ActiveSegment? {
    try writer?.withLock { (state) throws(DiskError) in
      let isUnsettled = !recovery.wasClean || recovery.isEventful
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
