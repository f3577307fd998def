import LogStore
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// A topic whose `mkstore.topic` has rotted: reads go on, and producers are told what to do.
struct UnreadableSettingsTests {
  @Test func producersAreToldAndReadersServed() async throws {
    let disk = SimulatedDisk(seed: 1)
    let record = try TestBatch.make(["x"])
    try await TestBroker.with("/data", disk: disk) { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["max.message.bytes": "300"])
      try client.create("u")
      #expect(try client.produce("t", record).errorCode == .none)
    }
    let path = "/data/t-0/mkstore.topic"
    let file = try #require(disk.contents(of: path))
    try disk.install(path, file.map { $0 == UInt8(ascii: "3") ? UInt8(ascii: "7") : $0 })
    try await TestBroker.with("/data", disk: disk) { broker in
      let client = try broker.connect()
      let refused = try client.produce("t", record)
      #expect(refused.errorCode == .invalidConfig && refused.baseOffset == -1)
      let message = refused.errorMessage ?? ""
      #expect(message.contains(path) && message.contains("CRC") && message.contains("mended"))
      #expect(try client.produce("u", record).errorCode == .none)
      let fetched = try client.fetch(TestClient.fetchRequest("t", 0, from: 0, maxWaitMs: 10_000))
      #expect(fetched.partition.errorCode == .none)
      #expect(try values(of: fetched.records) == ["x"])
      let metadata = try client.ask(
        .metadata(.with { $0.topics = [.with { $0.name = "t" }] }), version: 12)
      let topics = try metadata.body(as: MetadataResponse.self)
      #expect(topics.topics.first?.partitions.map(\.errorCode) == [ErrorCode.none])
      let described = try client.ask(
        .describeConfigs(
          .with {
            $0.resources = [
              .with {
                $0.resourceType = 2
                $0.resourceName = "t"
              }
            ]
          }), version: 4)
      let settings = try described.body(as: DescribeConfigsResponse.self)
      #expect(settings.results.first?.errorCode == ErrorCode.none)
      #expect(settings.results.first?.configs.isEmpty == false)
      let grown = try client.ask(
        .createPartitions(
          .with {
            $0.topics = [
              .with {
                $0.name = "t"
                $0.count = 2
              }
            ]
          }), version: 3)
      let growth = try grown.body(as: CreatePartitionsResponse.self)
      #expect(growth.results.map(\.errorCode) == [.invalidConfig])
    }
    try disk.install(path, file)
    try await TestBroker.with("/data", disk: disk) { broker in
      let client = try broker.connect()
      #expect(try client.produce("t", record).errorCode == .none)
    }
  }
}
