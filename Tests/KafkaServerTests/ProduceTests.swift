import LogStore
import MkstoreProtocol
import MkstoreServer
import RecordFormat
import Testing

/// What is appended, and what is refused with which of Kafka's errors.
struct ProduceTests {
  @Test(arguments: [3, 4, 5, 6, 7, 8, 9] as [Int16], [-1, 1] as [Int16])
  func everyVersionAppends(version: Int16, acks: Int16) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      for round in 0..<3 {
        let result = try client.produce(
          "t", try TestBatch.make(["a\(round)", "b\(round)"]), acks: acks, version: version)
        #expect(result.errorCode == .none)
        #expect(result.baseOffset == Int64(2 * round))
        #expect(result.logAppendTimeMs == -1)
        if version >= 5 { #expect(result.logStartOffset == 0) }
      }
      let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: 0))
      #expect(try values(of: records) == ["a0", "b0", "a1", "b1", "a2", "b2"])
    }
  }

  @Test func refusalsAreKafkasAndTheConnectionLives() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["max.message.bytes": "2000"])
      let good = try TestBatch.make(["good"])
      #expect(try client.produce("missing", good).errorCode == .unknownTopicOrPartition)
      #expect(try client.produce("t", good, partition: 7).errorCode == .unknownTopicOrPartition)
      var flipped = good
      flipped[good.count - 1] ^= 1
      #expect(try client.produce("t", flipped).errorCode == .corruptMessage)
      #expect(try client.produce("t", good + good).errorCode == .invalidRecord)
      #expect(try client.produce("t", []).errorCode == .invalidRecord)
      #expect(try client.produce("t", Array(good.dropLast(5))).errorCode == .invalidRecord)
      var old = good
      old[16] = 1
      #expect(try client.produce("t", old).errorCode == .invalidRecord)
      #expect(
        try client.produce("t", old, version: 2).errorCode == .unsupportedForMessageFormat)
      let large = try TestBatch.make([String(repeating: "x", count: 3000)])
      #expect(try client.produce("t", large).errorCode == .messageTooLarge)
      let zstd = try TestBatch.make(["zstd"], compression: .zstd(level: 1))
      #expect(try client.produce("t", zstd, version: 6).errorCode == .unsupportedCompressionType)
      #expect(try client.produce("t", good, acks: 2).errorCode == .invalidRequiredAcks)
      // Nothing of it was appended.
      let result = try client.produce("t", good)
      #expect(result.errorCode == .none)
      #expect(result.baseOffset == 0)
    }
  }

  @Test func acksZeroIsNotAnswered() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make(["quiet"])
      try client.send(
        TestClient.produceRequest("t", acks: 0, byteCount: batch.count), version: 9, records: batch)
      // The next answer is the next request's.
      let (partition, records) = try client.fetch(
        TestClient.fetchRequest("t", from: 0, maxWaitMs: 10_000))
      #expect(partition.highWatermark == 1)
      #expect(try values(of: records) == ["quiet"])
    }
  }

  @Test func failedProduceWithAcksZeroClosesTheConnection() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      let batch = try TestBatch.make(["quiet"])
      try client.send(
        TestClient.produceRequest("missing", acks: 0, byteCount: batch.count), version: 9,
        records: batch)
      #expect(client.isClosedByServer())
    }
  }

  @Test func whatAProducerSentBeforeItWentIsAppended() async throws {
    try await TestBroker.with { broker in
      let witness = try broker.connect()
      try witness.create("t", partitions: 50)
      let batch = try TestBatch.make(["last words"])
      do {
        let client = try broker.connect()
        for round in 0..<500 {
          try client.send(
            TestClient.produceRequest("t", Int32(round % 50), acks: 0, byteCount: batch.count),
            version: 9, records: batch)
        }
      }
      for partition: Int32 in 0..<50 {
        let found = try witness.fetch(
          TestClient.fetchRequest(
            "t", partition, from: 0, maxWaitMs: 15_000, minBytes: Int32(10 * batch.count)))
        #expect(try values(of: found.records).count == 10)
      }
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let batch = try TestBatch.make(["x"])
      var numbers: [Int32] = []
      for round in 0..<200 {
        if round % 5 == 4 {
          numbers.append(try client.send(.metadata(.with { $0.topics = [] }), version: 12))
        } else {
          numbers.append(
            try client.send(
              TestClient.produceRequest("t", byteCount: batch.count), version: 9, records: batch))
        }
      }
      var offset: Int64 = 0
      for (round, number) in numbers.enumerated() {
        let api: ApiKey = round % 5 == 4 ? .metadata : .produce
        let answer = try client.takeAnswer(api, version: api == .produce ? 9 : 12).response
        #expect(answer.correlationId == number)
        if case .produce(let body) = answer.body {
          #expect(body.responses[0].partitionResponses[0].baseOffset == offset)
          offset += 1
        }
      }
      #expect(offset == 160)
    }
  }

  @Test func logAppendTimeIsTheBrokers() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["message.timestamp.type": "LogAppendTime"])
      let result = try client.produce("t", try TestBatch.make(["x"], timestamp: 1))
      #expect(result.errorCode == .none)
      #expect(result.logAppendTimeMs > 1_700_000_000_000)
      let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: 0))
      let header = try BatchHeader(records.span)
      #expect(header.maxTimestamp == result.logAppendTimeMs)
      try RecordBatch(records.span).checkCRC()
    }
  }

  /// As in Kafka: clients number a batch's records from 0, and the broker gives them their offsets.
  @Test func aBatchThatNamesOffsetsIsRefused() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      var batch = try TestBatch.make(["x"])
      for offset: UInt8 in [1, 5, 255] {
        batch[7] = offset
        #expect(try client.produce("t", batch).errorCode == .invalidRecord)
      }
      batch[7] = 0
      #expect(try client.produce("t", batch).baseOffset == 0)
    }
  }

  @Test func aCompactedTopicTakesNoRecordWithoutAKey() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["cleanup.policy": "compact"])
      let answer = try client.produce("t", try TestBatch.make(["x"]))
      #expect(answer.errorCode == .invalidRecord)
      #expect(answer.errorMessage?.contains("key") == true)
    }
  }

  /// A refused request with acks 0 ends the connection, but what was acknowledged before it is
  /// told first.
  @Test func answersOwedLeaveBeforeARefusalEndsTheConnection() async throws {
    try await TestBroker.with { broker in
      let maker = try broker.connect()
      try maker.create("t")
      let batch = try TestBatch.make(["x"])
      for ending in ["acks 0", "garbage"] {
        let client = try broker.connect()
        for _ in 0..<5 {
          try client.send(
            TestClient.produceRequest("t", acks: -1, byteCount: batch.count), version: 9,
            records: batch)
        }
        if ending == "acks 0" {
          try client.send(
            TestClient.produceRequest("missing", acks: 0, byteCount: batch.count), version: 9,
            records: batch)
        } else {
          try client.send([0, 0, 0, 1, 0])
        }
        for _ in 0..<5 {
          let answer = try client.takeAnswer(.produce, version: 9).response
          let body = try answer.body(as: ProduceResponse.self)
          #expect(body.responses.flatMap(\.partitionResponses).map(\.errorCode) == [.none])
        }
        #expect(client.isClosedByServer(), "\(ending)")
      }
    }
  }
}
