import LogStore
import MkstoreProtocol
import MkstoreServer
import RecordFormat
import Testing

/// What the server must never answer: each test catches a bug of Tests/PlantedBugs
/// (`tools/planted-bugs`).
struct PlantedServerBugTests {
  private static func log(_ broker: TestBroker) throws -> Log {
    try #require(broker.manager.log(TopicPartition(topic: "t", partition: 0)))
  }

  /// Appends without asking for a flush; nobody else asks for one here.
  private static func write(_ batch: [UInt8], to log: Log) throws {
    var bytes = batch
    var span = bytes.mutableSpan
    _ = try log.writeBlocking(batch: &span)
  }

  /// 45 and 47 in Kafka's `Errors`.
  @Test func aWrongSequenceAndAnOldEpochHaveKafkasCodes() {
    let wrong = LogError.outOfOrderSequence(producerId: 1, found: 3, expected: 2)
    let old = LogError.invalidProducerEpoch(producerId: 1, found: 1, current: 2)
    #expect(ErrorCode(wrong).rawValue == 45)
    #expect(ErrorCode(old).rawValue == 47)
  }

  @Test func aDuplicateIsAnsweredOnlyOnceItsOriginalIsDurable() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let log = try Self.log(broker)
      let batch = try TestBatch.make(
        ["x"], options: BatchOptions(producerId: 7, producerEpoch: 0, baseSequence: 0))
      try Self.write(batch, to: log)
      #expect(log.recoveryPoint == 0 && log.logEndOffset == 1)
      let answer = try client.produce("t", batch)
      #expect(log.recoveryPoint == 1)
      #expect(answer.errorCode == .none && answer.baseOffset == 0 && log.logEndOffset == 1)
    }
  }

  @Test func noFetchGivesOutWhatIsNotDurable() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let log = try Self.log(broker)
      for value in ["a", "b", "c"] {
        try Self.write(try TestBatch.make([value]), to: log)
        if value == "b" { try log.flushBlocking() }
      }
      // Cold, then hot.
      for _ in 0..<2 {
        let (partition, records) = try client.fetch(TestClient.fetchRequest("t", from: 0))
        #expect(partition.highWatermark == 2)
        #expect(try values(of: records) == ["a", "b"])
        let (atEnd, none) = try client.fetch(TestClient.fetchRequest("t", from: 2))
        #expect(atEnd.errorCode == .none && none.isEmpty)
      }
      try log.flushBlocking()
      let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: 2))
      #expect(try values(of: records) == ["c"])
    }
  }
}
