/// A metric of ours under a name used by dashboards for Kafka or Redpanda.
///
/// Kafka's names are those of the usual rules of its JMX exporter, Redpanda's those of its
/// `/public_metrics`. Only metrics with the same meaning are included.
struct MetricAlias {
  /// The other system's name, with its labels.
  let name: MetricName
  /// Our metrics; the values of several are added up.
  let sources: [MetricName]
  /// Whether a histogram is shown as a counter of its samples.
  let isCount: Bool

  private init(
    _ name: String, _ labels: [(String, String)] = [], of sources: [String],
    where sourceLabels: [(String, String)] = [], isCount: Bool = false
  ) {
    self.name = MetricName(name, labels)
    self.sources = sources.map { MetricName($0, sourceLabels) }
    self.isCount = isCount
  }

  private static let sentRecords = [
    "mkstore_server_sendfile_bytes_total", "mkstore_server_copied_bytes_total",
  ]
  private static let requests = "mkstore_server_request_seconds"
  private static let failures = "mkstore_server_failed_partitions_total"

  /// Every alias of a metric; the aliases of logs are written with the logs.
  static let all: [MetricAlias] = kafka + redpanda

  private static let kafka: [MetricAlias] = [
    MetricAlias(
      "kafka_server_brokertopicmetrics_bytesin_total", of: ["mkstore_append_bytes_total"]),
    MetricAlias("kafka_server_brokertopicmetrics_bytesout_total", of: sentRecords),
    MetricAlias(
      "kafka_server_brokertopicmetrics_messagesin_total", of: ["mkstore_append_records_total"]),
    MetricAlias(
      "kafka_server_brokertopicmetrics_totalproducerequests_total", of: [requests],
      where: [("api", "Produce")], isCount: true),
    MetricAlias(
      "kafka_server_brokertopicmetrics_totalfetchrequests_total", of: [requests],
      where: [("api", "Fetch")], isCount: true),
    MetricAlias(
      "kafka_server_brokertopicmetrics_failedproducerequests_total", of: [failures],
      where: [("api", "Produce")]),
    MetricAlias(
      "kafka_server_brokertopicmetrics_failedfetchrequests_total", of: [failures],
      where: [("api", "Fetch")]),
    MetricAlias(
      "kafka_log_logflushstats_logflush_total", of: ["mkstore_flush_seconds"], isCount: true),
    MetricAlias(
      "kafka_server_socket_server_metrics_connection_count", of: ["mkstore_server_connections"]),
  ]

  private static let redpanda: [MetricAlias] = [
    MetricAlias(
      "redpanda_rpc_active_connections", [("redpanda_server", "kafka")],
      of: ["mkstore_server_connections"]),
    MetricAlias(
      "redpanda_kafka_request_bytes_total", [("redpanda_request", "produce")],
      of: ["mkstore_append_bytes_total"]),
    MetricAlias(
      "redpanda_kafka_request_bytes_total", [("redpanda_request", "consume")], of: sentRecords),
    MetricAlias(
      "redpanda_kafka_request_latency_seconds", [("redpanda_request", "produce")], of: [requests],
      where: [("api", "Produce")]),
    MetricAlias(
      "redpanda_kafka_request_latency_seconds", [("redpanda_request", "consume")], of: [requests],
      where: [("api", "Fetch")]),
  ]
}
