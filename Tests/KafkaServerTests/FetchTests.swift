import LogStore
import MkstoreProtocol
import MkstoreServer
import RecordFormat
import Testing

/// What a fetch gives, how long it waits, and what it refuses.
struct FetchTests {
  @Test func aParkedFetchIsWokenByTheAppend() async throws {
    try await TestBroker.with { broker in
      let reader = try broker.connect()
      let writer = try broker.connect()
      try writer.create("t")
      let begun = ContinuousClock.now
      try reader.send(
        .fetch(TestClient.fetchRequest("t", from: 0, maxWaitMs: 15_000)), version: 12)
      #expect(try writer.produce("t", try TestBatch.make(["woken"])).errorCode == .none)
      let (partition, records) = try reader.takeFetch()
      #expect(try values(of: records) == ["woken"])
      #expect(partition.highWatermark == 1)
      #expect(ContinuousClock.now - begun < .seconds(10))
    }
  }

  @Test func aParkedFetchIsAnsweredWhenItsTopicIsDeleted() async throws {
    try await TestBroker.with { broker in
      let reader = try broker.connect()
      let admin = try broker.connect()
      try admin.create("t")
      try reader.send(
        .fetch(TestClient.fetchRequest("t", from: 0, maxWaitMs: Int32.max)), version: 12)
      // Until it is parked, so that the deletion finds it waiting.
      let log = try #require(broker.server.broker.log("t", 0))
      let end = ContinuousClock.now + .seconds(20)
      while !log.acknowledgedEnd.hasCallbacks, ContinuousClock.now < end {
        _ = try admin.ask(.metadata(.with { $0.topics = [] }), version: 12)
      }
      _ = try admin.ask(
        .deleteTopics(.with { $0.topics = [.with { $0.name = "t" }] }), version: 6)
      #expect(try reader.takeFetch().partition.errorCode == .unknownTopicOrPartition)
    }
  }

