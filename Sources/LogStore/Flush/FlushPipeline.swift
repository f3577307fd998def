internal import CMkstoreShims
internal import CoreMetrics
internal import DiskIO

/// Makes a log's appends durable. The first waiter that finds no flush running runs one, and so
/// serves every other waiter (docs/decisions/0004-who-flushes.md). Owns the flush role and the
/// order in which things become durable (I7). Any thread.
package final class FlushPipeline: Sendable {
  let log: LogEnvironment
  let store: SegmentStore
  let offsets: LogOffsets
  let health: LogHealth
  let role: FlushRole
  let writer: Writer
  let settling: IndexSettling
  let mark: SessionMark
  let producers: ProducerKeeper
  private let state = Locked(State())

  /// State that only the holder of the role changes.
  struct State {
    /// The segment that was flushed last, and up to where it is durable, in it or in the journal.
    var durableBase: Int64 = -1
    var durablePosition = 0
    /// The topic's id, once it was read; zero if the directory has none.
    var topicId: Uuid?
    /// Whether the log was closed, with nothing left to do.
    var isSettled = false
    /// Whether it was closed without the producer snapshot at its end that a clean stop promises;
    /// everything else is in order.
    var lacksClosingSnapshot = false
  }

  init(
    _ log: LogEnvironment, _ store: SegmentStore, _ offsets: LogOffsets, _ health: LogHealth,
    _ role: FlushRole, _ writer: Writer, _ access: SegmentAccess, _ producers: ProducerKeeper,
    opened: SessionMark.Opened
  ) {
    self.log = log
    self.store = store
    self.offsets = offsets
    self.health = health
    self.role = role
    self.writer = writer
    self.producers = producers
    settling = IndexSettling(writer, access)
    mark = SessionMark(log, writer, settling, opened)
  }

  /// Runs `body` with the pipeline's own state; only for extensions of this type.
  func withState<Result>(_ body: (inout State) -> Result) -> Result { state.withLock(body) }

  // MARK: Waiting

  /// Blocks until every record below `offset` is durable; see `Log.waitUntilDurable`.
  ///
  /// - Parameter mayAsk: Whether the flusher's threads may do it, if they flush other logs too.
  func waitFlushed(upTo offset: Int64, mayAsk: Bool = true) throws(LogError) {
    while offsets.flushed.value < offset {
      try health.checkNotFailed()
      if mayAsk, log.context.flusher.isCrowded {
        log.context.flusher.request(self)
        _ = try offsets.flushed.wait(offset, timeoutNs: nil)
      } else if role.tryTake() {
        defer { giveBackRole() }
        try health.checkPresent()
        // Another thread may have flushed since the check.
        guard offsets.flushed.value < offset, let work = writer.takeFlushWork() else { return }
        log.context.flusher.beginBlockingFlush()
        defer { log.context.flusher.endBlockingFlush() }
        try finish(work).get()
      } else {
        role.wait { offsets.flushed.value >= offset || health.isFailed }
      }
    }
  }

  /// Makes an empty segment at the log's end the active one, durably.
  func rollNow() throws(LogError) {
    do throws(DiskError) {
      try writer.rollNow()
    } catch {
      throw health.rejection(for: error)
    }
    role.take()
    defer { giveBackRole() }
    try health.checkPresent()
    if let work = writer.takeFlushWork() { try finish(work).get() }
  }

  /// Waits until every record below `offset` is durable in the log's own files.
  func waitSynced(upTo offset: Int64) throws(LogError) {
    if offsets.recoveryPoint < offset { try syncOwnFiles() }
  }

  /// Makes everything appended so far durable in the log's own files, so that it needs no journal.
  package func syncOwnFiles() throws(LogError) {
    while offsets.recoveryPoint < offsets.end.value || writer.isUnsynced {
      try health.checkNotFailed()
      role.take()
      defer { giveBackRole() }
      try health.checkPresent()
      guard let work = writer.takeFlushWork() else { return }
      try finish(work).get()
    }
  }

  /// Makes everything appended so far durable.
  package func flush() throws(LogError) { try waitFlushed(upTo: offsets.end.value) }

  /// Does the flush that an append requests.
  func flush(_ need: FlushNeed) throws(LogError) {
    switch need {
    case .none: break
    case .soon: log.context.flusher.request(self)
    case .now: try flush()
    }
  }

  /// Suspends until every record below `offset` is durable.
  ///
  /// - Returns: False where the task was cancelled before.
  func isFlushed(upTo offset: Int64) async throws(LogError) -> Bool {
    try await offsets.flushed.reached(offset) { log.context.flusher.request(self) }
    return offsets.flushed.value >= offset
  }

  /// Calls `body` once when every record below `offset` is durable; see `Log.onDurable`.
  func onFlushed(
    _ offset: Int64, _ body: @escaping @Sendable (Result<Void, LogError>) -> Void
  ) {
    if offsets.flushed.onReach(offset, body) != 0 { log.context.flusher.request(self) }
  }

  /// Releases the role, and requests another flush if others wait for later appends.
  func giveBackRole() {
    role.giveBack()
    if offsets.flushed.hasCallbacks, isDirty { log.context.flusher.request(self) }
  }

  // MARK: The session

  /// Whether an append needs no preparation before its first byte.
  @inline(__always)
  var hasBegunSession: Bool { mark.isCurrent }

  /// Prepares the first byte of a session: loads the state of the log's producers, which the writer
  /// owns from then on, and writes a durable mark.
  func beginSession() throws(LogError) {
    if mark.isCurrent { return }
    if let fault = log.settingsFault { throw fault }
    try producers.load()
    while !mark.isCurrent {
      try health.checkNotFailed()
      guard role.tryTake() else {
        role.wait { false }
        continue
      }
      defer { giveBackRole() }
      // Another appender may have begun it, and appended, since the check.
      if mark.isCurrent { return }
      try health.checkPresent()
      let (end, durableEnd) = (offsets.end.value, offsets.recoveryPoint)
      precondition(
        durableEnd == end, "I7: a session of a log that ends at \(end) is durable to \(durableEnd)")
      do throws(DiskError) {
        try mark.begin(recoveryPoint: durableEnd)
      } catch {
        // Nothing was appended, so after a full disk the call can be retried. A failed write or
        // sync cannot (I8), nor can a directory that was removed: the records would be lost with
        // it.
        throw health.rejection(for: error)
      }
    }
  }

  // MARK: One flush

  /// Syncs what a flush has to make durable, writes it to the mark and publishes it. For the holder
  /// of the role.
  ///
  /// Order (I7): sealed segments and their trimmed indexes, the active segment, the directory; then
  /// the mark; then the recovery point; then the waiters.
  ///
  func finish(_ work: FlushWork) -> Result<Void, LogError> {
    precondition(role.isHeld, "I7: a flush to \(work.target) without the flush role")
    do throws(DiskError) {
      if let cause = health.cause { throw cause }
      try log.context.syncTraffic.sync { () throws(DiskError) in try sync(work) }
      // It may have happened while an index of a sealed segment was rebuilt, which is otherwise no
      // failure.
      if let cause = health.lostNames { throw cause }
      try noteSynced(work)
    } catch {
      health.fail(error)
      return .failure(.poisoned(path: log.path, cause: error))
    }
    let metrics = log.context.metrics
    metrics.flushTime.recordNanoseconds(mk_monotonic_ns() - work.startedNs)
    metrics.flushedRecords.record(work.target - offsets.flushed.value)
    let (start, end) = (store.startOffset, offsets.end.value)
    precondition(
      start <= work.target && work.target <= end,
      "I1: a recovery point of \(work.target) in a log from \(start) to \(end)")
    offsets.flushed.publish(work.target)
    return .success(())
  }

  /// Notes that everything of a flush is in the log's own files, durably.
  private func noteSynced(_ work: FlushWork) throws(DiskError) {
    if let active = work.active { try checkThere(active) }
    if InvariantChecks.areOn { checkDurable(work) }
    producers.write(work.snapshots, hasMark: mark.isThere)
    if try mark.note(work) { log.context.flusher.requestMark(self) }
    offsets.noteSynced(work.target)
    guard let active = work.active else { return }
    withState { state in
      (state.durableBase, state.durablePosition) = (active.baseOffset, active.position)
    }
  }

  /// Notes a sync of the log's own files that no flush waited for.
  func noteOwnSync(_ work: FlushWork) {
    precondition(role.isHeld, "I7: a sync to \(work.target) is noted without the flush role")
    // A flush since may have come further.
    guard work.target > offsets.recoveryPoint else { return }
    do throws(DiskError) {
      try noteSynced(work)
    } catch {
      return health.fail(error)
    }
    if work.target > offsets.flushed.value { offsets.flushed.publish(work.target) }
  }

  /// Throws if the synced file cannot be found again: its directory was removed, or another process
  /// truncated the file.
  private func checkThere(_ active: ActiveSegment) throws(DiskError) {
    if active.log.isUnlinked { throw DiskError.notFound(.sync, active.log.path) }
    try CutCheck.run(active, since: mark.flushedPosition(in: active), store.state.rules)
  }

  /// I7: a power cut would leave what the flush has made durable.
  private func checkDurable(_ work: FlushWork) {
    for segment in work.sealed + [work.active].compactMap({ $0 }) {
      segment.checkDurable(from: mark.flushedPosition(in: segment))
    }
  }

  private func sync(_ work: FlushWork) throws(DiskError) {
    for sealed in work.sealed where !sealed.segment.isRetired {
      do throws(DiskError) {
        try sealed.log.sync()
      } catch {
        // Deleted meanwhile: it need not become durable.
        if sealed.segment.isRetired { continue }
        throw error
      }
      settling.settle(sealed)
    }
    try work.active?.log.sync()
    guard work.isDirectoryDirty else { return }
    try log.disk.syncDirectory(log.path)
    // Files that were made by their path and files that were open before must still be in one
    // directory. If another directory was put in its place, each holds half a log. A retired
    // segment is expected to have no name: `retire` comes before it is lost.
    for segment in work.sealed + [work.active].compactMap({ $0 })
    where !segment.log.isStillNamed && !segment.segment.isRetired {
      throw DiskError.notFound(.sync, segment.log.path)
    }
  }
}

// MARK: - What the flusher's thread does

extension FlushPipeline: Flusher.Client {
  func flushNow() {
    // A failure fails the log and reaches every waiter; no other caller needs it.
    do throws(LogError) {
      try waitFlushed(upTo: offsets.end.value, mayAsk: false)
    } catch {
      return
    }
  }

  func startFlush() { writer.active?.log.startSync() }

  var flushIntervalMs: Int? {
    if case .interval(let milliseconds) = log.config.durability { milliseconds } else { nil }
  }

  var isDirty: Bool { offsets.flushed.value < offsets.end.value && !health.isFailed }

  func refreshMark(force: Bool) {
    guard mark.isDue(force: force) else { return }
    role.take()
    defer { giveBackRole() }
    if health.isFailed { return }
    do throws(DiskError) {
      try mark.makeDurable()
    } catch {
      health.fail(error)
    }
  }
}
