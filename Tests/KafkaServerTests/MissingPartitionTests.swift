import LogStore
import Logging
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// A topic of which some partitions have no directory, as where one was copied from a broker:
/// clients count all of them.
struct MissingPartitionTests {
  private func disk(with logs: [String]) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 1)
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: quiet)
    for name in logs { _ = try store.createLogBlocking(TopicPartition(directoryName: name)) }
    try store.closeBlocking()
    return disk
  }

  private func partitions(
    _ client: TestClient, _ topic: String
  ) throws -> [MetadataResponse.Topic.Partition] {
    let answer = try client.ask(
      .metadata(.with { $0.topics = [.with { $0.name = topic }] }), version: 12)
    let body = try answer.body(as: MetadataResponse.self)
    return try #require(body.topics.first).partitions
  }

  @Test func missingPartitionsKeepTheirPlace() async throws {
    let heard = CapturedLog()
    let disk = try disk(with: ["t-1", "t-3", "u-0", "far-1", "far-2147483647", "edge-9999"])
    try await TestBroker.with("/data", disk: disk, heardBy: heard) { broker in
      let client = try broker.connect()
      let found = try partitions(client, "t")
      #expect(found.map(\.partitionIndex) == [0, 1, 2, 3])
      #expect(
        found.map(\.errorCode) == [.leaderNotAvailable, .none, .leaderNotAvailable, .none])
      #expect(found.map { $0.leaderId < 0 } == [true, false, true, false])
      let record = try TestBatch.make(["x"])
      #expect(try client.produce("t", record, partition: 3).errorCode == .none)
      let missing = try client.produce("t", record, partition: 2)
      #expect(missing.errorCode == .unknownTopicOrPartition)
      #expect(try partitions(client, "u").map(\.errorCode) == [ErrorCode.none])
      // A name makes no answer of billions.
      #expect(try partitions(client, "far").map(\.partitionIndex) == [1, 2_147_483_647])
      #expect(try partitions(client, "edge").count == 10_000)
    }
    let warnings = heard.lines.filter { $0.contains("topic '") }
    #expect(warnings.count == 3, "\(warnings)")
    #expect(warnings.contains { $0.contains("'t'") && $0.contains("2 partitions") })
    #expect(warnings.contains { $0.contains("'far'") && $0.contains("2147483647") })
  }
}
