internal import CMkstoreShims
internal import CoreMetrics
internal import DiskIO
internal import Logging
internal import Synchronization

/// One sync for many logs, as long as it is reliable and worthwhile
/// (docs/decisions/0008-shared-sync.md).
///
/// Any thread; one `run` at a time. It must be made before anything is written that it covers.
package final class GroupSync: Sendable {
  /// How long logs are synced individually if other programs have more to write.
  static let pauseNs: Int64 = 100_000_000
  /// A sync that takes longer than this, and than 5 ms for each of its logs, is followed by a pause
  /// of ten times its length.
  static let expectedNs: Int64 = 100_000_000
  static let expectedPerLogNs: Int64 = 5_000_000

  /// At least this many logs must wait for one sync to replace theirs.
  let logCountMin: Int
  /// Bytes of other programs that a sync may have to write as well.
  private let othersBytesMax: Int
  private let sync: any SharedSync
  private let traffic: SyncTraffic
  private let logger: Logger
  private let metrics: StoreMetrics
  private let now: @Sendable () -> Int64
  /// Not used before then; `Int64.max` once a sync failed. Relaxed: a reader of an old value calls
  /// `mayRun` once more than needed, and `run` checks again.
  private let pausedUntilNs = Atomic<Int64>(Int64.min)

  init(
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

  /// Whether logs may share a sync now.
  var isUsable: Bool {
    let until = pausedUntilNs.load(ordering: .relaxed)
    return until == Int64.min || now() >= until
  }

  /// Whether a sync covers the files in a directory.
  package func covers(_ directory: String) -> Bool {
    do throws(DiskError) {
      return try sync.covers(directory)
    } catch {
      // The log's own sync will meet the same error and report it.
      return false
    }
  }

  /// Whether a sync may run now: not if it would wait for the writes of other programs. Then there
  /// is a pause.
  ///
  /// - Parameter ownBytes: The bytes that the sync is meant to write.
  func mayRun(ownBytes: Int) -> Bool {
    guard isUsable else { return false }
    guard let pending = sync.pendingBytes, pending - ownBytes <= othersBytesMax else {
      pause(Self.pauseNs)
      return false
    }
    return true
  }

  /// Makes everything durable that was written before.
  ///
  /// - Returns: False if that is uncertain. Every log must then sync by itself, now and from now
  ///   on: syncfs reports an error once per descriptor and does not say for which file.
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
