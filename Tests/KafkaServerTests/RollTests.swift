import DiskIO
import LogStore
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// New segments and what they sync are made beside the event loops.
struct RollTests {
  /// Holds up the calls that match, until it is opened.
  private final class Gate: Sendable {
    private let state = Locked((isOpen: true, held: 0))

    func shut() { state.withLock { $0.isOpen = false } }

    func open() {
      state.withLock { $0.isOpen = true }
      state.broadcast()
    }

    func pass() {
      state.withLock { if !$0.isOpen { $0.held += 1 } }
      state.broadcast()
      _ = state.wait { $0.isOpen }
    }

    /// Waits until a call is held up; false where none came in time.
    func holds(_ count: Int = 1) -> Bool {
      state.wait(timeoutNs: 20_000_000_000) { $0.held >= count }
    }
  }

  /// A large part of a segment.
  private static let value = String(repeating: "x", count: 1500)

  /// A broker of one event loop, with a connection and a topic `slow`, and another `other`.
  private func withTwoConnections(
    _ disk: any Disk, segmentBytes: Int,
    _ body: (TestBroker, _ slow: TestClient, _ other: TestClient) async throws -> Void
  ) async throws {
    var log = LogConfig()
    log.segmentBytes = segmentBytes
    log.maxMessageBytes = 2048
    try await TestBroker.with(
      log: log, disk: disk, configure: { $0.cores = Array(AllowedProcessors.list().prefix(1)) }
    ) { broker in
      let (slow, other) = (try broker.connect(), try broker.connect())
      try slow.create("slow")
      try other.create("other")
      try await body(broker, slow, other)
    }
  }

  private func isSegmentOf(_ log: String, _ call: DiskCall) -> Bool {
    call.operation == .create && call.path.hasSuffix(".log") && call.path.contains("/\(log)/")
  }

  /// One event loop, two connections: while one log's new segment is stuck in the disk, the other
  /// connection is answered; then everything goes on in order.
  @Test func aRollHoldsUpNoOtherConnectionOfTheLoop() async throws {
    let gate = Gate()
    let disk = CountingDisk(PosixDisk()) { call in
      if isSegmentOf("slow-0", call) { gate.pass() }
    }
    try await withTwoConnections(disk, segmentBytes: 4096) { broker, slow, other in
      let batch = try TestBatch.make([Self.value])
      for client in [slow, other] {
        let topic = client === slow ? "slow" : "other"
        #expect(try client.produce(topic, batch).errorCode == .none)
      }
      gate.shut()
      defer { gate.open() }
      // The third of these needs a second segment.
      for _ in 0..<6 {
        try slow.send(
          TestClient.produceRequest("slow", byteCount: batch.count), version: 9, records: batch)
      }
      #expect(gate.holds(), "no segment was begun")
      for _ in 0..<10 {
        let answer = try other.ask(.metadata(.with { $0.topics = nil }), version: 12)
        let body = try answer.body(as: MetadataResponse.self)
        #expect(body.topics.count == 2)
      }
      let (_, records) = try other.fetch(TestClient.fetchRequest("other", from: 0))
      #expect(try values(of: records).count == 1)
      gate.open()
      for round in 0..<6 {
        let answer = try slow.takeAnswer(.produce, version: 9).response
        let body = try answer.body(as: ProduceResponse.self)
        let partition = body.responses[0].partitionResponses[0]
        #expect(partition.errorCode == .none)
        #expect(partition.baseOffset == Int64(round + 1))
      }
      #expect(try #require(broker.server.broker.log("slow", 0)).segmentInfo().count >= 3)
    }
  }

  /// What is refused begins no segment, or a producer of large records would leave tiny ones.
  @Test func aRefusedBatchBeginsNoSegment() async throws {
    var log = LogConfig()
    log.segmentBytes = 4096
    log.maxMessageBytes = 2048
    try await TestBroker.with(log: log) { broker in
      let client = try broker.connect()
      try client.create("t")
      let large = try TestBatch.make([String(repeating: "x", count: 3900)])
      for _ in 0..<5 {
        #expect(try client.produce("t", try TestBatch.make(["x"])).errorCode == .none)
        #expect(try client.produce("t", large).errorCode == .messageTooLarge)
      }
      #expect(try #require(broker.server.broker.log("t", 0)).segmentInfo().count == 1)
    }
  }

  /// The sync that lags behind holds up nobody either: sealed segments wait for it on a thread of
  /// their own.
  @Test func segmentsThatPileUpUnsyncedHoldUpNoOtherConnection() async throws {
    let gate = Gate()
    let disk = CountingDisk(PosixDisk()) { call in
      if call.operation == .sync, call.path.hasSuffix(".log"), call.path.contains("/slow-0/") {
        gate.pass()
      }
    }
    try await withTwoConnections(disk, segmentBytes: 2048) { broker, slow, other in
      let batch = try TestBatch.make([Self.value])
      #expect(try slow.produce("slow", batch).errorCode == .none)
      gate.shut()
      defer { gate.open() }
      let rounds = 3 * Writer.unsyncedSealedMax
      for _ in 0..<rounds {
        try slow.send(
          TestClient.produceRequest("slow", byteCount: batch.count), version: 9, records: batch)
      }
      #expect(gate.holds(), "nothing was synced")
      let known = try #require(broker.server.broker.log("slow", 0))
      // Metadata is answered while the log takes what it may take, and when it takes no more.
      for _ in 0..<200 {
        let answer = try other.ask(.metadata(.with { $0.topics = [] }), version: 12)
        _ = try answer.body(as: MetadataResponse.self)
      }
      #expect(known.logEndOffset < Int64(rounds), "nothing lagged behind")
      gate.open()
      for round in 0..<rounds {
        let answer = try slow.takeAnswer(.produce, version: 9).response
        let body = try answer.body(as: ProduceResponse.self)
        #expect(body.responses[0].partitionResponses[0].baseOffset == Int64(round + 1))
      }
    }
  }
}
