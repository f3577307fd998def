internal import CoreMetrics
internal import Metrics
internal import MkstoreProtocol

/// The broker's counters and timers, through swift-metrics.
struct BrokerMetrics: Sendable {
  /// Time from a request's last byte until its answer is passed to the socket, by API.
  private let requestTimes: [Int16: Metrics.Timer]
  /// Partitions answered with an error, by error code.
  private let partitionErrors: [Int16: Counter]
  /// Partitions of produce requests and of fetches that were answered with an error.
  let failedProduces = Counter(
    label: "mkstore_server_failed_partitions_total", dimensions: [("api", "Produce")])
  let failedFetches = Counter(
    label: "mkstore_server_failed_partitions_total", dimensions: [("api", "Fetch")])
  /// Bytes of records in one answer to a fetch.
  let fetchedBytes = Recorder(label: "mkstore_server_fetch_bytes")
  /// Bytes received and sent.
  let receivedBytes = Counter(label: "mkstore_server_received_bytes_total")
  let sentBytes = Counter(label: "mkstore_server_sent_bytes_total")
  /// Bytes of records that were sent by sendfile.
  let sendfileBytes = Counter(label: "mkstore_server_sendfile_bytes_total")
  /// Bytes of records that were copied into an answer.
  let copiedBytes = Counter(label: "mkstore_server_copied_bytes_total")
  /// Fetches that needed a read on a fetcher thread.
  let coldFetches = Counter(label: "mkstore_server_cold_fetches_total")
  /// Fetches that waited for records.
  let parkedFetches = Counter(label: "mkstore_server_parked_fetches_total")
  /// Current connections, and how many were refused or closed for a limit.
  package let connections = Gauge(label: "mkstore_server_connections")
  let refusedConnections = Counter(label: "mkstore_server_refused_connections_total")
  /// Requests that no Kafka client would send.
  let malformedRequests = Counter(label: "mkstore_server_malformed_requests_total")

  package init() {
    requestTimes = Dictionary(
      uniqueKeysWithValues: ApiKey.supported.map { api in
        (
          api.rawValue,
          Metrics.Timer(label: "mkstore_server_request_seconds", dimensions: [("api", api.name)])
        )
      })
    partitionErrors = Dictionary(
      uniqueKeysWithValues: ErrorCode.allCases.map { code in
        (
          code.rawValue,
          Counter(label: "mkstore_server_errors_total", dimensions: [("code", code.name)])
        )
      })
  }

  /// Records how long a request of an API took.
  package func answered(_ api: Int16, nanoseconds: Int64) {
    requestTimes[api]?.recordNanoseconds(nanoseconds)
  }

  /// Records that a partition was answered with `code`.
  package func refused(_ code: Int16) { partitionErrors[code]?.increment() }
}
