import Foundation
import LogStore
import MkstoreProtocol
import MkstoreServer
import Synchronization
import Testing

/// A slow, idle or vanished client keeps no thread, no memory beyond its share, and no segment for
/// ever.
struct ResourceLimitTests {
  /// Files of this process below `directory` whose last name is gone.
  private func deletedFilesHeldOpen(below directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { fd in
      // The listing's own descriptor is gone by now.
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(fd)")
      guard let target, target.hasPrefix(directory), target.hasSuffix("(deleted)") else {
        return nil
      }
      return target
    }
  }

  /// Asks for metadata until `condition` holds; false where it does not for 20 s.
  private func asks(_ client: TestClient, until condition: () throws -> Bool) throws -> Bool {
    let end = ContinuousClock.now + .seconds(20)
    while try !condition() {
      if ContinuousClock.now > end { return false }
      _ = try client.ask(.metadata(.with { $0.topics = [] }), version: 12)
    }
    return true
  }

  @Test(arguments: [0, 3, 700]) func aConnectionWithoutWholeRequestsEnds(bytes: Int) async throws {
    try await TestBroker.with(configure: {
      $0.connectionIdleMaxMs = 100
      $0.sweepMs = 20
    }) { broker in
      let client = try broker.connect()
      // The start of a request of 1,024 bytes.
      try client.send(Array(([0, 0, 4, 0] + [UInt8](repeating: 0, count: 700)).prefix(bytes)))
      #expect(client.isClosedByServer())
    }
  }

