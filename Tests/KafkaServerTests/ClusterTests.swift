import LogStore
import MkstoreBytes
import MkstoreProtocol
import MkstoreServer
import Testing

/// What the broker says about itself and its topics.
struct ClusterTests {
  @Test(arguments: 0...4 as ClosedRange<Int16>)
  func apiVersionsAnswersWithHeaderVersionZero(version: Int16) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      let number = try client.send(
        .apiVersions(
          .with {
            $0.clientSoftwareName = "test"
            $0.clientSoftwareVersion = "1.0"
          }), version: version)
      let frame = try client.takeFrame()
      #expect(frame.span.loadBigEndian(Int32.self, at: 0) == number)
      // G1: no tagged fields between the number and the error.
      #expect(frame.span.loadBigEndian(Int16.self, at: 4) == 0)
      let answer = try Response.decode(frame.span, api: .apiVersions, version: version)
      let body = try answer.body(as: ApiVersionsResponse.self)
      #expect(body.apiKeys.contains { $0.apiKey == 0 && $0.minVersion == 0 && $0.maxVersion == 9 })
      #expect(body.apiKeys.contains { $0.apiKey == 1 && $0.minVersion == 4 && $0.maxVersion == 12 })
    }
  }

  /// G2, and the bytes measured on Kafka 3.9.0.
  @Test func anUnknownApiVersionsVersionIsAnsweredInTheFormOfVersionZero() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.send([0, 0, 0, 12, 0, 18, 0, 42, 0, 0, 0, 9, 0, 1, 0x78, 0])
      #expect(
        try client.takeFrame()
          == [0, 0, 0, 9, 0, 0x23, 0, 0, 0, 1, 0, 0x12, 0, 0, 0, 4])
      // The same connection goes on.
      try client.create("t")
    }
  }

  @Test func apiVersionsWithoutASoftwareNameIsRefused() async throws {
    try await TestBroker.with { broker in
      let answer = try broker.connect().ask(.apiVersions(ApiVersionsRequest()), version: 3)
      let body = try answer.body(as: ApiVersionsResponse.self)
      #expect(body.errorCode == .invalidRequest)
    }
  }

  /// An answer of v10 or v11 has a name, be it an empty one.
  @Test(arguments: [10, 11, 12] as [Int16]) func unknownIdsAreAnswered(version: Int16) async throws
  {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      let answer = try client.ask(
        .metadata(
          .with { request in
            request.topics = [
              .with {
                $0.name = nil
                $0.topicId = KafkaUuid(high: 1, low: 2)
              }
            ]
          }), version: version)
      let body = try answer.body(as: MetadataResponse.self)
      #expect(body.topics.map(\.errorCode) == [.unknownTopicId])
      #expect(body.topics.map(\.name) == [version < 12 ? "" : nil])
      try client.create("t")
    }
  }

  private func metadata(
    _ client: TestClient, _ topics: [String]?, creates: Bool = false
  ) throws -> MetadataResponse {
    let answer = try client.ask(
      .metadata(
        .with {
          $0.topics = topics.map { $0.map { name in .with { $0.name = name } } }
          $0.allowAutoTopicCreation = creates
        }), version: 12)
    let body = try answer.body(as: MetadataResponse.self)
    return body
  }

  @Test func metadataDescribesTheBrokerAndItsTopics() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t", partitions: 3)
      let all = try metadata(client, nil)
      #expect(all.brokers.count == 1)
      #expect(all.brokers[0].host == "127.0.0.1")
      #expect(all.brokers[0].port == Int32(broker.endpoint.port))
      #expect(all.controllerId == all.brokers[0].nodeId)
      #expect(all.clusterId?.isEmpty == false)
      #expect(all.topics.map(\.name) == ["t"])
      #expect(all.topics[0].partitions.map(\.partitionIndex) == [0, 1, 2])
      #expect(!all.topics[0].topicId.isZero)
      #expect(try metadata(client, []).topics.isEmpty)
      #expect(try metadata(client, ["no"]).topics[0].errorCode == .unknownTopicOrPartition)
      #expect(try metadata(client, ["a b"]).topics[0].errorCode == .invalidTopicException)
      #expect(try metadata(client, ["made"], creates: true).topics[0].errorCode == .none)
      #expect(try metadata(client, ["made"]).topics[0].partitions.count == 1)
    }
  }

  /// kafka-python 2.3 always asks, and cannot read the answer "not asked".
  @Test(arguments: 8...12 as ClosedRange<Int16>)
  func whoAsksIsToldThatEverythingIsAllowed(version: Int16) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      func ask(_ includes: Bool) throws -> (topics: [Int32], cluster: Int32) {
        let answer = try client.ask(
          .metadata(
            .with {
              $0.topics = [.with { $0.name = "t" }, .with { $0.name = "no" }]
              $0.includeTopicAuthorizedOperations = includes
              $0.includeClusterAuthorizedOperations = includes
              $0.allowAutoTopicCreation = false
            }), version: version)
        let body = try answer.body(as: MetadataResponse.self)
        return (body.topics.map(\.topicAuthorizedOperations), body.clusterAuthorizedOperations)
      }
      // Kafka's answers without an authorizer: all operations of a topic, and of the cluster.
      #expect(try ask(true).topics == [0b1101_1111_1000, .min])
      #expect(try ask(true).cluster == (version <= 10 ? 0b1_1111_1010_0000 : .min))
      #expect(try ask(false).topics == [.min, .min])
      #expect(try ask(false).cluster == .min)
      let answer = try client.ask(
        .describeCluster(.with { $0.includeClusterAuthorizedOperations = true }), version: 1)
      let body = try answer.body(as: DescribeClusterResponse.self)
      #expect(body.clusterAuthorizedOperations == 0b1_1111_1010_0000)
    }
  }

  @Test func autoCreationCanBeSwitchedOff() async throws {
    try await TestBroker.with(configure: { $0.createsTopics = false }) { broker in
      let client = try broker.connect()
      let answer = try metadata(client, ["no"], creates: true)
      #expect(answer.topics[0].errorCode == .unknownTopicOrPartition)
      #expect(try metadata(client, nil).topics.isEmpty)
    }
  }

  @Test func topicIdsAndClusterIdSurviveARestart() async throws {
    let directory = TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(directory) }
    var seen: [MetadataResponse] = []
    for _ in 0..<2 {
      try await TestBroker.with(directory) { broker in
        let client = try broker.connect()
        if seen.isEmpty { try client.create("t", partitions: 2) }
        seen.append(try metadata(client, ["t"]))
      }
    }
    #expect(seen[0].clusterId == seen[1].clusterId)
    #expect(seen[0].topics[0].topicId == seen[1].topics[0].topicId)
  }

  @Test func producerIdsAreNeverGivenTwice() async throws {
    let directory = TemporaryDirectory.make()
    defer { TemporaryDirectory.remove(directory) }
    var seen: Set<Int64> = []
    for _ in 0..<3 {
      try await TestBroker.with(directory) { broker in
        let client = try broker.connect()
        for _ in 0..<5 {
          let answer = try client.ask(.initProducerId(InitProducerIdRequest()), version: 4)
          let body = try answer.body(as: InitProducerIdResponse.self)
          #expect(body.errorCode == .none)
          #expect(seen.insert(body.producerId).inserted, "\(body.producerId) twice")
        }
      }
    }
    #expect(seen.count == 15)
  }

  /// No groups yet, and no transactions: clients ask again for the one, and give the other up.
  @Test(arguments: 0...4 as ClosedRange<Int16>)
  func coordinatorsAreNotAvailableYet(version: Int16) async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      func code(_ keyType: Int8) throws -> ErrorCode {
        let answer = try client.ask(
          .findCoordinator(
            .with {
              $0.key = "g"
              $0.keyType = keyType
              $0.coordinatorKeys = version >= 4 ? ["g", "h"] : []
            }), version: version)
        let body = try answer.body(as: FindCoordinatorResponse.self)
        guard version >= 4 else { return body.errorCode }
        #expect(body.coordinators.map(\.key) == ["g", "h"])
        #expect(body.coordinators[0].errorCode == body.coordinators[1].errorCode)
        return body.coordinators[0].errorCode
      }
      #expect(try code(0) == .coordinatorNotAvailable)
      guard version >= 1 else { return }
      #expect(try code(1) == .transactionalIdAuthorizationFailed)
      #expect(try code(2) == .invalidRequest)
    }
  }

  @Test func offsetsByTimeAndByEnds() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      for time: Int64 in [1000, 3000, 2000] {
        _ = try client.produce("t", try TestBatch.make(["\(time)"], timestamp: time))
      }
      func list(_ timestamp: Int64) throws -> ListOffsetsResponse.Topic.Partition {
        let answer = try client.ask(
          .listOffsets(
            .with {
              $0.topics = [
                .with {
                  $0.name = "t"
                  $0.partitions = [.with { $0.timestamp = timestamp }]
                }
              ]
            }), version: 7)
        let body = try answer.body(as: ListOffsetsResponse.self)
        return try #require(body.topics.first?.partitions.first)
      }
      #expect(try list(-1).offset == 3)
      #expect(try list(-2).offset == 0)
      #expect(try list(-3).offset == 1)
      #expect(try list(-3).timestamp == 3000)
      #expect(try list(1500).offset == 1)
      #expect(try list(1500).timestamp == 3000)
      #expect(try list(9000).offset == -1)
      #expect(try list(9000).errorCode == .none)
      #expect(try list(-5).errorCode == .unsupportedVersion)
    }
  }
}
