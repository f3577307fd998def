import LogStore
import Metrics
import MkstoreBytes
import Testing

@testable import MkstoreServer

/// What is served over HTTP, and how metrics are written.
struct AdminTests {
  private func get(_ endpoint: Endpoint, _ request: String) throws -> String {
    let client = try TestClient(endpoint)
    try client.send(Array(request.utf8))
    var text: [UInt8] = []
    while let byte = try? client.take(1) { text += byte }
    return String(decoding: text, as: UTF8.self)
  }

  @Test func healthReadinessAndMetricsAreServed() async throws {
    try await TestBroker.with(configure: {
      $0.adminListen = Endpoint(host: "127.0.0.1", port: 0)
    }) { broker in
      let client = try broker.connect()
      try client.create("t")
      _ = try client.produce("t", try TestBatch.make(["x", "y"]))
      let admin = try #require(try await broker.server.startAdmin())
      #expect(try get(admin, "GET /healthz HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(try get(admin, "GET /readyz HTTP/1.0\r\n\r\n").hasSuffix("\r\n\r\nready\n"))
      let metrics = try get(admin, "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(metrics.contains("mkstore_log_end_offset{topic=\"t\",partition=\"0\"} 2\n"))
      #expect(metrics.contains("mkstore_log_high_watermark{topic=\"t\",partition=\"0\"} 2\n"))
      let head = try get(admin, "HEAD /healthz HTTP/1.1\r\n\r\n")
      #expect(head.hasPrefix("HTTP/1.1 200") && head.hasSuffix("\r\n\r\n"))
      #expect(try get(admin, "GET /no HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 404"))
      #expect(try get(admin, "POST /metrics HTTP/1.1\r\n\r\n").hasPrefix("HTTP/1.1 405"))
      #expect(
        try get(admin, "GET /" + String(repeating: "a", count: 20_000)).hasPrefix("HTTP/1.1 431"))
    }
  }

  /// Names that dashboards for Kafka and Redpanda look for; what they show is ours.
  @Test func dashboardsForOtherBrokersFindTheirNames() async throws {
    let registry = PrometheusRegistry()
    registry.makeCounter(label: "mkstore_append_records_total", dimensions: []).increment(by: 3)
    registry.makeCounter(label: "mkstore_server_copied_bytes_total", dimensions: [])
      .increment(by: 5)
    registry.makeCounter(label: "mkstore_server_sendfile_bytes_total", dimensions: [])
      .increment(by: 7)
    let times = registry.makeTimer(
      label: "mkstore_server_request_seconds", dimensions: [("api", "Produce")])
    for _ in 0..<4 { times.recordNanoseconds(1_000_000) }
    try await TestBroker.with(
      configure: { $0.adminListen = Endpoint(host: "127.0.0.1", port: 0) }, registry: registry
    ) { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 2)
      _ = try client.produce("t", try TestBatch.make(["x", "y"]))
      let admin = try #require(try await broker.server.startAdmin())
      let lines = try get(admin, "GET /metrics HTTP/1.1\r\n\r\n").split(separator: "\n")
      for line in [
        "kafka_server_brokertopicmetrics_messagesin_total 3",
        "kafka_server_brokertopicmetrics_bytesout_total 12",
        "kafka_server_brokertopicmetrics_totalproducerequests_total 4",
        "redpanda_kafka_request_bytes_total{redpanda_request=\"consume\"} 12",
        "redpanda_kafka_request_latency_seconds_count{redpanda_request=\"produce\"} 4",
        "kafka_log_log_logendoffset{topic=\"t\",partition=\"0\"} 2",
        "kafka_log_log_logendoffset{topic=\"t\",partition=\"1\"} 0",
        "redpanda_kafka_max_offset{redpanda_topic=\"t\",redpanda_partition=\"0\"} 2",
        "kafka_server_replicamanager_partitioncount 2",
        "kafka_controller_kafkacontroller_offlinepartitionscount 0",
      ] {
        #expect(lines.contains(Substring(line)), "\(line)")
      }
      // Prometheus takes a scrape only where each name has its type once, before its values.
      var typed: [Substring] = []
      for line in lines where line.hasPrefix("# TYPE ") {
        typed.append(line.split(separator: " ")[2])
      }
      #expect(Set(typed).count == typed.count)
      #expect(lines.contains("# TYPE redpanda_kafka_request_latency_seconds histogram"))
    }
  }

  @Test func metricsAreWrittenInPrometheusForm() {
    let registry = PrometheusRegistry()
    registry.makeCounter(label: "b.total", dimensions: [("code", "a\"b")]).increment(by: 3)
    registry.makeCounter(label: "b.total", dimensions: [("code", "a\"b")]).increment(by: 4)
    registry.makeRecorder(label: "a", dimensions: [], aggregate: false).record(Int64(5))
    registry.makeTimer(label: "c_seconds", dimensions: []).recordNanoseconds(2_000_000)
    let lines = registry.text().split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(4) == [
        "# TYPE a gauge", "a 5.0", "# TYPE b_total counter", "b_total{code=\"a\\\"b\"} 7",
      ])
    #expect(lines.contains("c_seconds_bucket{le=\"0.001\"} 0"))
    #expect(lines.contains("c_seconds_bucket{le=\"0.0025\"} 1"))
    #expect(lines.suffix(2) == ["c_seconds_sum 0.002", "c_seconds_count 1"])
  }

  /// The registry is the process's: others record what they like.
  @Test func aHistogramTakesAnyNumber() {
    let registry = PrometheusRegistry()
    let sizes = registry.makeRecorder(label: "sizes", dimensions: [], aggregate: true)
    for value in [Double.nan, -Double.infinity, Double.infinity, 1e300, 2.5] {
      sizes.record(value)
    }
    let lines = registry.text().split(separator: "\n")
    #expect(lines.contains("sizes_bucket{le=\"+Inf\"} 4"))
    #expect(lines.contains("sizes_count 4"))
  }

  /// A page that takes long is written once for all who wait: scrapes must not hold up the thread
  /// that makes topics.
  @Test func whoAsksMeanwhileSharesThePage() throws {
    let thread = FetcherPool(cores: [nil])
    defer { thread.stop() }
    let state = Locked((isHeld: true, written: 0, replies: 0))
    let page = SharedPage(on: thread) {
      let number = state.withLock { state in
        state.written += 1
        return state.written
      }
      state.broadcast()
      if number == 1 { _ = state.wait { !$0.isHeld } }
      return AdminHandler.Page(status: "200 OK", text: "\(number)")
    }
    let texts = Locked<[String]>([])
    func ask() {
      page.ask { page in
        texts.withLock { $0.append(page?.text ?? "none") }
        state.withLock { $0.replies += 1 }
        state.broadcast()
      }
    }
    ask()
    #expect(state.wait(timeoutNs: 20_000_000_000) { $0.written == 1 })
    for _ in 0..<100 { ask() }
    state.withLock { $0.isHeld = false }
    state.broadcast()
    #expect(state.wait(timeoutNs: 20_000_000_000) { $0.replies == 101 })
    #expect(state.withLock { $0.written } == 2)
    // Who asked after the first was begun sees the one after it.
    #expect(texts.withLock { $0 } == ["1"] + Array(repeating: "2", count: 100))
  }

  @Test func everyMetricSaysWhatItIs() async throws {
    let registry = PrometheusRegistry()
    registry.makeCounter(label: "mkstore_append_bytes_total", dimensions: []).increment(by: 1)
    try await TestBroker.with(
      configure: { $0.adminListen = Endpoint(host: "127.0.0.1", port: 0) }, registry: registry
    ) { broker in
      let client = try broker.connect()
      try client.create("t")
      let admin = try #require(try await broker.server.startAdmin())
      let lines = try get(admin, "GET /metrics HTTP/1.1\r\n\r\n").split(whereSeparator: \.isNewline)
      let helped = lines.filter { $0.hasPrefix("# HELP ") }.map { $0.split(separator: " ")[2] }
      let typed = lines.filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
      #expect(helped == typed && typed.count > 20)
    }
  }
}
