import StoreTesting
import Testing

@testable import LogStore

/// What undoing a truncation promises beyond the content.
@Suite struct TruncationUndoTests {
  /// What is put back counts as durable, also where it was not yet when it was removed.
  @Test func whatWasNotDurableIsOnceItIsPutBack() throws {
    let disk = SimulatedDisk(seed: 2)
    let store = try CrashStore(
      disk, CrashStore.config(segmentBytes: 5_000, durability: .operatingSystem))
    var model = LogModel()
    for batch in SampleBatches.small[..<8] { try store.append(batch, &model) }
    let name = store.log.topicPartition
    let before = try LogModel.content(of: store.log)
    _ = try store.manager.truncateLogBlocking(name, from: before[3].baseOffset)
    let log = try store.manager.undoTruncationBlocking(of: name).log
    #expect(try LogModel.content(of: log) == before)
    let again = try CrashStore(
      disk.crash(.loseAllUnsynced), CrashStore.config(segmentBytes: 5_000), creates: false)
    #expect(again.log.recovery.damage.isEmpty)
    #expect(try LogModel.content(of: again.log) == before)
  }
}