  @Test func anEmptyFetchWaitsForItsDeadline() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let begun = ContinuousClock.now
      let (partition, records) = try client.fetch(
        TestClient.fetchRequest("t", from: 0, maxWaitMs: 200))
      #expect(ContinuousClock.now - begun >= .milliseconds(195))
      #expect(records.isEmpty)
      #expect(partition.errorCode == .none)
      #expect(partition.highWatermark == 0)
      #expect(partition.lastStableOffset == 0)
      #expect(partition.logStartOffset == 0)
    }
  }

  @Test func aFetchWaitsForItsMinBytes() async throws {
    try await TestBroker.with { broker in
      let reader = try broker.connect()
      let writer = try broker.connect()
      try writer.create("t")
      let batch = try TestBatch.make(["one"])
      try reader.send(
        .fetch(
          TestClient.fetchRequest(
            "t", from: 0, maxWaitMs: 15_000, minBytes: Int32(3 * batch.count))), version: 12)
      for _ in 0..<3 { _ = try writer.produce("t", batch) }
      #expect(try values(of: try reader.takeFetch().records) == ["one", "one", "one"])
    }
  }

  /// P26, as clients see it.
  @Test func theFirstBatchComesWholeAndLimitsHold() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 2)
      for partition: Int32 in 0..<2 {
        for round in 0..<4 {
          _ = try client.produce(
            "t", try TestBatch.make(["\(partition)-\(round)"]), partition: partition)
        }
      }
      let one = try client.fetch(TestClient.fetchRequest("t", from: 0, maxBytes: 1))
      #expect(try values(of: one.records) == ["0-0"])
      let size = Int32(one.records.count)
      var request = TestClient.fetchRequest("t", from: 0, partitionMaxBytes: 2 * size + 1)
      var second = request.topics[0].partitions[0]
      second.partition = 1
      request.topics[0].partitions.append(second)
      request.maxBytes = 3 * size + 1
      try client.send(.fetch(request), version: 12)
      let (response, frame) = try client.takeAnswer(.fetch, version: 12)
      let body = try response.body(as: FetchResponse.self)
      let found = try body.responses[0].partitions.map {
        try values(of: Array(frame[try #require($0.records).range]))
      }
      #expect(found == [["0-0", "0-1"], ["1-0"]])
    }
  }

  @Test func aFetchInsideABatchGivesItWhole() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      _ = try client.produce("t", try TestBatch.make(["a", "b", "c"]))
      let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: 2))
      #expect(try values(of: records) == ["a", "b", "c"])
    }
  }

  @Test func refusalsAreKafkas() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      _ = try client.produce("t", try TestBatch.make(["a"]))
      func code(_ request: FetchRequest) throws -> ErrorCode {
        let partition = try client.fetch(request).partition
        if partition.errorCode != .none { #expect(partition.highWatermark == -1) }
        return partition.errorCode
      }
      #expect(try code(TestClient.fetchRequest("missing", from: 0)) == .unknownTopicOrPartition)
      #expect(try code(TestClient.fetchRequest("t", 9, from: 0)) == .unknownTopicOrPartition)
      #expect(try code(TestClient.fetchRequest("t", from: 2)) == .offsetOutOfRange)
      #expect(try code(TestClient.fetchRequest("t", from: -1)) == .offsetOutOfRange)
      #expect(try code(TestClient.fetchRequest("t", from: 1)) == .none)
      var epoch = TestClient.fetchRequest("t", from: 0)
      epoch.topics[0].partitions[0].currentLeaderEpoch = 99
      #expect(try code(epoch) == .unknownLeaderEpoch)
    }
  }

  @Test func sessionsAreRefusedAsKafkaDoes() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      func ask(_ id: Int32, _ epoch: Int32) throws -> FetchResponse {
        var request = TestClient.fetchRequest("t", from: 0)
        request.sessionId = id
        request.sessionEpoch = epoch
        let answer = try client.ask(.fetch(request), version: 12)
        let body = try answer.body(as: FetchResponse.self)
        return body
      }
      let new = try ask(0, 0)
      #expect(new.errorCode == .none)
      #expect(new.sessionId == 0)
      #expect(new.responses.count == 1)
      #expect(try ask(0, -1).errorCode == .none)
      #expect(try ask(17, 3).errorCode == .fetchSessionIdNotFound)
    }
  }

  /// Kafka refuses zstd below v10 where a topic's `compression.type` asks for it, and never looks
  /// at the batches: kafka-python 2.0.2 reads zstd, with Fetch v4.
  @Test(arguments: 4...12 as ClosedRange<Int16>)
  func zstdIsFetchedInEveryVersion(version: Int16) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      _ = try client.produce("t", try TestBatch.make(["z"], compression: .zstd(level: 1)))
      let answer = try client.fetch(TestClient.fetchRequest("t", from: 0), version: version)
      #expect(answer.partition.errorCode == .none)
      #expect(try values(of: answer.records) == ["z"])
    }
  }

  @Test(arguments: [0, 1 << 30]) func copiedAndSentAnswersAreTheSame(copiedMax: Int) async throws {
    try await TestBroker.with(configure: { $0.copiedAnswerBytesMax = copiedMax }) { broker in
      let client = try broker.connect()
      try client.create("t")
      var expected: [UInt8] = []
      for round in 0..<20 {
        let text = String(repeating: "\(round)-", count: 5000)
        _ = try client.produce("t", try TestBatch.make([text]))
      }
      var offset: Int64 = 0
      while offset < 20 {
        let records = try client.fetch(
          TestClient.fetchRequest("t", from: offset, partitionMaxBytes: 70_000)
        ).records
        expected += records
        offset += Int64(try values(of: records).count)
      }
      #expect(
        try values(of: expected) == (0..<20).map { String(repeating: "\($0)-", count: 5000) })
    }
  }
}
