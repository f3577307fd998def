import DiskIO
import Glibc
import LogStore
import MkstoreProtocol
import MkstoreServer
import StoreTesting
import Testing

/// Topics that cannot be made, and more of them than one request may ask for.
struct TopicCreationTests {
  private func metadata(
    _ client: TestClient, _ names: [String], creating: Bool = false
  ) throws -> [MetadataResponse.Topic] {
    let answer = try client.ask(
      .metadata(
        .with { request in
          request.topics = names.map { name in .with { $0.name = name } }
          request.allowAutoTopicCreation = creating
        }), version: 12)
    let body = try answer.body(as: MetadataResponse.self)
    return body.topics
  }

  private func create(_ client: TestClient, _ name: String, _ count: Int32) throws -> ErrorCode? {
    let answer = try client.ask(
      .createTopics(
        .with { request in
          request.topics = [
            .with {
              $0.name = name
              $0.numPartitions = count
              $0.replicationFactor = 1
            }
          ]
        }), version: 7)
    let body = try answer.body(as: CreateTopicsResponse.self)
    return body.topics.first?.errorCode
  }

  private func grow(_ client: TestClient, _ name: String, _ count: Int32) throws -> ErrorCode? {
    let answer = try client.ask(
      .createPartitions(
        .with { request in
          request.topics = [
            .with {
              $0.name = name
              $0.count = count
            }
          ]
        }), version: 3)
    let body = try answer.body(as: CreatePartitionsResponse.self)
    return body.results.first?.errorCode
  }

  /// The disk is full at the third partition: the topic is not there, nor half of it, and it can be
  /// made once there is space.
  @Test func aTopicIsMadeWholeOrNotAtAll() async throws {
    let disk = SimulatedDisk(seed: 1)
    try await TestBroker.with("/data", disk: disk) { broker in
      let client = try broker.connect()
      func fillUp(_ name: String) {
        disk.plan(
          FaultPlan(
            .error(ENOSPC), at: 1, isForEver: true, operations: [.create],
            pathSuffix: "/\(name)/partition.metadata.tmp"))
      }
      fillUp("t-2")
      #expect(try create(client, "t", 3) == .kafkaStorageError)
      #expect(try metadata(client, ["t"]).map(\.errorCode) == [.unknownTopicOrPartition])
      fillUp("auto-0")
      #expect(try metadata(client, ["auto"], creating: true).map(\.errorCode) != [.none])
      #expect(disk.faultsFired == 2)
      disk.removeFaults()
      #expect(try create(client, "t", 3) == ErrorCode.none)
      #expect(try metadata(client, ["t"]).map(\.partitions.count) == [3])
      #expect(try metadata(client, ["auto"], creating: true).map(\.errorCode) == [.none])
      fillUp("t-4")
      #expect(try grow(client, "t", 5) == .kafkaStorageError)
      #expect(try metadata(client, ["t"]).map(\.partitions.count) == [3])
      disk.removeFaults()
      #expect(try grow(client, "t", 5) == ErrorCode.none)
      #expect(try metadata(client, ["t"]).map(\.partitions.count) == [5])
      let batch = try TestBatch.make(["x"])
      #expect(try client.produce("t", batch, partition: 4).errorCode == .none)
    }
  }

  /// One request that asks for thousands of topics would keep everybody else's waiting.
  @Test func askingCreatesSoManyTopicsAtOnce() async throws {
    try await TestBroker.with("/data", disk: SimulatedDisk(seed: 1)) { broker in
      let client = try broker.connect()
      let most = MetadataAnswers.creationsOnDemandMax
      let names = (0...most).map { "t\($0)" }
      let first = try metadata(client, names, creating: true).map(\.errorCode)
      #expect(first == Array(repeating: .none, count: most) + [.leaderNotAvailable])
      let second = try metadata(client, names, creating: true).map(\.errorCode)
      #expect(second.allSatisfy { $0 == .none })
    }
  }
}
