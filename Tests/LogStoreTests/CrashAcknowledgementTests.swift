import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Nothing that an acknowledgement rests on is unsynced when it is given (P8, P9, I7): seen from
/// what the disk was told to sync, without a crash.
@Suite struct CrashAcknowledgementTests {
  @Test(arguments: [Durability.flushed, .interval(milliseconds: 1), .operatingSystem])
  func everyAcknowledgementRestsOnSyncedBytesAndNames(_ durability: Durability) throws {
    let disk = SimulatedDisk(seed: 3)
    let config = CrashStore.config(segmentBytes: 500, durability: durability)
    var model = LogModel()
    for session in 0..<3 {
      let store = try CrashStore(disk, config)
      try expectDurable(disk, store.log, "opened")
      for index in 0..<12 {
        try store.append(SampleBatches.small[session * 12 + index], &model)
        if durability != .flushed, index % 5 == 4 { try store.flush(&model) }
        if durability == .flushed || index % 5 == 4 {
          try expectDurable(disk, store.log, "append \(index) of session \(session)")
        }
        if index == 7 { try store.manager.writeCheckpoints() }
      }
      try store.manager.closeBlocking()
      model.noteFlushed(below: store.log.logEndOffset)
      try expectDurable(disk, store.log, "closed")
      #expect(disk.unsyncedItems == [], "a clean stop leaves nothing to lose")
    }
    #expect(model.attemptCount == 36 && model.durableCount == 36)
  }

  @Test func aNewLogIsDurableWhenItIsHandedOut() throws {
    let disk = SimulatedDisk(seed: 4)
    let store = try CrashStore(disk, CrashStore.config())
    #expect(try disk.unsyncedNames(in: CrashStore.path).filter { !$0.contains(".lock") } == [])
    #expect(try disk.unsyncedNames(in: CrashStore.directory) == [])
    let after = try CrashStore(disk.crash(.loseAllUnsynced), CrashStore.config(), creates: false)
    #expect(after.log.logEndOffset == 0 && store.log.logEndOffset == 0)
  }

  private func expectDurable(_ disk: SimulatedDisk, _ log: Log, _ place: String) throws {
    #expect(try disk.unsyncedNames(in: CrashStore.directory) == [], "\(place)")
    #expect(log.recoveryPoint == log.logEndOffset, "\(place)")
    for segment in log.store.state.segments {
      #expect(
        try disk.unsyncedBytes(of: segment.path(.log)) == 0, "\(place): \(segment.baseOffset)")
      guard segment.isSealed else { continue }
      for kind in [SegmentName.Kind.index, .timeindex] {
        #expect(try disk.unsyncedBytes(of: segment.path(kind)) == 0, "\(place): \(kind)")
      }
    }
  }
}
