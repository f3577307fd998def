import DiskIO
import Glibc
import LogStore
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// DeleteRecords as Kafka 3.9 answers it.
struct DeleteRecordsTests {
  private typealias Answer = DeleteRecordsResponse.Topic.Partition

  private static func request(_ topics: [(String, [(Int32, Int64)])]) -> DeleteRecordsRequest {
    .with { request in
      request.timeoutMs = 1000
      request.topics = topics.map { name, partitions in
        .with { topic in
          topic.name = name
          topic.partitions = partitions.map { partition, offset in
            .with {
              $0.partitionIndex = partition
              $0.offset = offset
            }
          }
        }
      }
    }
  }

  private static func delete(
    _ client: TestClient, _ topic: String, before offset: Int64, version: Int16 = 2
  ) throws -> DeleteRecordsResponse.Topic.Partition {
    let answer = try client.ask(
      .deleteRecords(request([(topic, [(0, offset)])])), version: version)
    let body = try answer.body(as: DeleteRecordsResponse.self)
    #expect(body.topics.map(\.name) == [topic])
    return try #require(body.topics.first?.partitions.first)
  }

  /// Ten batches of one record.
  private static func fill(_ client: TestClient, _ topic: String = "t") throws {
    try client.create(topic)
    for number in 0..<10 {
      #expect(try client.produce(topic, try TestBatch.make(["\(number)"])).errorCode == .none)
    }
  }

  private static func expectStart(_ client: TestClient, _ start: Int64) throws {
    if start > 0 {
      let below = try client.fetch(TestClient.fetchRequest("t", from: start - 1))
      #expect(below.partition.errorCode == .offsetOutOfRange)
    }
    let (_, records) = try client.fetch(TestClient.fetchRequest("t", from: start))
    #expect(try values(of: records) == (start..<10).map { "\($0)" })
    let answer = try client.ask(
      .listOffsets(
        .with {
          $0.topics = [
            .with {
              $0.name = "t"
              $0.partitions = [.with { $0.timestamp = -2 }]
            }
          ]
        }), version: 7)
    let listed = try answer.body(as: ListOffsetsResponse.self)
    #expect(listed.topics.first?.partitions.first?.offset == start)
  }

  @Test(arguments: [0, 1, 2] as [Int16])
  func recordsBelowTheOffsetAreGone(_ version: Int16) async throws {
    let directory = TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(directory) }
    try await TestBroker.with(directory) { broker in
      let client = try broker.connect()
      try Self.fill(client)
      let answer = try Self.delete(client, "t", before: 4, version: version)
      #expect(answer.errorCode == .none && answer.lowWatermark == 4)
      try Self.expectStart(client, 4)
      // A lower offset is answered with the start.
      let again = try Self.delete(client, "t", before: 2, version: version)
      #expect(again.errorCode == .none && again.lowWatermark == 4)
      try Self.expectStart(client, 4)
    }
    try await TestBroker.with(directory) { broker in
      let client = try broker.connect()
      try Self.expectStart(client, 4)
      let all = try Self.delete(client, "t", before: -1, version: version)
      #expect(all.errorCode == .none && all.lowWatermark == 10)
      try Self.expectStart(client, 10)
    }
  }

  /// Measured on Kafka 3.9.
  @Test func whatCannotBeDeletedHasKafkasError() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try Self.fill(client)
      try client.create("compacted", configs: ["cleanup.policy": "compact"])
      try client.create("both", configs: ["cleanup.policy": "compact,delete"])
      try client.create("__consumer_offsets")
      let cases: [(String, Int64, ErrorCode)] = [
        ("t", 11, .offsetOutOfRange), ("t", -2, .offsetOutOfRange),
        ("t", .min, .offsetOutOfRange), ("t", .max, .offsetOutOfRange),
        ("missing", 0, .unknownTopicOrPartition), ("compacted", 0, .policyViolation),
        ("compacted", -7, .policyViolation), ("__consumer_offsets", 0, .invalidTopicException),
      ]
      for (topic, offset, code) in cases {
        let answer = try Self.delete(client, topic, before: offset)
        #expect(answer.errorCode == code, "\(topic) \(offset)")
        #expect(answer.lowWatermark == -1, "\(topic) \(offset)")
      }
      #expect(try Self.delete(client, "both", before: 0).errorCode == .none)
      try Self.expectStart(client, 0)
    }
  }

  @Test func eachPartitionIsAnsweredOnce() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try Self.fill(client)
      let asked = Self.request([("t", [(0, 9), (1, 0)]), ("none", [(0, 0)]), ("t", [(0, 3)])])
      let body = try client.ask(.deleteRecords(asked), version: 2)
        .body(as: DeleteRecordsResponse.self)
      #expect(body.topics.map(\.name) == ["t", "none"])
      #expect(body.topics.map { $0.partitions.map(\.partitionIndex) } == [[0, 1], [0]])
      #expect(
        body.topics.map { $0.partitions.map(\.errorCode) }
          == [[.none, .unknownTopicOrPartition], [.unknownTopicOrPartition]])
      #expect(body.topics[0].partitions[0].lowWatermark == 3, "as it said last")
      try Self.expectStart(client, 3)
    }
  }

  /// The answer comes after the start is on disk: where that fails, nothing is deleted.
  @Test func theStartIsDurableBeforeTheAnswer() async throws {
    let disk = SimulatedDisk(seed: 1)
    try await TestBroker.with("/data", disk: disk, nowMs: { 1_700_000_000_000 }) { broker in
      let client = try broker.connect()
      try Self.fill(client)
      disk.plan(FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.sync]))
      let failed = try Self.delete(client, "t", before: 6)
      #expect(failed.errorCode == .kafkaStorageError && failed.lowWatermark == -1)
      disk.removeFaults()
      try Self.expectStart(client, 0)
      #expect(try Self.delete(client, "t", before: 6).lowWatermark == 6)
      // Whatever a power cut takes now.
      let log = try #require(broker.manager.log(try TopicPartition(topic: "t", partition: 0)))
      let bytes = try #require(disk.durableContents(of: "\(log.path)/mkstore.start"))
      #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("log_start_offset: 6\n"))
    }
  }
}
