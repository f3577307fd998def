internal import CoreMetrics
internal import Metrics

/// The engine's counters and timers, through swift-metrics; a host that installs no backend pays a
/// no-op call. A class, so that an append reads one reference and not each of the parts.
package final class StoreMetrics: Sendable {
  /// Bytes and records appended.
  let appendedBytes = Counter(label: "mkstore_append_bytes_total")
  let appendedRecords = Counter(label: "mkstore_append_records_total")
  /// Bytes of each appended batch. Uses the handler itself, since `Recorder` converts through a
  /// generic call that is not specialized: a tenth of the user-space cost of an append of one
  /// record.
  let appendedBatchBytes = MetricsSystem.factory.makeRecorder(
    label: "mkstore_append_batch_bytes", dimensions: [], aggregate: true)
  /// Time of one flush: every sync of it.
  let flushTime = Metrics.Timer(label: "mkstore_flush_seconds")
  /// Writes of the journal, each of which made several logs durable.
  let journalWrites = Counter(label: "mkstore_journal_writes_total")
  /// Syncs of the whole file system that replaced one for each of several logs.
  let sharedSyncs = Counter(label: "mkstore_shared_syncs_total")
  /// Records that one flush made durable.
  let flushedRecords = Recorder(label: "mkstore_flush_records")
  /// Logs that began to refuse appends because a write or sync failed.
  let poisonedLogs = Counter(label: "mkstore_poisonings_total")
  /// Logs that were opened again after that.
  let reopenedLogs = Counter(label: "mkstore_reopenings_total")
  /// Damaged ranges found by recovery or reads.
  let damagedRanges = Counter(label: "mkstore_damaged_ranges_total")
  /// Losses that were accepted, so that readers continue after them.
  let acceptedLosses = Counter(label: "mkstore_accepted_losses_total")
  /// Segments that retention deleted, and the bytes of their batches.
  let expiredSegments = Counter(label: "mkstore_expired_segments_total")
  let expiredBytes = Counter(label: "mkstore_expired_bytes_total")
  /// Segments rolled.
  let rolledSegments = Counter(label: "mkstore_rolled_segments_total")
  /// Indexes rebuilt because the old ones were missing or wrong.
  let rebuiltIndexes = Counter(label: "mkstore_rebuilt_indexes_total")
  /// Bytes whose CRC was checked before they were served.
  let verifiedBytes = Counter(label: "mkstore_verified_bytes_total")

  package init() {}
}
