internal import DiskIO
internal import LogStore
internal import Logging
internal import Synchronization

extension Broker {
  /// The page at a path of the admin port.
  func page(_ path: String, _ registry: PrometheusRegistry?) -> AdminHandler.Page? {
    switch path {
    case "/metrics":
      AdminHandler.Page(status: "200 OK", text: (registry?.text() ?? "") + logMetrics())
    // An event loop answers this, so it runs.
    case "/healthz": AdminHandler.Page(status: "200 OK", text: "ok\n")
    case "/readyz": readiness()
    default: nil
    }
  }

  private func readiness() -> AdminHandler.Page {
    if !isServing.load(ordering: .acquiring) {
      return AdminHandler.Page(status: "503 Service Unavailable", text: "not serving\n")
    }
    let poisoned = manager.logs.filter(\.health.isFailed).map { "\($0.topicPartition)\n" }
    if poisoned.isEmpty {
      // Another start would not open them either, and everything else is served.
      let offline = topics.offlineCount
      let rest = offline == 0 ? "" : ", but \(offline) partitions could not be opened"
      return AdminHandler.Page(status: "200 OK", text: "ready\(rest)\n")
    }
    return AdminHandler.Page(
      status: "503 Service Unavailable",
      text: "logs that refuse appends since a write or sync failed, until the disk answers:\n"
        + poisoned.joined())
  }

  /// The logs' own values at the time of the scrape.
  private func logMetrics() -> String {
    let logs = manager.logs
    func head(_ name: String) -> String {
      MetricHelp.head(name, "gauge").map { "\($0)\n" }.joined()
    }
    func table(_ name: String, _ value: (Log) -> Int64?) -> String {
      logs.reduce(into: head(name)) { text, log in
        guard let value = value(log) else { return }
        let prefix = name.hasPrefix("redpanda_") ? "redpanda_" : ""
        let id = MetricName(
          name,
          [
            ("\(prefix)topic", log.topicPartition.topic),
            ("\(prefix)partition", "\(log.topicPartition.partition)"),
          ])
        text += "\(id.text()) \(value)\n"
      }
    }
    func gauge(_ name: String, _ value: Int) -> String {
      "\(head(name))\(name) \(value)\n"
    }
    let poisonedCount = logs.count { $0.health.isFailed }
    var text = table("mkstore_log_start_offset") { $0.logStartOffset }
    text += table("mkstore_log_end_offset") { $0.logEndOffset }
    text += table("mkstore_log_high_watermark") { $0.highWatermark }
    text += table("mkstore_log_segments") { Int64($0.store.state.segments.count) }
    text += table("mkstore_log_bytes", bytes)
    text += gauge("mkstore_poisoned_logs", poisonedCount)
    text += gauge("mkstore_offline_partitions", topics.offlineCount)
    do throws(DiskError) {
      let space = try manager.context.disk.space(manager.path)
      let free = space.availableBytes
      text += gauge("mkstore_disk_total_bytes", Int(space.totalBytes))
      text += gauge("mkstore_disk_free_bytes", Int(free))
      text += gauge("redpanda_storage_disk_total_bytes", Int(space.totalBytes))
      text += gauge("redpanda_storage_disk_free_bytes", Int(free))
    } catch {
      rateLimitedLog.log(
        .warning, cause: "free space", "free space cannot be read",
        metadata: ["error": "\(error)"])
    }
    // Under the names that dashboards for Kafka and Redpanda look for (MetricAlias).
    text += table("kafka_log_log_logstartoffset") { $0.logStartOffset }
    text += table("kafka_log_log_logendoffset") { $0.logEndOffset }
    text += table("kafka_log_log_numlogsegments") { Int64($0.store.state.segments.count) }
    text += table("kafka_log_log_size", bytes)
    text += table("redpanda_kafka_max_offset") { $0.highWatermark }
    text += gauge("kafka_server_replicamanager_partitioncount", logs.count)
    text += gauge("kafka_server_replicamanager_leadercount", logs.count)
    text += gauge("kafka_server_replicamanager_underreplicatedpartitions", 0)
    text += gauge("kafka_controller_kafkacontroller_activecontrollercount", 1)
    text += gauge(
      "kafka_controller_kafkacontroller_offlinepartitionscount",
      poisonedCount + topics.offlineCount)
    text += gauge("kafka_log_logmanager_offlinelogdirectorycount", 0)
    text += gauge("redpanda_cluster_topics", topics.count)
    text += gauge("redpanda_cluster_partitions", logs.count)
    return text
  }

  /// The size of a log's segments; nil if a file cannot be queried.
  private func bytes(of log: Log) -> Int64? {
    do throws(LogError) {
      return try log.segmentInfo().reduce(0) { $0 + Int64($1.bytes) }
    } catch {
      return nil
    }
  }
}
