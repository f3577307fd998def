public import DiskIO
public import Logging

/// A store: a directory as one entry of Kafka's `log.dirs`, with every log in it, owned by this
/// process alone.
///
/// ```swift
/// let store = try await Store.open("data", .createIfMissing)
/// print(store.report.found, store.logs.count)
/// try await store.close()
/// ```
///
/// Takes Kafka's own lock file, so that a running broker and this process exclude each other; any
/// number of other processes may read meanwhile (`Log.openReadOnly`). Every method may be called
/// from any thread.
///
/// No signal's disposition is changed: where files may not outgrow a limit (`ulimit -f`), ignore
/// SIGXFSZ, so that a write beyond it throws `.diskFull` instead of ending the process.
public final class Store: Sendable {
  /// Path of the store's directory.
  public let path: String
  /// What opening found and did.
  public let report: StoreReport
  /// Threads for reads that may wait for the disk.
  package var fetchers: FetcherPool { context.fetchers }

  package let context: StoreContext
  /// How it was opened.
  package let config: StoreConfig
  let state: Locked<State>
  /// Held while a log is made or deleted, before `state`, so that a topic's partitions agree.
  let naming = Locked(())
  /// Held while checkpoints are written, before `state`: each is whole, and none older than the one
  /// before.
  private let checkpointing = Locked(())
  /// What they say of logs that could not be opened.
  private let unopened: StoreCheckpoints
  /// Held while the store is being closed; whether it was.
  let closing = Locked(false)

  struct State {
    var logs: [TopicPartition: Log]
    /// Ids of topics, as far as they were asked for.
    var topicIds: [String: Uuid] = [:]
    /// Topics whose settings cannot be read, and why.
    var settingsFaults: [String: LogError] = [:]
    /// Whether the checkpoints on disk may speak of a log that was deleted, and so of the next one
    /// of its name.
    var checkpointsNameDeleted = false
    /// Whether the checks for what retention deletes were begun.
    var checksRetention = false
    var isClosed = false
  }

  /// Name of Kafka's lock file.
  static let lockName = ".lock"

  private init(
    path: String, config: StoreConfig, context: StoreContext, logs: [Log],
    report: StoreReport, unopened: StoreCheckpoints
  ) {
    self.path = path
    self.config = config
    self.context = context
    self.report = report
    self.unopened = unopened
    var state = State(logs: Dictionary(uniqueKeysWithValues: logs.map { ($0.topicPartition, $0) }))
    for log in logs { state.settingsFaults[log.topicPartition.topic] = log.settingsFault }
    self.state = Locked(state)
  }

  /// Without `close` the store counts as not cleanly stopped; what was acknowledged is there. The
  /// lock stays until the last of its logs has gone too.
  deinit {
    fetchers.stop()
    context.housekeeper.stop()
    context.flusher.journal?.stop()
    context.flusher.stop()
  }

  /// Ends every use of the files, then gives the lock back.
  private func giveUp() {
    for log in logs { log.giveUp() }
    context.rateLimitedLog.tellRest()
    context.lock?.release()
  }

  // MARK: Opening

  /// Opens a store for writing; see `openBlocking` for durability and cost.
  ///
  /// ```swift
  /// let store = try await Store.open("data", .createIfMissing)
  /// ```
  ///
  /// - Parameters:
  ///   - path: The store's directory.
  ///   - creation: What happens where there is no store yet.
  ///   - config: How it is opened.
  ///   - disk: The file system that it is on.
  ///   - logger: Where recovery and failures are told; nil: the process's logging system, label
  ///     `mkstore`.
  /// - Throws: `.locked`, `.notFound`, `.disk`, `.diskFull`, `.invalidConfiguration`.
  public static func open(
    _ path: String, _ creation: Creation = .mustExist, config: StoreConfig = StoreConfig(),
    disk: any Disk = PosixDisk(), logger: Logger? = nil
  ) async throws(LogError) -> Store {
    // Here, since another thread does not see what this task's logger is.
    let logger = DefaultLogger.resolve(logger)
    return try await OneOffThread.run { () throws(LogError) in
      try openBlocking(path, creation, config: config, disk: disk, logger: logger)
    }
  }

  /// Opens a store, runs `body` with it and closes it, however `body` ends.
  ///
  /// ```swift
  /// try await Store.withStore("data", .createIfMissing) { store in
  ///   let orders = try await store.log("orders", .createIfMissing)
  ///   try await orders.append([NewRecord(value: "2 apples")])
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - path: The store's directory.
  ///   - creation: What happens where there is no store yet.
  ///   - config: How it is opened.
  ///   - disk: The file system that it is on.
  ///   - logger: As `open`.
  ///   - body: What to do; logs and readers end with it.
  /// - Throws: What `body` throws, else what opening or closing does.
  nonisolated(nonsending) public static func withStore<Value>(
    _ path: String, _ creation: Creation = .mustExist, config: StoreConfig = StoreConfig(),
    disk: any Disk = PosixDisk(), logger: Logger? = nil,
    _ body: nonisolated(nonsending) (Store) async throws -> Value
  ) async throws -> Value {
    let store = try await open(path, creation, config: config, disk: disk, logger: logger)
    let result: Value
    do {
      result = try await body(store)
    } catch {
      // The body's error says more than one of the close; without a clean close the next opening
      // recovers.
      do throws(LogError) {
        try await store.close()
      } catch let failure {
        store.context.logger.warning(
          "a store was not closed in order", metadata: ["path": "\(path)", "error": "\(failure)"])
      }
      throw error
    }
    try await store.close()
    return result
  }

