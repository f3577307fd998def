internal import DiskIO
internal import LogStore
internal import Synchronization

extension Broker {
  /// What stands at a path of the admin port.
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
    let poisoned = manager.logs.filter(\.poison.isSet).map { "\($0.topicPartition)\n" }
    if poisoned.isEmpty { return AdminHandler.Page(status: "200 OK", text: "ready\n") }
    return AdminHandler.Page(
      status: "503 Service Unavailable",
      text: "logs that refuse writes since a sync failed; restart to check them:\n"
        + poisoned.joined())
  }

  /// What the logs say themselves, at the time of the scrape.
  private func logMetrics() -> String {
    let logs = manager.logs
    func table(_ name: String, _ value: (Log) -> Int64) -> String {
      logs.reduce(into: "# TYPE \(name) gauge\n") { text, log in
        let id = MetricName(
          name,
          [
            ("topic", log.topicPartition.topic),
            ("partition", "\(log.topicPartition.partition)"),
          ])
        text += "\(id.text()) \(value(log))\n"
      }
    }
    var text = table("mkstore_log_start_offset") { $0.logStartOffset }
    text += table("mkstore_log_end_offset") { $0.logEndOffset }
    text += table("mkstore_log_high_watermark") { $0.highWatermark }
    text += "# TYPE mkstore_poisoned_logs gauge\n"
    text += "mkstore_poisoned_logs \(logs.count { $0.poison.isSet })\n"
    do throws(DiskError) {
      let free = try manager.context.disk.availableBytes(manager.path)
      text += "# TYPE mkstore_disk_free_bytes gauge\nmkstore_disk_free_bytes \(free)\n"
    } catch {
      // The number is left out: there is none.
      return text
    }
    return text
  }
}
