package import DiskIO
package import Logging

/// What the logs of one store share.
package final class StoreContext: Sendable {
  package let disk: any Disk
  package let fileCache: SegmentFileCache
  package let flusher: Flusher
  /// Milliseconds since 1970 UTC.
  package let nowMs: @Sendable () -> Int64
  package let logger: Logger
  package let metrics: StoreMetrics

  package init(
    disk: any Disk, fileCache: SegmentFileCache, flusher: Flusher,
    nowMs: @escaping @Sendable () -> Int64, logger: Logger, metrics: StoreMetrics
  ) {
    self.disk = disk
    self.fileCache = fileCache
    self.flusher = flusher
    self.nowMs = nowMs
    self.logger = logger
    self.metrics = metrics
  }
}
