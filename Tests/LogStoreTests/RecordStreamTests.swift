import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

@Suite struct RecordStreamTests {
  func openStore() throws -> (Store, Log) {
    var config = StoreConfig()
    config.createsStore = true
    let store = try Store.openBlocking("/data", config: config, disk: SimulatedDisk(seed: 3))
    return (store, try store.createLogBlocking(try TopicPartition(topic: "s", partition: 0)))
  }

  func record(_ text: String) -> NewRecord { NewRecord(value: text) }

  /// A stream gives what stands there, then each record as it is acknowledged, and ends with close.
  @Test func aStreamFollowsTheLogUntilItCloses() async throws {
    let (store, log) = try openStore()
    _ = try await log.append([record("a"), record("b")])
    let follower = Task {
      var seen: [String] = []
      for try await record in log.records(from: 0) {
        seen.append(String(decoding: record.value ?? [], as: UTF8.self))
        if seen.count == 2 { _ = try await log.append([self.record("c")]) }
        if seen.count == 3 { try await store.close() }
      }
      return seen
    }
    let seen = try await follower.value
    #expect(seen == ["a", "b", "c"])
  }

  /// Cancelling ends a stream that waits.
  @Test func cancellingEndsAWaitingStream() async throws {
    let (store, log) = try openStore()
    let follower = Task {
      var count = 0
      for try await _ in log.records(from: 0) { count += 1 }
      return count
    }
    follower.cancel()
    let count = try await follower.value
    #expect(count == 0)
    #expect(!log.offsets.flushed.hasCallbacks)
    try store.closeBlocking()
  }

  /// The log's end ends a stream that has not come so far, too.
  @Test func aStreamThatIsBehindEndsWithTheLog() async throws {
    let (store, log) = try openStore()
    _ = try await log.append([record("a")])
    var records = log.records(from: 0).makeAsyncIterator()
    let first = try await records.next()
    #expect(first?.offset == 0)
    _ = try await log.append([record("b")])
    try store.closeBlocking()
    let second = try await records.next()
    #expect(second == nil)
  }
}
