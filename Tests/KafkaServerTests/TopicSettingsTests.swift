import Foundation
import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// DescribeConfigs of a topic, against what Kafka 3.9 answered to librdkafka.
struct TopicSettingsTests {
  private struct Exchange: Decodable {
    struct Body: Decodable { let Results: [Result] }
    struct Result: Decodable { let Configs: [Config] }
    struct Config: Decodable, Equatable {
      let Name: String
      let Value: String?
      let ReadOnly: Bool
      let ConfigSource: Int8
      let Synonyms: [Synonym]
    }
    struct Synonym: Decodable, Equatable {
      let Name: String
      let Value: String?
      let Source: Int8
    }
    let response: Body
  }

  private static func kafka() throws -> [Exchange.Config] {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let path = tests.appending(path: "Fixtures/frames/DescribeConfigs-v1-confluent.json")
    let exchange = try JSONDecoder().decode(Exchange.self, from: try Data(contentsOf: path))
    return try #require(exchange.response.Results.first).Configs.sorted { $0.Name < $1.Name }
  }

  private func describe(
    _ client: TestClient, _ type: Int8, _ name: String, version: Int16 = 4
  ) throws -> [DescribeConfigsResponse.Result.Config] {
    let answer = try client.ask(
      .describeConfigs(
        .with {
          $0.includeSynonyms = true
          $0.resources = [
            .with {
              $0.resourceType = type
              $0.resourceName = name
            }
          ]
        }), version: version)
    return try #require(try answer.body(as: DescribeConfigsResponse.self).results.first).configs
  }

  /// The broker of that frame kept records for ever, and the topic had segments of 1 MiB.
  @Test func aTopicIsDescribedAsByKafka() async throws {
    let expected = try Self.kafka()
    #expect(expected.count == 36)
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", configs: ["segment.bytes": "1048576"])
      let found = try describe(client, 2, "t").map { config in
        Exchange.Config(
          Name: config.name, Value: config.value, ReadOnly: config.readOnly,
          ConfigSource: config.configSource,
          Synonyms: config.synonyms.map {
            Exchange.Synonym(Name: $0.name, Value: $0.value, Source: $0.source)
          })
      }
      #expect(found.map(\.Name) == expected.map(\.Name))
      for (one, other) in zip(found, expected) { #expect(one == other) }
    }
  }

  @Test func theServersDefaultOfRetentionIsKafkas() async throws {
    var log = LogConfig()
    log.retentionMs = LogConfig.kafkaRetentionMs
    log.maxMessageBytes = 5000
    try await TestBroker.with(log: log) { broker in
      let client = try broker.connect()
      try client.create("t")
      let topic = try describe(client, 2, "t")
      let retention = try #require(topic.first { $0.name == "retention.ms" })
      #expect(retention.value == "604800000" && retention.configSource == 5)
      let size = try #require(topic.first { $0.name == "max.message.bytes" })
      #expect(size.value == "5000" && size.configSource == 4)
      #expect(size.synonyms.map(\.name) == ["message.max.bytes", "message.max.bytes"])
      #expect(size.synonyms.map(\.value) == ["5000", "1048588"])
      let ofBroker = try describe(client, 4, "")
      #expect(ofBroker.first { $0.name == "message.max.bytes" }?.value == "5000")
      #expect(ofBroker.first { $0.name == "log.retention.check.interval.ms" }?.value == "300000")
      #expect(ofBroker.allSatisfy { $0.readOnly })
    }
  }
}
