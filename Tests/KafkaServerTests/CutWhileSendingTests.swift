import DiskIO
import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// A segment that another process cuts before or while sendfile sends it ends that connection and
/// nothing else.
struct CutWhileSendingTests {
  private static let batchCount = 40

  /// A broker with 40 MB in one segment, all of it checked.
  private func withLargeLog(
    _ body: (TestBroker, _ client: TestClient, _ path: String) async throws -> Void
  ) async throws {
    let batch = try TestBatch.make([String(repeating: "x", count: 1_000_000)])
    var log = LogConfig()
    log.durability = .operatingSystem
    let configure = { (config: inout BrokerConfig) in config.sweepMs = 50 }
    var isThrough = false
    do {
      try await TestBroker.with(log: log, configure: configure) { broker in
        let client = try broker.connect()
        try client.create("t")
        for _ in 0..<Self.batchCount {
          #expect(try client.produce("t", batch).errorCode == .none)
        }
        let found = try client.fetch(Self.request(from: 0))
        #expect(found.records.count > batch.count * (Self.batchCount - 1))
        let info = try #require(broker.server.broker.log("t", 0)).segmentInfo()
        try await body(broker, client, try #require(info.first).path)
        isThrough = true
      }
    } catch let error as LogError where error.code == .poisoned && isThrough {
      // The sync of the closing finds the cut.
    }
  }

  private static func request(from offset: Int64) -> FetchRequest {
    TestClient.fetchRequest("t", from: offset, partitionMaxBytes: 50 << 20)
  }

  private func checkOthers(_ broker: TestBroker, _ topic: String = "u") throws {
    let other = try broker.connect()
    try other.create(topic)
    #expect(try other.produce(topic, try TestBatch.make(["y"])).errorCode == .none)
    let found = try other.fetch(TestClient.fetchRequest(topic, from: 0))
    #expect(found.partition.errorCode == .none)
  }

  @Test func aFileThatWasCutBeforeEndsTheConnectionOrIsAnError() async throws {
    try await withLargeLog { broker, client, path in
      try PosixDisk().open(path, .readWrite).truncate(to: 2_000_000)
      do {
        let found = try client.fetch(Self.request(from: 10))
        #expect(found.partition.errorCode != .none && found.records.isEmpty)
      } catch TestClient.Failure.closed {
        // No byte of an answer that cannot be whole.
      }
      try checkOthers(broker)
    }
  }

  @Test func aFileThatIsCutMeanwhileEndsTheConnection() async throws {
    try await withLargeLog { broker, client, path in
      let slow = try broker.connect()
      try slow.send(.fetch(Self.request(from: 0)), version: 12)
      // The answer has begun, and does not fit in the socket's buffers.
      _ = try slow.take(100_000)
      try PosixDisk().open(path, .readWrite).truncate(to: 0)
      try checkOthers(broker)
      var taken = 100_000
      do {
        while taken < Self.batchCount * 1_000_000 {
          _ = try slow.take(10_000)
          taken += 10_000
        }
        Issue.record("all \(taken) bytes came of a file that was cut")
      } catch TestClient.Failure.closed {
        #expect(taken > 0)
      }
      try checkOthers(broker, "v")
    }
  }
}
