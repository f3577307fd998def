internal import CMkstoreShims
internal import CoreMetrics
package import DiskIO
package import Logging
internal import Synchronization

/// One sync for many logs, for as long as it can be believed and pays
/// (docs/decisions/0008-shared-sync.md).
///
/// Any thread; one `run` at a time. It must be made before anything is written that it is to cover.
package final class GroupSync: Sendable {
  /// How long logs are synced each on its own where others have more to write.
  static let pauseNs: Int64 = 100_000_000
  /// A sync that takes longer than this, and than 5 ms for each of its logs, is followed by a pause
  /// of ten times its length.
  static let expectedNs: Int64 = 100_000_000
  static let expectedPerLogNs: Int64 = 5_000_000

  /// As many logs must wait, for one sync to take the place of theirs.
  package let logCountMin: Int
  /// Others' bytes that a sync may have to write beside those it is for.
  private let othersBytesMax: Int
  private let sync: any SharedSync
  private let traffic: SyncTraffic
  private let logger: Logger
  private let metrics: StoreMetrics
  private let now: @Sendable () -> Int64
  /// Not to be used before then; `Int64.max` once a sync failed. Relaxed: who reads an old value
  /// asks `mayRun` once more than needed, and `run` looks again.
  private let pausedUntilNs = Atomic<Int64>(Int64.min)

  package init(
    _ sync: any SharedSync, logCountMin: Int, othersBytesMax: Int, traffic: SyncTraffic,
    logger: Logger,
    metrics: StoreMetrics,
    now: @escaping @Sendable () -> Int64 = { mk_monotonic_ns() }
  ) {
    self.sync = sync
    self.traffic = traffic
    self.logCountMin = logCountMin
    self.othersBytesMax = othersBytesMax
    self.logger = logger
    self.metrics = metrics
    self.now = now
  }

  /// Whether logs may wait for each other now.
  package var isUsable: Bool {
    let until = pausedUntilNs.load(ordering: .relaxed)
    return until == Int64.min || now() >= until
  }

  /// Whether a sync covers what stands in a directory.
  package func covers(_ directory: String) -> Bool {
    do throws(DiskError) {
      return try sync.covers(directory)
    } catch {
      // The log's own sync will meet the same and tell it.
      return false
    }
  }

  /// Whether a sync may run now: not where it would wait for the writes of others. Then there is a
  /// pause.
  ///
  /// - Parameter ownBytes: What the sync is to write.
  package func mayRun(ownBytes: Int) -> Bool {
    guard isUsable else { return false }
    guard let pending = sync.pendingBytes, pending - ownBytes <= othersBytesMax else {
      pause(Self.pauseNs)
      return false
    }
    return true
  }

  /// Makes everything durable that was written before.
  ///
  /// - Returns: False where that is not known; then every log must sync for itself, now and from
  ///   now on: this descriptor has told an error that may be of any file, and tells it once.
  package func run(logCount: Int) -> Bool {
    guard pausedUntilNs.load(ordering: .acquiring) != Int64.max else { return false }
    let startedNs = now()
    do throws(DiskError) {
      try traffic.sync { () throws(DiskError) in try sync.sync() }
    } catch {
      pausedUntilNs.store(Int64.max, ordering: .releasing)
      logger.error(
        "the file system's sync failed; each log is synced by itself from now on",
        metadata: ["cause": "\(error)"])
      return false
    }
    metrics.sharedSyncs.increment()
    let tookNs = now() - startedNs
    if tookNs > max(Self.expectedNs, Int64(logCount) * Self.expectedPerLogNs) {
      pause(10 * tookNs)
    }
    return true
  }

  private func pause(_ lengthNs: Int64) {
    pausedUntilNs.store(now() + lengthNs, ordering: .relaxed)
  }
}
