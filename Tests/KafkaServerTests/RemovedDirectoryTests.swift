import LogStore
import MkstoreProtocol
import MkstoreServer
import Testing

/// The data directory is removed under a running broker: nothing is acknowledged that nobody will
/// find again, and the process lives.
struct RemovedDirectoryTests {
  @Test func whatIsRemovedIsNotAcknowledgedAnyMore() async throws {
    let directory = TemporaryDirectory.make()
    var isRemoved = false
    do {
      try await TestBroker.with(directory) { broker in
        let client = try broker.connect()
        try client.create("t", partitions: 2)
        let batch = try TestBatch.make(["x"])
        #expect(try client.produce("t", batch).errorCode == .none)
        TemporaryDirectory.remove(directory)
        isRemoved = true
        for partition: Int32 in 0..<2 {
          let result = try client.produce("t", batch, partition: partition)
          #expect(result.errorCode == .kafkaStorageError, "partition \(partition)")
          #expect(result.baseOffset == -1)
        }
        let made = try client.ask(
          .metadata(
            .with { request in
              request.topics = [.with { $0.name = "new" }]
              request.allowAutoTopicCreation = true
            }), version: 12)
        let body = try made.body(as: MetadataResponse.self)
        #expect(body.topics[0].errorCode != .none)
        // What was acknowledged before may still be read: the files are open.
        _ = try client.fetch(TestClient.fetchRequest("t", from: 0))
      }
      Issue.record("a store that is gone closed cleanly")
    } catch is LogError {
      // Its clean end cannot be noted.
    }
    #expect(isRemoved)
  }

  /// The same for a log that nothing was appended to since the start: no sync can tell.
  @Test func aLogThatIsGoneBeforeItsFirstAppendRefusesWritesToo() async throws {
    let directory = TemporaryDirectory.make()
    try await TestBroker.with(directory) { broker in
      let client = try broker.connect()
      try client.create("t")
      #expect(try client.produce("t", try TestBatch.make(["x"])).errorCode == .none)
    }
    var isRefused = false
    do {
      try await TestBroker.with(directory) { broker in
        let client = try broker.connect()
        TemporaryDirectory.remove(directory)
        let result = try client.produce("t", try TestBatch.make(["y"]))
        #expect(result.errorCode == .kafkaStorageError)
        isRefused = broker.manager.logs.allSatisfy(\.health.isFailed)
      }
      Issue.record("a store that is gone closed cleanly")
    } catch is LogError {
      // Its clean end cannot be noted.
    }
    #expect(isRefused, "nobody is told that the log is gone")
  }
}
