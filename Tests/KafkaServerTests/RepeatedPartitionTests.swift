import MkstoreProtocol
import MkstoreServer
import Testing

/// A fetch that names a partition more than once: as in Kafka it is one, asked for as said last.
struct RepeatedPartitionTests {
  private func request(_ topics: [(String, [(Int32, Int64)])]) -> FetchRequest {
    .with { request in
      request.maxBytes = 1 << 20
      request.topics = topics.map { name, partitions in
        .with { topic in
          topic.topic = name
          topic.partitions = partitions.map { partition, offset in
            .with {
              $0.partition = partition
              $0.fetchOffset = offset
              $0.partitionMaxBytes = 1 << 20
            }
          }
        }
      }
    }
  }

  private func places(_ request: FetchRequest) -> [String] {
    request.topics.map { topic in
      "\(topic.topic): " + topic.partitions.map { "\($0.partition)@\($0.fetchOffset)" }.description
    }
  }

  @Test func eachPartitionStandsOnceInItsFirstPlace() {
    let once = request([("a", [(0, 1), (1, 2)]), ("b", [(0, 3)]), ("c", [])])
    #expect(places(once.withoutRepeats) == places(once))
    let often = request([
      ("a", [(0, 1), (1, 2), (0, 3)]), ("b", [(0, 4), (0, 5)]), ("a", [(2, 6), (1, 7)]), ("b", []),
    ])
    #expect(
      places(often.withoutRepeats)
        == [#"a: ["0@3", "1@7", "2@6"]"#, #"b: ["0@5"]"#])
  }

  @Test func itIsAnsweredOnce() async throws {
    try await TestBroker.with { broker in
      let client = try broker.connect()
      try client.create("t")
      for value in ["x", "y", "z"] { _ = try client.produce("t", try TestBatch.make([value])) }
      let asked = request([("t", [(0, 0), (0, 1)]), ("t", [(0, 2)])])
      let (partition, records) = try client.fetch(asked)
      #expect(partition.errorCode == .none)
      #expect(try values(of: records) == ["z"])
      try client.send(.fetch(asked), version: 12)
      let answer = try client.takeAnswer(.fetch, version: 12).response
      let body = try answer.body(as: FetchResponse.self)
      #expect(body.responses.map(\.partitions.count) == [1])
    }
  }
}
