import StoreTesting
import Testing

@testable import LogStore

/// Topics that Kafka would compact, which needs keys.
struct CompactedTopicTests {
  @Test func compactedTopicsTakeNoRecordWithoutAKey() throws {
    let disk = SimulatedDisk(seed: 1)
    let (store, _) = try ProducerFixture.open(disk)
    for (policy, isTaken) in [("compact", false), ("compact,delete", false), ("delete", true)] {
      let log = try store.createLogBlocking(
        try ProducerFixture.partition("t-\(isTaken)-\(policy.count)"),
        overrides: TopicConfig(["cleanup.policy": policy]))
      var keyless = try ProducerFixture.batch(-1, sequence: -1, count: 2)
      do {
        try log.appendBlocking(batch: &keyless)
        #expect(isTaken, "\(policy) takes a record without a key")
      } catch {
        guard case .invalidBatch(let reason) = error.kind else { throw error }
        #expect(!isTaken && "\(reason)".contains("key"), "\(reason)")
      }
      #expect(log.logEndOffset == (isTaken ? 2 : 0))
    }
  }
}
