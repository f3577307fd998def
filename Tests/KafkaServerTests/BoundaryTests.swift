import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// Values at and beyond every bound, in requests that parse: Kafka's errors, and nothing else.
struct BoundaryTests {
  // MARK: Produce

  @Test(arguments: [-32_768, -2, 2, 5, 32_767] as [Int16])
  func acksBeyondKafkasAreRefused(acks: Int16) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make(["x"])
      #expect(try client.produce("t", batch, acks: acks).errorCode == .invalidRequiredAcks)
      #expect(try client.produce("t", batch).baseOffset == 0)
    }
  }

  @Test func partitionsTwiceInAProduceRequestAreEachAnswered() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make(["x"])
      let answer = try client.ask(
        .produce(
          .with { request in
            request.acks = -1
            request.topicData = ([0, -1, Int32.max, 0] as [Int32]).map { index in
              .with {
                $0.name = "t"
                $0.partitionData = [
                  .with {
                    $0.index = index
                    $0.records = ByteRange(offset: 0, count: batch.count)
                  }
                ]
              }
            }
          }), version: 9, records: batch)
      let body = try answer.body(as: ProduceResponse.self)
      let found = body.responses.flatMap(\.partitionResponses)
      #expect(found.map(\.index) == [0, -1, Int32.max, 0])
      #expect(
        found.map(\.errorCode)
          == [.none, .unknownTopicOrPartition, .unknownTopicOrPartition, .none])
      #expect(found.map(\.baseOffset) == [0, -1, -1, 1])
    }
  }

  @Test func recordsThatAreNoBatchAreRefused() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let good = try TestBatch.make(["x"])
      var batches: [[UInt8]] = [[], [0], Array(good.prefix(60)), good + [0], [0] + good]
      // Length, record count and last offset delta, each at its extremes.
      for (position, count) in [(8, 4), (57, 4), (23, 4), (16, 1), (43, 8), (53, 4)] {
        for byte: UInt8 in [0x00, 0x7f, 0x80, 0xff] {
          var batch = good
          for index in position..<position + count { batch[index] = byte }
          if batch != good { batches.append(batch) }
        }
      }
      for batch in batches {
        let result = try client.produce("t", batch)
        #expect(result.errorCode != .none, "\(batch.prefix(61))")
        #expect(result.baseOffset == -1)
      }
      let null = try client.ask(TestClient.produceRequest("t", byteCount: nil), version: 9)
      let body = try null.body(as: ProduceResponse.self)
      #expect(body.responses[0].partitionResponses[0].errorCode == .invalidRecord)
      #expect(try client.produce("t", good).baseOffset == 0)
    }
  }

  @Test func transactionsAreRefused() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      var batch = try TestBatch.make(["x"])
      batch[22] |= 0x10
      #expect(
        try client.produce("t", batch).errorCode == .transactionalIdAuthorizationFailed)
      let answer = try client.ask(
        TestClient.produceRequest("t", byteCount: batch.count, transactionalId: "id"), version: 9,
        records: batch)
      let body = try answer.body(as: ProduceResponse.self)
      #expect(
        body.responses[0].partitionResponses[0].errorCode == .transactionalIdAuthorizationFailed)
    }
  }

  /// As in Kafka: no part of the request is done.
  @Test func oneTransactionalBatchHasTheWholeRequestRefused() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 2)
      let good = try TestBatch.make(["x"])
      var transactional = good
      transactional[22] |= 0x10
      for batches in [[good, transactional], [transactional, good]] {
        var request = ProduceRequest()
        request.acks = -1
        request.topicData = [
          .with { topic in
            topic.name = "t"
            topic.partitionData = batches.indices.map { index in
              .with {
                $0.index = Int32(index)
                $0.records = ByteRange(offset: index * good.count, count: good.count)
              }
            }
          }
        ]
        let answer = try client.ask(.produce(request), version: 9, records: batches.flatMap { $0 })
        let body = try answer.body(as: ProduceResponse.self)
        #expect(
          body.responses[0].partitionResponses.map(\.errorCode)
            == Array(repeating: .transactionalIdAuthorizationFailed, count: 2))
      }
      #expect(try client.produce("t", good).baseOffset == 0)
      #expect(try client.produce("t", good, partition: 1).baseOffset == 0)
    }
  }

  // MARK: Fetch

  @Test(
    arguments: [
      (0, 0, 0), (-1, -1, -1), (Int32.min, Int32.min, Int32.min), (Int32.max, 1, Int32.max),
      (1, Int32.max, 0),
    ] as [(Int32, Int32, Int32)])
  func anyByteLimitsGiveAtLeastOneBatch(limits: (Int32, Int32, Int32)) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      for round in 0..<3 { _ = try client.produce("t", try TestBatch.make(["\(round)"])) }
      let (partition, records) = try client.fetch(
        TestClient.fetchRequest(
          "t", from: 0, maxWaitMs: -5, minBytes: limits.0, maxBytes: limits.1,
          partitionMaxBytes: limits.2))
      #expect(partition.errorCode == .none)
      #expect(try values(of: records).first == "0")
    }
  }

  @Test(arguments: [-1, Int64.min, 2, Int64.max] as [Int64])
  func offsetsBeyondTheLogAreOutOfRange(offset: Int64) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      _ = try client.produce("t", try TestBatch.make(["x"]))
      let (partition, records) = try client.fetch(
        TestClient.fetchRequest("t", from: offset, maxWaitMs: 15_000))
      #expect(partition.errorCode == .offsetOutOfRange)
      #expect(partition.highWatermark == -1)
      #expect(records.isEmpty)
    }
  }

  @Test func aPartitionAskedForOftenIsAnsweredOnce() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      _ = try client.produce("t", try TestBatch.make(["x"]))
      var request = TestClient.fetchRequest("t", from: 0)
      let partition = request.topics[0].partitions[0]
      request.topics[0].partitions = Array(repeating: partition, count: 1000)
      try client.send(.fetch(request), version: 12)
      let (response, frame) = try client.takeAnswer(.fetch, version: 12)
      let body = try response.body(as: FetchResponse.self)
      let found = body.responses[0].partitions
      #expect(found.map(\.errorCode) == [.none])
      #expect(try values(of: Array(frame[try #require(found[0].records).range])) == ["x"])
    }
  }

  @Test func nothingAskedForIsAnsweredAtOnce() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      let answer = try client.ask(
        .fetch(.with { $0.maxWaitMs = Int32.max }), version: 12)
      let body = try answer.body(as: FetchResponse.self)
      #expect(body.errorCode == .none)
      #expect(body.responses.isEmpty)
    }
  }

  /// KIP-595: who read another history than ours is told where the two part.
  @Test func theEpochThatAClientReadLastIsCompared() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      _ = try client.produce("t", try TestBatch.make(["x"]))
      let current = try #require(broker.server.broker.log("t", 0)).leaderEpoch
      func ask(_ epoch: Int32) throws -> FetchResponse.Topic.Partition {
        var request = TestClient.fetchRequest("t", from: 0, maxWaitMs: 100)
        request.topics[0].partitions[0].lastFetchedEpoch = epoch
        return try client.fetch(request).partition
      }
      #expect(try ask(-1).errorCode == .none)
      #expect(try ask(current).errorCode == .none)
      #expect(try ask(current).divergingEpoch == nil)
      #expect(try ask(current + 1).errorCode == .offsetOutOfRange)
    }
  }

  // MARK: ListOffsets

  @Test func offsetsOfAPartitionAskedTwiceAreRefused() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 2)
      let answer = try client.ask(
        .listOffsets(
          .with { request in
            request.topics = [
              .with {
                $0.name = "t"
                $0.partitions = ([0, 0, 1, -1] as [Int32]).map { index in
                  .with {
                    $0.partitionIndex = index
                    $0.timestamp = -1
                  }
                }
              }
            ]
          }), version: 7)
      let body = try answer.body(as: ListOffsetsResponse.self)
      #expect(
        body.topics[0].partitions.map(\.errorCode)
          == [.invalidRequest, .invalidRequest, .none, .unknownTopicOrPartition])
    }
  }

  @Test(arguments: [Int64.min, -6, -4] as [Int64])
  func timesThatMeanNothingAreRefused(timestamp: Int64) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let answer = try client.ask(
        .listOffsets(
          .with { request in
            request.topics = [
              .with {
                $0.name = "t"
                $0.partitions = [.with { $0.timestamp = timestamp }]
              }
            ]
          }), version: 7)
      let body = try answer.body(as: ListOffsetsResponse.self)
      #expect(body.topics[0].partitions[0].errorCode == .unsupportedVersion)
    }
  }
}
