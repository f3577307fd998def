import DiskIO
import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// Values at and beyond every bound in requests about topics.
struct TopicBoundaryTests {
  private func create(
    _ client: TestClient, _ topics: [CreateTopicsRequest.Topic]
  ) throws -> [ErrorCode] {
    let answer = try client.ask(.createTopics(.with { $0.topics = topics }), version: 7)
    let body = try answer.body(as: CreateTopicsResponse.self)
    return body.topics.map(\.errorCode)
  }

  private func topic(
    _ name: String, _ partitions: Int32 = 1, replicas: Int16 = 1, assigned: [(Int32, [Int32])] = []
  ) -> CreateTopicsRequest.Topic {
    .with {
      $0.name = name
      $0.numPartitions = partitions
      $0.replicationFactor = replicas
      $0.assignments = assigned.map { partition, brokers in
        .with {
          $0.partitionIndex = partition
          $0.brokerIds = brokers
        }
      }
    }
  }

  @Test func topicsAreCreatedByKafkasRules() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      let node = broker.server.broker.nodeId
      let table: [(CreateTopicsRequest.Topic, ErrorCode)] = [
        (topic("zero", 0), .invalidPartitions),
        (topic("minus", -2), .invalidPartitions),
        (topic("most", Int32.max), .invalidPartitions),
        (topic("default", -1, replicas: -1), .none),
        (topic("default"), .topicAlreadyExists),
        (topic("replicas", 1, replicas: 0), .invalidReplicationFactor),
        (topic("replicas", 1, replicas: 3), .invalidReplicationFactor),
        (topic(""), .invalidTopicException),
        (topic(".."), .invalidTopicException),
        (topic("a/b"), .invalidTopicException),
        (topic(String(repeating: "n", count: 250)), .invalidTopicException),
        (topic(String(repeating: "n", count: 249)), .none),
        (topic("assigned", -1, replicas: -1, assigned: [(0, [node]), (1, [node])]), .none),
        (topic("both", 2, replicas: -1, assigned: [(0, [node])]), .invalidRequest),
        (topic("both", -1, replicas: 1, assigned: [(0, [node])]), .invalidRequest),
        (topic("gap", -1, replicas: -1, assigned: [(1, [node])]), .invalidReplicaAssignment),
        (
          topic("twice", -1, replicas: -1, assigned: [(0, [node]), (0, [node])]),
          .invalidReplicaAssignment
        ),
        (
          topic("elsewhere", -1, replicas: -1, assigned: [(0, [node + 1])]),
          .invalidReplicaAssignment
        ),
        (topic("nobody", -1, replicas: -1, assigned: [(0, [])]), .invalidReplicaAssignment),
      ]
      for (asked, expected) in table {
        #expect(try create(client, [asked]) == [expected], "\(asked.name)")
      }
      #expect(
        try create(client, [topic("pair"), topic("pair")]) == [.invalidRequest, .invalidRequest])
      #expect(try create(client, []) == [])
    }
  }

  @Test func oneRequestCreatesSoManyPartitions() async throws {
    try await TestBroker.with(configure: { $0.topicPartitionsMax = 10 }) { broker in
      let client = try broker.connect()
      #expect(
        try create(client, [topic("a", 6), topic("b", 5), topic("c", 4)])
          == [.none, .policyViolation, .policyViolation])
      #expect(try create(client, [topic("b", 10)]) == [.none])
      #expect(try create(client, [topic("d", 11)]) == [.invalidPartitions])
    }
  }

  @Test func topicsAreDeletedByKafkasRules() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      try client.create("u")
      func delete(_ asked: [(String?, KafkaUuid)]) throws -> [ErrorCode] {
        let answer = try client.ask(
          .deleteTopics(
            .with {
              $0.topics = asked.map { name, id in
                .with {
                  $0.name = name
                  $0.topicId = id
                }
              }
            }), version: 6)
        let body = try answer.body(as: DeleteTopicsResponse.self)
        return body.responses.map(\.errorCode)
      }
      let unknown = KafkaUuid(high: 7, low: 9)
      let id = try #require(broker.server.broker.topics.named("t")).id(broker.manager)
      #expect(try delete([(nil, KafkaUuid())]) == [.invalidRequest])
      #expect(try delete([("t", unknown)]) == [.invalidRequest])
      #expect(
        try delete([("t", KafkaUuid()), ("t", KafkaUuid())]) == [.invalidRequest, .invalidRequest])
      #expect(try delete([(nil, unknown)]) == [.unknownTopicId])
      #expect(try delete([("no", KafkaUuid()), (nil, id)]) == [.unknownTopicOrPartition, .none])
      #expect(
        try delete([("t", KafkaUuid()), ("u", KafkaUuid())]) == [.unknownTopicOrPartition, .none])
    }
  }

  @Test func partitionsAreAddedByKafkasRules() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 2)
      func grow(_ asked: [(String, Int32)]) throws -> [ErrorCode] {
        let answer = try client.ask(
          .createPartitions(
            .with {
              $0.topics = asked.map { name, count in
                .with {
                  $0.name = name
                  $0.count = count
                }
              }
            }), version: 3)
        let body = try answer.body(as: CreatePartitionsResponse.self)
        return body.results.map(\.errorCode)
      }
      for count: Int32 in [Int32.min, -1, 0, 1, 2, Int32.max] {
        #expect(try grow([("t", count)]) == [.invalidPartitions], "\(count)")
      }
      #expect(try grow([("t", 3), ("t", 4)]) == [.invalidRequest, .invalidRequest])
      #expect(try grow([("no", 3), ("t", 3)]) == [.unknownTopicOrPartition, .none])
      #expect(try client.produce("t", try TestBatch.make(["x"]), partition: 2).errorCode == .none)
    }
  }

  /// A directory may hold any partition that Kafka's names can say.
  @Test func aTopicWithTheLastPartitionCannotGrow() async throws {
    try await TestBroker.with { broker in
      let log = try TopicPartition(topic: "t", partition: Int32.max)
      _ = try broker.manager.createLogBlocking(log)
      broker.server.broker.topics.refresh("t")
      let answer = try broker.connect().ask(
        .createPartitions(
          .with {
            $0.topics = [
              .with {
                $0.name = "t"
                $0.count = 5
              }
            ]
          }), version: 3)
      let body = try answer.body(as: CreatePartitionsResponse.self)
      #expect(body.results.map(\.errorCode) == [.invalidPartitions])
    }
  }

  @Test func aTopicAskedForOftenIsDescribedOnce() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      let unknown = KafkaUuid(high: 7, low: 9)
      let answer = try client.ask(
        .metadata(
          .with { request in
            request.allowAutoTopicCreation = false
            request.topics = (0..<3000).map { index in
              .with {
                if index % 3 == 2 {
                  $0.topicId = unknown
                  $0.name = nil
                } else {
                  $0.name = ["t", "no"][index % 3]
                }
              }
            }
          }), version: 12)
      let body = try answer.body(as: MetadataResponse.self)
      #expect(
        body.topics.map(\.errorCode) == [.none, .unknownTopicOrPartition, .unknownTopicId])
    }
  }

  /// Kafka's admin client asks with an id and the empty name, not with null.
  @Test func anIdGoesBeforeAName() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      func ask(_ name: String?, _ id: KafkaUuid) throws -> MetadataResponse.Topic {
        let answer = try client.ask(
          .metadata(
            .with {
              $0.topics = [
                .with {
                  $0.name = name
                  $0.topicId = id
                }
              ]
            }), version: 12)
        let body = try answer.body(as: MetadataResponse.self)
        return try #require(body.topics.first)
      }
      let id = try ask("t", KafkaUuid()).topicId
      #expect(!id.isZero)
      for name in [nil, "", "other"] as [String?] {
        let found = try ask(name, id)
        #expect(found.errorCode == .none && found.name == "t" && found.topicId == id)
        let unknown = KafkaUuid(high: 7, low: 9)
        let missing = try ask(name, unknown)
        #expect(missing.errorCode == .unknownTopicId && missing.topicId == unknown)
      }
    }
  }

  @Test func settingsAreDescribedByKafkasRules() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      func describe(
        _ asked: [(Int8, String)], keys: [String]? = nil
      ) throws -> [DescribeConfigsResponse.Result] {
        let answer = try client.ask(
          .describeConfigs(
            .with {
              $0.resources = asked.map { type, name in
                .with {
                  $0.resourceType = type
                  $0.resourceName = name
                  $0.configurationKeys = keys
                }
              }
            }), version: 4)
        let body = try answer.body(as: DescribeConfigsResponse.self)
        return body.results
      }
      let node = "\(broker.server.broker.nodeId)"
      let all = try describe([(2, "t"), (4, node), (4, "")])
      #expect(all.map(\.errorCode) == [.none, .none, .none])
      #expect(all.allSatisfy { !$0.configs.isEmpty })
      // Neither null nor an empty list leaves anything out.
      #expect(try describe([(2, "t")], keys: [])[0].configs == all[0].configs)
      let one = try describe([(2, "t")], keys: ["max.message.bytes", "no.such.setting"])
      #expect(one[0].configs.map(\.name) == ["max.message.bytes"])
      #expect(
        try describe([(2, "no"), (2, "a b"), (4, "77"), (0, "t"), (-1, "t"), (127, "t")])
          .map(\.errorCode) == [
            .unknownTopicOrPartition, .invalidTopicException, .invalidRequest, .invalidRequest,
            .invalidRequest, .invalidRequest,
          ])
      #expect(try describe(Array(repeating: (2, "t"), count: 1000)).count == 1)
    }
  }

  @Test func producerIdsAreGivenByKafkasRules() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      func ask(_ name: String?, _ id: Int64, _ epoch: Int16) throws -> InitProducerIdResponse {
        let answer = try client.ask(
          .initProducerId(
            .with {
              $0.transactionalId = name
              $0.producerId = id
              $0.producerEpoch = epoch
            }), version: 4)
        let body = try answer.body(as: InitProducerIdResponse.self)
        return body
      }
      #expect(try ask(nil, -1, -1).errorCode == .none)
      #expect(try ask(nil, 5, 1).errorCode == .none)
      #expect(try ask(nil, 5, -1).errorCode == .invalidRequest)
      #expect(try ask(nil, -1, 1).errorCode == .invalidRequest)
      #expect(try ask("", -1, -1).errorCode == .invalidRequest)
      #expect(try ask("", -1, -1).producerEpoch == -1)
      #expect(try ask("t", -1, -1).errorCode == .transactionalIdAuthorizationFailed)
      #expect(try ask(nil, -1, -1).producerId != ask(nil, -1, -1).producerId)
    }
  }

  @Test func logDirectoriesTellTheSizeOfTheirFileSystem() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      let answer = try client.ask(.describeLogDirs(DescribeLogDirsRequest()), version: 4)
      let body = try answer.body(as: DescribeLogDirsResponse.self)
      let directory = try #require(body.results.first)
      let space = try PosixDisk().space(broker.directory)
      #expect(directory.totalBytes == space.totalBytes)
      #expect((1...directory.totalBytes).contains(directory.usableBytes))
    }
  }

  @Test func logDirectoriesAreDescribedOnceEach() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 3)
      try client.create("u")
      func ask(_ asked: [(String, [Int32])]?) throws -> [[Int32]] {
        let answer = try client.ask(
          .describeLogDirs(
            .with {
              $0.topics = asked.map { topics in
                topics.map { name, partitions in
                  .with {
                    $0.topic = name
                    $0.partitions = partitions
                  }
                }
              }
            }), version: 4)
        let body = try answer.body(as: DescribeLogDirsResponse.self)
        return body.results[0].topics.map { $0.partitions.map(\.partitionIndex) }
      }
      #expect(try ask(nil) == [[0, 1, 2], [0]])
      #expect(try ask([]) == [])
      #expect(try ask([("t", [2, 2, 9, -1]), ("t", [0]), ("no", [0])]) == [[0, 2]])
    }
  }
}