  /// A client that asked for 24 MB and has taken nothing yet, before a broker that is soon
  /// impatient.
  private func withUntakenAnswer(
    _ body: (_ broker: TestBroker, _ witness: TestClient, _ reader: TestClient) throws -> Void
  ) async throws {
    try await TestBroker.with(configure: {
      $0.stalledWriteMaxMs = 300
      $0.sweepMs = 20
    }) { broker in
      let witness = try broker.connect()
      try witness.create("t")
      let batch = try TestBatch.make([String(repeating: "x", count: 1_000_000)])
      for _ in 0..<24 { #expect(try witness.produce("t", batch).errorCode == .none) }
      let reader = try broker.connect()
      try reader.send(
        .fetch(
          TestClient.fetchRequest(
            "t", from: 0, maxBytes: 50_000_000, partitionMaxBytes: 50_000_000)), version: 12)
      try body(broker, witness, reader)
    }
  }

  /// 24 MB are asked for and not taken: the client is cut off, others go on meanwhile, and the
  /// deleted topic's files are let go.
  @Test func whoTakesNothingOfAnAnswerIsCutOff() async throws {
    try await withUntakenAnswer { broker, witness, stalled in
      _ = try stalled.take(100)
      let answer = try witness.ask(
        .deleteTopics(.with { $0.topics = [.with { $0.name = "t" }] }), version: 6)
      let body = try answer.body(as: DeleteTopicsResponse.self)
      #expect(body.responses[0].errorCode == .none)
      let connections = broker.server.broker
      #expect(
        try asks(witness) { connections.connectionCount.load(ordering: .relaxed) == 1 },
        "the stalled connection is still there")
      #expect(
        try asks(witness) { try deletedFilesHeldOpen(below: broker.directory).isEmpty },
        "files of the deleted topic are held open")
    }
  }

  /// A few bytes now and then are no progress: else an answer's files stay open for days.
  @Test func whoTakesALittleOfAnAnswerIsCutOff() async throws {
    try await withUntakenAnswer { broker, witness, slow in
      let connections = broker.server.broker
      let isCutOff = try asks(witness) {
        // Some of what the kernel holds already.
        if connections.connectionCount.load(ordering: .relaxed) == 2 { _ = try slow.take(1) }
        return connections.connectionCount.load(ordering: .relaxed) == 1
      }
      #expect(isCutOff, "a client that takes a byte at a time is still there")
    }
  }

  /// What came of a request is counted over all connections and given back with its own, also where
  /// an earlier request of the client still waits.
  @Test func whatAClientHadBegunIsForgottenWithIt() async throws {
    try await TestBroker.with { broker in
      let witness = try broker.connect()
      try witness.create("t")
      let inner = broker.server.broker
      var client: TestClient? = try broker.connect()
      try client?.send(
        .fetch(TestClient.fetchRequest("t", from: 0, maxWaitMs: 30_000)), version: 12)
      try client?.send([0, 0, 1, 0] + [UInt8](repeating: 0, count: 100))
      let isHeld = try asks(witness) { inner.bufferedBytes.load(ordering: .relaxed) == 104 }
      #expect(isHeld)
      client = nil
      let isGone = try asks(witness) { inner.connectionCount.load(ordering: .relaxed) == 1 }
      #expect(isGone)
      #expect(inner.bufferedBytes.load(ordering: .relaxed) == 0)
    }
  }

  /// A producer that hangs up behind a fetch that waits: what it sent before that still counts.
  @Test func aProduceRequestBehindAWaitingFetchIsTakenAtTheEnd() async throws {
    try await TestBroker.with { broker in
      let witness = try broker.connect()
      try witness.create("t")
      let batch = try TestBatch.make(["last words"])
      var client: TestClient? = try broker.connect()
      try client?.send(
        .fetch(TestClient.fetchRequest("t", from: 0, maxWaitMs: 30_000)), version: 12)
      try client?.send(
        TestClient.produceRequest("t", acks: 0, byteCount: batch.count), version: 9, records: batch)
      client = nil
      let log = try #require(broker.manager.log(try TopicPartition(topic: "t", partition: 0)))
      let isTaken = try asks(witness) { log.logEndOffset == 1 }
      #expect(isTaken)
    }
  }

  @Test func soManyMayAskForMetricsAtOnce() async throws {
    try await TestBroker.with(configure: {
      $0.adminListen = Endpoint(host: "127.0.0.1", port: 0)
      $0.adminConnectionsMax = 3
    }) { broker in
      let admin = try #require(try await broker.server.startAdmin())
      var open: [TestClient] = []
      for _ in 0..<3 { open.append(try TestClient(admin)) }
      let count = broker.server.broker
      let witness = try broker.connect()
      #expect(
        try asks(witness) { count.adminConnectionCount.load(ordering: .relaxed) == 3 })
      #expect(try TestClient(admin).isClosedByServer())
      open = []
      #expect(
        try asks(witness) { count.adminConnectionCount.load(ordering: .relaxed) == 0 })
      let again = try TestClient(admin)
      try again.send(Array("GET /healthz HTTP/1.1\r\n\r\n".utf8))
      #expect(try again.take(12) == Array("HTTP/1.1 200".utf8))
    }
  }

  /// A consumer that stopped asking keeps no segment from going.
  @Test func anIdleConsumerHoldsNoSegment() async throws {
    try await TestBroker.with(configure: {
      $0.idleReadersMaxMs = 50
      $0.sweepMs = 20
    }) { broker in
      let witness = try broker.connect()
      try witness.create("t")
      _ = try witness.produce("t", try TestBatch.make(["x"]))
      let idle = try broker.connect()
      _ = try idle.fetch(TestClient.fetchRequest("t", from: 0))
      _ = try witness.ask(
        .deleteTopics(.with { $0.topics = [.with { $0.name = "t" }] }), version: 6)
      #expect(
        try asks(witness) { try deletedFilesHeldOpen(below: broker.directory).isEmpty })
      // It may go on.
      #expect(
        try idle.fetch(TestClient.fetchRequest("t", from: 1)).partition.errorCode
          == .unknownTopicOrPartition)
    }
  }

  /// One that goes on with another topic holds nothing of a deleted one.
  @Test func aBusyConsumerHoldsNoDeletedSegment() async throws {
    try await TestBroker.with(configure: { $0.sweepMs = 20 }) { broker in
      let witness = try broker.connect()
      let busy = try broker.connect()
      for topic in ["t", "u"] {
        try witness.create(topic)
        _ = try witness.produce(topic, try TestBatch.make(["x"]))
        _ = try busy.fetch(TestClient.fetchRequest(topic, from: 0))
      }
      _ = try witness.ask(
        .deleteTopics(.with { $0.topics = [.with { $0.name = "t" }] }), version: 6)
      var served: [String] = []
      let isFree = try asks(witness) {
        served = try values(of: busy.fetch(TestClient.fetchRequest("u", from: 0)).records)
        return try deletedFilesHeldOpen(below: broker.directory).isEmpty
      }
      #expect(isFree)
      #expect(served == ["x"])
    }
  }

  /// Unfinished requests may take so much over all connections; who goes beyond is closed.
  @Test func unfinishedRequestsTakeTheirShareOnly() async throws {
    try await TestBroker.with(configure: { $0.bufferedRequestBytesMax = 1 << 20 }) { broker in
      let witness = try broker.connect()
      try witness.create("t")
      var clients: [TestClient] = []
      var refused = 0
      for _ in 0..<5 {
        let client = try broker.connect()
        clients.append(client)
        do {
          // The start of a request of 16 MiB.
          try client.send([1, 0, 0, 0] + [UInt8](repeating: 0, count: 400_000))
        } catch {
          refused += 1
        }
      }
      let count = broker.server.broker
      #expect(
        try asks(witness) { count.connectionCount.load(ordering: .relaxed) <= 3 },
        "all \(clients.count) unfinished requests are kept, \(refused) were refused")
      #expect(count.bufferedBytes.load(ordering: .relaxed) <= 1 << 20)
      #expect(try witness.produce("t", try TestBatch.make(["x"])).errorCode == .none)
    }
  }

  /// Requests that are there and wait for a thread are counted too, and so are their answers.
  @Test func requestsThatWaitTakeTheirShareOnly() async throws {
    try await TestBroker.with(configure: { $0.bufferedRequestBytesMax = 1 << 20 }) { broker in
      let known = broker.server.broker
      let isFree = DispatchSemaphore(value: 0)
      known.admin.submit { isFree.wait() }
      let names = (0..<4_500).map { number in
        MetadataRequest.Topic.with { $0.name = "\(number)-" + String(repeating: "n", count: 80) }
      }
      let witness = try broker.connect()
      let request = MetadataRequest.with {
        $0.topics = names
        $0.allowAutoTopicCreation = false
      }
      var clients: [TestClient] = []
      for _ in 0..<5 {
        let client = try broker.connect()
        // Who is refused may not get rid of all of it.
        do { _ = try client.send(.metadata(request), version: 9) } catch { continue }
        clients.append(client)
      }
      let isRefused = try asks(witness) {
        known.connectionCount.load(ordering: .relaxed) == 3
      }
      let waiting = known.bufferedBytes.load(ordering: .relaxed)
      #expect(isRefused && waiting > 600_000 && waiting <= 1 << 20, "\(waiting) bytes wait")
      isFree.signal()
      var answered = 0
      for client in clients {
        do {
          let answer = try client.takeAnswer(.metadata, version: 9).response
          guard case .metadata(let body) = answer.body else { continue }
          #expect(body.topics.count == names.count)
          answered += 1
        } catch { continue }
      }
      #expect(answered == 2)
      #expect(try asks(witness) { known.bufferedBytes.load(ordering: .relaxed) == 0 })
    }
  }

  /// A client that goes away while its fetch waits leaves nothing behind.
  @Test func aVanishedConsumerIsNotWaitedFor() async throws {
    try await TestBroker.with { broker in
      let witness = try broker.connect()
      try witness.create("t")
      do {
        let gone = try broker.connect()
        try gone.send(
          .fetch(TestClient.fetchRequest("t", from: 0, maxWaitMs: Int32.max)), version: 12)
        // The answer to nothing; the connection ends with this scope.
      }
      let known = broker.server.broker
      #expect(try asks(witness) { known.connectionCount.load(ordering: .relaxed) == 1 })
      #expect(try !#require(known.log("t", 0)).acknowledgedEnd.hasCallbacks)
    }
  }
}
