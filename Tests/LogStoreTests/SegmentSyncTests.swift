import StoreTesting
import Testing

@testable import LogStore

struct SegmentSyncTests {
  /// In the mode that leaves syncing to the engine, sealed segments are synced after the roll, and
  /// let go of, not at close.
  @Test func sealedSegmentsAreSyncedSoonInOsMode() throws {
    var config = StoreConfig()
    config.createsStore = true
    config.startsFlusher = false
    config.log.segmentBytes = 600
    config.log.durability = .operatingSystem
    let store = try Store.openBlocking("/data", config: config, disk: SimulatedDisk(seed: 1))
    let log = try store.createLogBlocking(TopicPartition(topic: "a", partition: 0))
    while log.store.state.segments.count < 3 {
      var batch = sampleBatch(3)
      let result = try log.appendBlocking(batch: &batch)
      #expect(!result.isDurable)
    }
    let sealedEnd = try #require(log.store.state.segments.last).baseOffset
    #expect(log.recoveryPoint == 0)
    store.context.flusher.step(waiting: false)
    #expect(log.recoveryPoint >= sealedEnd)
    try store.closeBlocking()
  }
}
