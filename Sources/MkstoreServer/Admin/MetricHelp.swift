/// The lines above each metric in Prometheus's text: what it counts, and its kind.
enum MetricHelp {
  /// The lines before a metric's values.
  static func head(_ name: String, _ kind: String) -> [String] {
    (text(name).map { ["# HELP \(name) \($0)"] } ?? []) + ["# TYPE \(name) \(kind)"]
  }

  private static func text(_ name: String) -> String? {
    if let own = own[name] { return own }
    if name.hasPrefix("kafka_") { return "As the JMX exporter names it for Apache Kafka." }
    return name.hasPrefix("redpanda_") ? "As Redpanda names it." : nil
  }

  private static let own = [
    "mkstore_append_batch_bytes": "Sizes of appended batches.",
    "mkstore_append_bytes_total": "Bytes of appended batches.",
    "mkstore_append_records_total": "Appended records.",
    "mkstore_damaged_ranges_total": "Damaged ranges found in logs.",
    "mkstore_accepted_losses_total": "Losses that were accepted: consumers skip them.",
    "mkstore_disk_total_bytes": "Bytes of the store's file system.",
    "mkstore_disk_free_bytes": "Bytes that may still be written to the store's file system.",
    "mkstore_dropped_log_lines_total": "Log lines that standard error did not take.",
    "mkstore_flush_records": "Records that each flush made durable.",
    "mkstore_flush_seconds": "How long flushes (fdatasync) took.",
    "mkstore_journal_writes_total":
      "Writes of the journal, each of which made several logs durable.",
    "mkstore_log_bytes": "Bytes of a log's segments.",
    "mkstore_log_end_offset": "Offset of a log's next record.",
    "mkstore_log_high_watermark": "End of a log's acknowledged records.",
    "mkstore_log_segments": "Segments of a log.",
    "mkstore_log_start_offset": "Offset of a log's first record.",
    "mkstore_offline_partitions": "Partitions that could not be opened with the store.",
    "mkstore_poisoned_logs": "Logs that refuse appends since a write or sync failed.",
    "mkstore_poisonings_total":
      "Times that a log began to refuse appends because a write or sync failed.",
    "mkstore_rebuilt_indexes_total": "Indexes that were rebuilt.",
    "mkstore_reopenings_total": "Times that a log was reopened after a failed write or sync.",
    "mkstore_expired_segments_total": "Segments that retention deleted.",
    "mkstore_expired_bytes_total": "Bytes of batches in segments that retention deleted.",
    "mkstore_rolled_segments_total": "Segments that were created.",
    "mkstore_server_cold_fetches_total": "Fetches that a fetcher thread read for.",
    "mkstore_server_connections": "Clients connected now.",
    "mkstore_server_copied_bytes_total": "Bytes of records sent by copy.",
    "mkstore_server_errors_total": "Error codes that partitions were answered with.",
    "mkstore_server_failed_partitions_total": "Partitions that were answered with an error.",
    "mkstore_server_fetch_bytes": "Bytes of records in an answer.",
    "mkstore_server_malformed_requests_total": "Connections closed for what they sent.",
    "mkstore_server_parked_fetches_total": "Fetches that waited for records.",
    "mkstore_server_received_bytes_total": "Bytes received from clients.",
    "mkstore_server_refused_connections_total": "Connections refused, there being too many.",
    "mkstore_server_request_seconds":
      "From a request's last byte to its answer's hand-over to the socket.",
    "mkstore_server_sendfile_bytes_total": "Bytes of records sent by sendfile.",
    "mkstore_server_sent_bytes_total": "Bytes sent to clients.",
    "mkstore_shared_syncs_total":
      "Syncs of the file system that took the place of one for each of several logs.",
    "mkstore_verified_bytes_total": "Bytes checked against their CRC.",
  ]
}
