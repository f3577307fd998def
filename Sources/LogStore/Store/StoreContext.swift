package import DiskIO
package import Logging

/// What the logs of one store share.
package final class StoreContext: Sendable {
  package let disk: any Disk
  let fileCache: SegmentFileCache
  package let flusher: Flusher
  /// Threads for reads that may wait for the disk.
  package let fetchers: FetcherPool
  /// Runs work that is due later.
  package let housekeeper: Housekeeper
  /// Tracks running fsyncs so that cold reads can yield to them.
  let syncTraffic: SyncTraffic
  /// Milliseconds since 1970 UTC.
  package let nowMs: @Sendable () -> Int64
  /// Decides what has expired.
  let clock: StoreClock
  package let logger: Logger
  /// For lines that clients, or a lasting state of the disk, can cause again and again.
  package let rateLimitedLog: RateLimitedLog
  let metrics: StoreMetrics
  /// Listener for failed logs.
  package let failures = FailureListener()
  /// Listener for damage of logs.
  package let damage = FailureListener()
  /// Producers that have been idle for this long are forgotten.
  package let producerExpirationMs: Int64
  /// Producer ids that the logs report, for assigning new ones.
  package let knownProducerIds = KnownProducerIds()
  /// Which retention policies count.
  let policies: RetentionPolicies
  /// The store's lock, held by each of its logs too, so that no other session begins while one of
  /// them can still touch a file. nil if the directory is only read.
  package let lock: (any DiskLock)?

  init(
    disk: any Disk, fileCache: SegmentFileCache, flusher: Flusher, fetchers: FetcherPool,
    housekeeper: Housekeeper, nowMs: @escaping @Sendable () -> Int64, logger: Logger,
    metrics: StoreMetrics,
    producerExpirationMs: Int64 = 86_400_000,
    syncTraffic: SyncTraffic = SyncTraffic(),
    rateLimitedLog: RateLimitedLog? = nil, policies: RetentionPolicies? = nil,
    clock: StoreClock? = nil, lock: (any DiskLock)? = nil
  ) {
    self.policies = policies ?? RetentionPolicies(disk, directory: "")
    self.syncTraffic = syncTraffic
    self.disk = disk
    self.fileCache = fileCache
    self.flusher = flusher
    self.fetchers = fetchers
    self.housekeeper = housekeeper
    self.nowMs = nowMs
    let standard = StoreConfig()
    self.clock =
      clock
      ?? StoreClock(
        wallMs: nowMs, monotonicNs: standard.monotonicNs,
        intervalMs: Int64(standard.retentionCheckIntervalMs))
    self.logger = logger
    self.rateLimitedLog =
      rateLimitedLog ?? RateLimitedLog(logger, now: standard.monotonicNs)
    self.metrics = metrics
    self.producerExpirationMs = producerExpirationMs
    self.lock = lock
  }

  /// Makes the journal's entries about a log's offsets below `end` void, durably: their bytes,
  /// which are synced, may then be changed.
  func endJournalEntries(of log: TopicPartition, below end: Int64) throws(LogError) {
    do throws(DiskError) {
      try flusher.journal?.end([(log.description, end)])
    } catch {
      throw LogError(error)
    }
  }

  /// The same for logs that were deleted. If it fails, nothing comes back all the same: their
  /// directories are gone, durably, and later ones of their names have other topic ids.
  func endJournalEntries(ofDeleted logs: [TopicPartition]) {
    do throws(DiskError) {
      try flusher.journal?.end(logs.map { ($0.description, Int64.max) })
    } catch {
      rateLimitedLog.log(
        .warning, cause: "journal", "the journal still names deleted logs",
        metadata: ["error": "\(error)"])
    }
  }

  /// Writes a line for each kept file that an opening of `log` removed because of a bound.
  func tellDropped(_ report: RecoveryReport, of log: TopicPartition) {
    for file in report.droppedKeptFiles {
      logger.notice(
        "a kept file was removed: .bad/ held more than its bound allows",
        metadata: [
          "log": "\(log)", "path": "\(file.path)", "bytes": "\(file.bytes)",
          "ageSeconds": "\(max(0, nowMs() - file.keptMs) / 1000)",
        ])
    }
  }
}
