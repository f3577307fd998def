import DiskIO
import Glibc
import LogStore
import Logging
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// A partition that cannot be opened is still one: clients that count without it would send keys to
/// other partitions than before.
struct OfflinePartitionTests {
  private func topics(_ client: TestClient, _ name: String) throws -> [MetadataResponse.Topic] {
    let answer = try client.ask(
      .metadata(
        .with { request in
          request.topics = [.with { $0.name = name }]
          request.allowAutoTopicCreation = true
        }), version: 12)
    let body = try answer.body(as: MetadataResponse.self)
    return body.topics
  }

  private func get(_ endpoint: Endpoint, _ path: String) throws -> String {
    let client = try TestClient(endpoint)
    try client.send(Array("GET \(path) HTTP/1.1\r\n\r\n".utf8))
    var text: [UInt8] = []
    while let byte = try? client.take(1) { text += byte }
    return String(decoding: text, as: UTF8.self)
  }

  @Test func itIsDescribedAndRefusedAsKafkaDoes() async throws {
    let disk = SimulatedDisk(seed: 1)
    try await TestBroker.with("/data", disk: disk) { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 3)
      try client.create("u")
      // Their segments are begun with their first records.
      for (topic, partition) in [("t", 0), ("t", 1), ("t", 2), ("u", 0)] as [(String, Int32)] {
        let batch = try TestBatch.make(["x"])
        #expect(try client.produce(topic, batch, partition: partition).errorCode == .none)
      }
    }
    for log in ["t-1", "u-0"] {
      disk.plan(
        FaultPlan(
          .error(EACCES), at: 1, isForEver: true, operations: [.open],
          pathSuffix: "/\(log)/00000000000000000000.log"))
    }
    try await TestBroker.with(
      "/data", disk: disk, configure: { $0.adminListen = Endpoint(host: "127.0.0.1", port: 0) }
    ) { broker in
      #expect(disk.faultFired)
      let admin = try #require(try await broker.server.startAdmin())
      // Another start would not mend it, so the server stays in service and says it.
      let ready = try get(admin, "/readyz")
      #expect(ready.hasPrefix("HTTP/1.1 200"))
      #expect(ready.hasSuffix("\r\n\r\nready, but 2 partitions could not be opened\n"))
      #expect(try get(admin, "/metrics").contains("\nmkstore_offline_partitions 2\n"))
      let client = try broker.connect()
      let partitions = try #require(try topics(client, "t").first?.partitions)
      #expect(partitions.map(\.partitionIndex) == [0, 1, 2])
      #expect(partitions.map(\.errorCode) == [.none, .leaderNotAvailable, .none])
      #expect(partitions.map { $0.leaderId < 0 } == [false, true, false])
      #expect(try topics(client, "u").map(\.errorCode) == [.none])
      let batch = try TestBatch.make(["x"])
      #expect(try client.produce("t", batch, partition: 1).errorCode == .kafkaStorageError)
      #expect(try client.produce("t", batch, partition: 3).errorCode == .unknownTopicOrPartition)
      #expect(try client.produce("t", batch, partition: 2).errorCode == .none)
      let fetched = try client.fetch(TestClient.fetchRequest("t", 1, from: 0, maxWaitMs: 10_000))
      #expect(fetched.partition.errorCode == .kafkaStorageError)
      let deleted = try client.ask(
        .deleteTopics(.with { $0.topics = [.with { $0.name = "t" }] }), version: 6)
      let body = try deleted.body(as: DeleteTopicsResponse.self)
      #expect(body.responses.map(\.errorCode) == [.kafkaStorageError])
      #expect(try topics(client, "t").first?.partitions.count == 3)
    }
    disk.removeFaults()
    try await TestBroker.with("/data", disk: disk) { broker in
      let client = try broker.connect()
      let batch = try TestBatch.make(["x"])
      #expect(try client.produce("t", batch, partition: 1).errorCode == .none)
    }
  }
}
