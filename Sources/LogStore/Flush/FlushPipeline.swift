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
    /// The work of the sync that others share.
    var sharedWork: FlushWork?
    /// Whether the store's shared sync covers the log; nil until determined.
    var isCovered: Bool?
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
  func waitFlushed(upTo offset: Int64) throws(LogError) {
    while offsets.flushed.value < offset {
      try health.checkNotFailed()
      if role.tryTake() {
        defer { giveBackRole() }
        try health.checkPresent()
        // Another thread may have flushed since the check.
        guard offsets.flushed.value < offset, let work = writer.takeFlushWork() else { return }
        try finish(work, isSynced: false).get()
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
    if let work = writer.takeFlushWork() { try finish(work, isSynced: false).get() }
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
      let (end, durableEnd) = (offsets.end.value, offsets.flushed.value)
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
  /// - Parameter isSynced: Whether a sync that began after the work was taken has covered it.
  func finish(_ work: FlushWork, isSynced: Bool) -> Result<Void, LogError> {
    precondition(role.isHeld, "I7: a flush to \(work.target) without the flush role")
    precondition(
      !isSynced || work.isOfActiveAlone,
      "I7: a shared sync for \(work.sealed.count) sealed segments, new names: "
        + "\(work.isDirectoryDirty)")
    do throws(DiskError) {
      if let cause = health.cause { throw cause }
      if isSynced {
        try work.active?.log.checkWritten()
      } else {
        try log.context.syncTraffic.sync { () throws(DiskError) in try sync(work) }
      }
      // It may have happened while an index of a sealed segment was rebuilt, which is otherwise no
      // failure.
      if let cause = health.lostNames { throw cause }
      if let active = work.active { try checkThere(active) }
      if InvariantChecks.areOn { checkDurable(work) }
      producers.write(work.snapshots, hasMark: mark.isThere)
      if try mark.note(work) { log.context.flusher.requestMark(self) }
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
    do throws(LogError) { try flush() } catch { return }
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