  /// Opens a store for writing: takes the lock, recovers every log, and is ready. Blocks; see
  /// `open` for async code.
  ///
  /// - Parameters:
  ///   - path: The store's directory.
  ///   - creation: What happens where there is no store yet.
  ///   - config: How it is opened.
  ///   - disk: The file system that it is on.
  ///   - logger: Where recovery and failures are told; nil: the process's logging system, label
  ///     `mkstore`.
  /// - Durability: The clean-shutdown marker is removed, durably, before any log is changed; what
  ///   only the clean stop tells of them is noted before. Where this throws it was not removed,
  ///   unless the removal itself failed. What recovery cut is durable when this returns.
  /// - Throws: `.locked`, `.notFound`, `.disk`, `.diskFull`, `.invalidConfiguration`.
  ///   A log that cannot be opened fails alone, see `report`.
  /// - Complexity: A few system calls per log plus a scan of its unsynced tail.
  public static func openBlocking(
    _ path: String, _ creation: Creation = .mustExist, config: StoreConfig = StoreConfig(),
    disk: any Disk = PosixDisk(), logger: Logger? = nil
  ) throws(LogError) -> Store {
    let logger = DefaultLogger.resolve(logger)
    try config.validate()
    if config.mapsIndexes {
      do throws(DiskError) { try MappingGuard.install() } catch { throw LogError(error) }
    }
    let startMs = config.nowMs()
    let path = PathText.trimmed(path)
    let creates = config.createsStore || creation == .createIfMissing
    let isNew = try StoreDirectory.prepare(path, disk, creates: creates)
    let lock = try StoreDirectory.lock(path, disk)
    let context = StoreContext(
      disk: disk, fileCache: SegmentFileCache(capacity: config.openSegmentsMax),
      flusher: Flusher(
        checkpointIntervalMs: config.checkpointIntervalMs, threadsMax: config.flusherThreadsMax,
        now: config.monotonicNs),
      fetchers: FetcherPool(cores: config.fetcherCores, nice: config.fetcherNice),
      housekeeper: Housekeeper(usesThread: config.startsFlusher, now: config.monotonicNs),
      nowMs: config.nowMs, logger: logger,
      metrics: StoreMetrics(), producerExpirationMs: config.producerExpirationMs,
      syncTraffic: SyncTraffic(now: config.monotonicNs),
      rateLimitedLog: RateLimitedLog(logger, now: config.monotonicNs),
      policies: RetentionPolicies(disk, directory: path),
      clock: StoreClock(
        wallMs: config.nowMs, monotonicNs: config.monotonicNs,
        intervalMs: Int64(config.retentionCheckIntervalMs)),
      lock: lock)
    do throws(LogError) {
      var opening = StoreOpening(path: path, config: config, context: context)
      let logs = try opening.run()
      context.clock.begin(
        keptWallMs: context.policies.keptWallMs, startWaitMs: config.clockDoubtWaitMs)
      opening.report.isNew = isNew
      opening.report.openMs = config.nowMs() - startMs
      let manager = Store(
        path: path, config: config, context: context, logs: logs,
        report: opening.report, unopened: opening.unopened)
      manager.startJournal(opening)
      if opening.holdsStaleCheckpoints {
        // Until they are written no log of such a name is made.
        manager.state.withLock { $0.checkpointsNameDeleted = true }
        manager.writeCheckpointsOrLog()
      }
      manager.start(logs)
      for path in opening.deleted { manager.removeFiles(ofDeleted: path) }
      return manager
    } catch {
      lock.release()
      throw error
    }
  }

  /// Begins to use the journal; that of the last session is durably emptied first.
  private func startJournal(_ opening: StoreOpening) {
    let settings = Journal.Settings(
      logCountMin: config.journalLogsMin, fileBytes: config.journalBytesMax / 8, filesMax: 8,
      usesThread: config.startsFlusher)
    let journal = Journal(
      context.disk, directory: path, settings,
      Journal.Context(
        logger: context.logger, rateLimitedLog: context.rateLimitedLog,
        metrics: context.metrics, traffic: context.syncTraffic, group: opening.group,
        now: config.monotonicNs))
    do throws(DiskError) {
      if opening.isJournalDone { try journal.adopt(opening.journal) } else { journal.disable() }
    } catch {
      journal.disable()
      context.logger.warning(
        "the journal cannot be used in this session", metadata: ["error": "\(error)"])
    }
    context.flusher.use(journal)
  }

