internal import CMkstoreShims
internal import CoreMetrics
internal import DiskIO
internal import RecordFormat
internal import Synchronization

/// Appends batches to a log's active segment. Owns the writer lock and what it guards: the active
/// segment, rolling, and the producer state. Syncs nothing; it only hands work to flushes. Any
/// thread.
package final class Writer: Sendable {
  /// Most sealed segments that may wait for a sync: each holds its log and two indexes open. An
  /// append that finds this many runs a flush, since the flusher does not keep up.
  package static let unsyncedSealedMax = 16

  let log: LogEnvironment
  let store: SegmentStore
  let offsets: LogOffsets
  let health: LogHealth
  let tracking: ProducerTracking
  /// Producers whose batches were refused, and must come again first.
  let refused: RefusedBatches
  private let state: Locked<WriterState>
  /// Threads that are in `prepare`.
  private let preparations = Atomic<Int>(0)

  init(
    _ log: LogEnvironment, _ store: SegmentStore, _ offsets: LogOffsets, _ health: LogHealth,
    _ tracking: ProducerTracking, _ refused: RefusedBatches, state: WriterState
  ) {
    self.log = log
    self.store = store
    self.offsets = offsets
    self.health = health
    self.tracking = tracking
    self.refused = refused
    self.state = Locked(state)
  }

  // MARK: Appending

  /// Assigns the log's next offsets to a valid batch and writes it.
  ///
  /// - Parameter expectedEnd: Where the log must end, or nothing is written; nil: anywhere.
  /// - Returns: What was written, not durable yet, and which flush it requests.
  func append(
    _ batch: inout MutableSpan<UInt8>, _ header: BatchHeader, expectedEnd: Int64? = nil
  ) throws(LogError) -> (result: AppendResult, flush: FlushNeed) {
    let nowMs = log.context.nowMs()
    var header = header
    var logAppendTimeMs: Int64 = -1
    if log.config.timestampType == .logAppendTime {
      logAppendTimeMs = nowMs
      rewriteLogAppendTime(&batch, timestamp: nowMs)
      header.stampLogAppendTime(nowMs)
    }
    let (original, need) = try state.withLock {
      (state) throws(LogError) -> (ProducerState.Batch?, FlushNeed) in
      try checkOpen(state)
      if let expectedEnd, expectedEnd != offsets.end.value {
        throw .endOffsetMismatch(expected: expectedEnd, found: offsets.end.value)
      }
      header.place(at: offsets.end.value, leaderEpoch: state.leaderEpoch)
      assignOffset(&batch, baseOffset: header.baseOffset, leaderEpoch: header.leaderEpoch)
      if header.producerId >= 0, let original = try judge(header, &state) {
        return (original, .none)
      }
      do throws(DiskError) {
        let rolled = try appendPlaced(batch.span, header, to: &state, nowMs: nowMs)
        return (nil, flushNeed(state, rolled: rolled))
      } catch {
        throw health.rejection(for: error)
      }
    }
    if let original { return (AppendResult(duplicateOf: original), .none) }
    let metrics = log.context.metrics
    metrics.appendedBytes.increment(by: header.byteCount)
    metrics.appendedRecords.increment(by: Int(header.recordCount))
    metrics.appendedBatchBytes.record(Int64(header.byteCount))
    return (AppendResult(header, logAppendTimeMs: logAppendTimeMs), need)
  }

  /// The part of an append that needs the writer lock: roll, one pwrite, index, publish.
  ///
  /// - Returns: Whether it began a segment.
  private func appendPlaced(
    _ batch: Span<UInt8>, _ header: BatchHeader, to state: inout WriterState, nowMs: Int64
  ) throws(DiskError) -> Bool {
    let end = offsets.end.value
    precondition(header.baseOffset == end, "I2: batch \(header.baseOffset) at the end \(end)")
    try activate(&state, nowMs: nowMs)
    var rolled = false
    if let reason = state.active!.rollReason(
      appending: header.byteCount, lastOffset: header.lastOffset, config: log.config, nowMs: nowMs)
    {
      try roll(&state, to: header.baseOffset, reason, nowMs: nowMs)
      rolled = true
    }
    if header.producerId >= 0 { noteProducer(header.producerId, state) }
    // Blocks first: a full disk must be detected before anything is written (P4).
    try reserveEntries(&state)
    if InvariantChecks.areOn { checkIsLast(state.active!) }
    try state.active!.append(batch, header, indexIntervalBytes: log.config.indexIntervalBytes)
    offsets.end.publish(header.nextOffset)
    mendActiveIndexes(&state)
    if header.producerId >= 0 {
      state.producers.note(header, activeMs: nowMs)
      if !refused.isEmpty { refused.didCome(header, isDuplicate: false) }
    }
    return rolled
  }

  /// I3: a deleted or closed log has no segments, or those of another session.
  private func checkIsLast(_ active: ActiveSegment) {
    let last = store.state.segments.last
    precondition(
      last === active.segment || health.isGone,
      "I3: segment \(active.baseOffset) is written to, and \(last?.baseOffset ?? -1) is the last")
  }

  /// Which flush an append requests, since sealed segments must not pile up unsynced, with their
  /// files open.
  private func flushNeed(_ state: borrowing WriterState, rolled: Bool) -> FlushNeed {
    if state.unsyncedSealed.count >= Self.unsyncedSealedMax { return .now }
    // In the mode in which the log decides when to sync, no appender waits for a flush.
    return rolled && log.config.durability == .operatingSystem ? .soon : .none
  }

  private func checkOpen(_ state: WriterState) throws(LogError) {
    try health.checkNotFailed()
    if state.isClosed { throw .closed(path: log.path) }
  }

  // MARK: Preparing

  /// Whether an append of this size neither starts a segment nor finds too many unsynced.
  package func isReady(byteCount: Int) -> Bool {
    guard preparations.load(ordering: .acquiring) == 0 else { return false }
    return state.withLock { state in
      guard let active = state.active else { return false }
      return state.unsyncedSealed.count < Self.unsyncedSealedMax
        && rollReason(active, appending: byteCount) == nil
    }
  }

  /// Starts the segment that an append of this size would start.
  ///
  /// - Returns: Which flush that requests.
  func prepare(byteCount: Int) throws(LogError) -> FlushNeed {
    // Stored before the lock is taken: an event loop that sees it calls this instead of waiting.
    preparations.wrappingAdd(1, ordering: .acquiringAndReleasing)
    defer { preparations.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
    return try state.withLock { (state) throws(LogError) in
      try checkOpen(state)
      guard let active = state.active, let reason = rollReason(active, appending: byteCount) else {
        return flushNeed(state, rolled: false)
      }
      do throws(DiskError) {
        try roll(&state, to: offsets.end.value, reason, nowMs: log.context.nowMs())
      } catch {
        throw health.rejection(for: error)
      }
      return flushNeed(state, rolled: true)
    }
  }

  /// Each record is counted as one byte: a roll too early costs nothing.
  private func rollReason(_ active: ActiveSegment, appending byteCount: Int) -> RollReason? {
    var active = active
    return active.rollReason(
      appending: byteCount, lastOffset: offsets.end.value + Int64(byteCount), config: log.config,
      nowMs: log.context.nowMs())
  }

  // MARK: For the flush pipeline

  /// The active segment as it is now; nil before the first append of a session.
  var active: ActiveSegment? { state.withLock { $0.active } }

  /// Opens the segment that appends go to, if this session has not done so yet.
  func activate() throws(DiskError) -> ActiveSegment {
    try state.withLock { (state) throws(DiskError) in
      try activate(&state, nowMs: log.context.nowMs())
      return state.active!
    }
  }

  /// Whether the log has a last segment that this session has not opened.
  var isDormant: Bool { state.withLock { $0.dormant != nil } }

  /// Takes the work of a flush that begins now, if `isDue`. Called by the holder of the flush role.
  func takeFlushWork(if isDue: (borrowing WriterState) -> Bool = { _ in true })
    -> FlushWork?
  {
    state.withLock { state in
      takeSnapshotIfDue(&state)
      guard isDue(state) else { return nil }
      if let active = state.active {
        precondition(
          active.nextOffset == offsets.end.value,
          "I7: a flush to \(offsets.end.value) of segment \(active.baseOffset), which ends at "
            + "\(active.nextOffset)")
        precondition(
          state.unsyncedSealed.allSatisfy { $0.baseOffset < active.baseOffset },
          "I7: an unsynced segment follows the active one, \(active.baseOffset)")
      }
      defer {
        state.unsyncedSealed = []
        state.isDirectoryDirty = false
        state.pendingSnapshots = []
      }
      return FlushWork(
        startedNs: mk_monotonic_ns(), target: offsets.end.value, active: state.active,
        record: state.active.map {
          markRecord(of: $0, recoveryPoint: offsets.end.value, isClean: false)
        },
        sealed: state.unsyncedSealed, isDirectoryDirty: state.isDirectoryDirty,
        snapshots: state.pendingSnapshots)
    }
  }

  /// The work of a sync of the active segment alone, which takes nothing away from the flushes; nil
  /// if more than that has to be made durable.
  func activeFlushWork() -> FlushWork? {
    state.withLock { state in
      guard let active = state.active, state.unsyncedSealed.isEmpty, !state.isDirectoryDirty,
        state.pendingSnapshots.isEmpty
      else { return nil }
      return FlushWork(
        startedNs: mk_monotonic_ns(), target: offsets.end.value, active: active,
        record: markRecord(of: active, recoveryPoint: offsets.end.value, isClean: false),
        sealed: [], isDirectoryDirty: false, snapshots: [])
    }
  }

  /// Whether sealed segments or new names wait for a flush.
  var isUnsynced: Bool {
    state.withLock { !$0.unsyncedSealed.isEmpty || $0.isDirectoryDirty }
  }

  /// Refuses every append from now on.
  package func close() { state.withLock { $0.isClosed = true } }

  /// Closes all files.
  package func release() {
    state.withLock { state in
      state.active = nil
      state.dormant = nil
      state.unsyncedSealed = []
      state.pendingSnapshots = []
    }
  }

  /// Runs `body` with the state under the writer lock; only for extensions of this type.
  func withState<Result, Failure: Error>(
    _ body: (inout WriterState) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try state.withLock(body)
  }
}

extension AppendResult {
  /// For a batch that was just written.
  init(_ header: BatchHeader, logAppendTimeMs: Int64) {
    self.init(
      baseOffset: header.baseOffset, lastOffset: header.lastOffset,
      logAppendTimeMs: logAppendTimeMs, isDurable: false)
  }

  /// For a batch that the log already had.
  init(duplicateOf original: ProducerState.Batch) {
    self.init(
      baseOffset: original.baseOffset, lastOffset: original.lastOffset,
      logAppendTimeMs: original.timestamp, isDurable: false, isDuplicate: true)
  }
}