  private func start(_ logs: [Log]) {
    for log in logs { log.writing.map { context.flusher.add($0.pipeline) } }
    context.flusher.onCheckpoint { [weak self] in
      self?.writeCheckpointsOrLog()
      self?.context.flusher.journal?.empty()
      self?.context.rateLimitedLog.tellDue()
    }
    if config.startsFlusher { context.flusher.start(core: config.flusherCore) }
    if config.acceptsLosses { LossAcceptanceJob.begin(self, logs) }
    startRetention()
  }

  // MARK: Logs

  /// Every log, by name.
  public var logs: [Log] {
    state.withLock { Array($0.logs.values) }.sorted {
      ($0.topicPartition.topic, $0.topicPartition.partition)
        < ($1.topicPartition.topic, $1.topicPartition.partition)
    }
  }

  /// The log of a topic's partition, where there is one.
  public func log(_ topicPartition: TopicPartition) -> Log? {
    state.withLock { $0.logs[topicPartition] }
  }

  // MARK: Durability

  /// Waits until everything that was appended to these logs so far is durable: one sync can serve
  /// several of them.
  ///
  /// ```swift
  /// try await store.waitUntilDurable([orders, payments])
  /// ```
  ///
  /// - Throws: The first failure, as `Log.waitUntilDurable`; `.cancelled` where the task was.
  public func waitUntilDurable(_ logs: [Log]) async throws(LogError) {
    let ends = logs.map(\.logEndOffset)
    // All are asked for before any is waited for.
    for (log, end) in zip(logs, ends) where log.durableEndOffset < end {
      log.writing.map { context.flusher.request($0.pipeline) }
    }
    for (log, end) in zip(logs, ends) { try await log.waitUntilDurable(upTo: end) }
  }

  // MARK: Checkpoints and closing

  /// Writes Kafka's checkpoints: recovery points, log start offsets, high watermarks.
  func writeCheckpoints() throws(DiskError) {
    try checkpointing.withLock { (_) throws(DiskError) in
      try context.policies.writeIfNeeded()
      var checkpoints = unopened
      for log in logs { checkpoints.note(log) }
      try checkpoints.write(context.disk, directory: path)
      state.withLock { $0.checkpointsNameDeleted = false }
    }
  }

  func writeCheckpointsOrLog() {
    do throws(DiskError) {
      try writeCheckpoints()
    } catch {
      // An old checkpoint costs a longer scan, no data.
      context.rateLimitedLog.log(
        .warning, cause: "checkpoints", "checkpoints were not written",
        metadata: ["error": "\(error)"])
    }
  }

  /// Closes every log, writes the checkpoints and the clean-shutdown marker, and gives the lock
  /// back. Idempotent. Blocks; see `close` for async code.
  ///
  /// Logs of the store, and readers of them, refuse everything from then on.
  ///
  /// - Throws: The first failure; the others are closed all the same, and without a marker the next
  ///   opening recovers. Where it is `.diskFull` the store keeps its lock, and closing may be tried
  ///   again once there is space.
  public func closeBlocking() throws(LogError) {
    try closing.withLock { (isDone) throws(LogError) in
      if isDone { return }
      state.withLock { $0.isClosed = true }
      fetchers.stop()
      context.housekeeper.stop()
      let journal = context.flusher.journal
      journal?.stop()
      context.flusher.stop()
      do throws(LogError) {
        try closeLogs(journal)
      } catch {
        if error.code == .diskFull { throw error }
        isDone = true
        giveUp()
        throw error
      }
      isDone = true
      giveUp()
    }
  }

  /// Closes every log, writes the checkpoints and the clean-shutdown marker, and gives the lock
  /// back; see `closeBlocking`.
  ///
  /// - Throws: As `closeBlocking`.
  public func close() async throws(LogError) {
    try await OneOffThread.run { [self] () throws(LogError) in try closeBlocking() }
  }

  private func closeLogs(_ journal: Journal?) throws(LogError) {
    var failure: LogError?
    for log in logs {
      do throws(LogError) {
        try log.close()
      } catch {
        failure = failure ?? error
      }
    }
    do throws(DiskError) {
      try writeCheckpoints()
      try context.policies.note(wallMs: context.nowMs())
      // To Kafka a clean stop means that the producer snapshots are there, too.
      let lacksSnapshot = logs.contains { $0.writing?.pipeline.lacksClosingSnapshot ?? false }
      if failure == nil { try journal?.reset() }
      if failure == nil, report.failed.isEmpty, !lacksSnapshot {
        try CleanShutdownFile.write(context.disk, directory: path)
      }
    } catch {
      throw failure ?? LogError(error)
    }
    if let failure { throw failure }
  }
}
