import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// What writing must never do: each test catches a bug of Tests/PlantedBugs (`tools/planted-bugs`).
@Suite struct PlantedWriteBugTests {
  private static let logPath = "\(CrashStore.directory)/\(SegmentName(0, .log).fileName)"

  /// What a power cut leaves of the store must hold everything that was acknowledged.
  private func expectNothingLost(
    _ disk: SimulatedDisk, _ config: StoreConfig, _ model: LogModel, _ place: String
  ) throws {
    let after = try CrashStore(disk.crash(.loseAllUnsynced), config, creates: false)
    let fault = model.fault(in: try LogModel.content(of: after.log), after: .powerCut)
    #expect(fault == nil, "\(place): \(fault ?? "")")
  }

  @Test func noAppendIsAcknowledgedBeforeItsBytesAreSynced() throws {
    let disk = SimulatedDisk(seed: 1)
    let config = CrashStore.config(segmentBytes: 1 << 20)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    for index in 0..<3 {
      try store.append(SampleBatches.small[index], &model)
      #expect(model.durableCount == index + 1)
      #expect(try disk.unsyncedBytes(of: Self.logPath) == 0, "append \(index)")
      try expectNothingLost(disk, config, model, "append \(index)")
    }
  }

  @Test func noAppendIsAcknowledgedBeforeItsSegmentsNameIsSynced() throws {
    let disk = SimulatedDisk(seed: 2)
    let config = CrashStore.config(segmentBytes: 400)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    for index in 0..<8 {
      try store.append(SampleBatches.small[index], &model)
      #expect(try disk.unsyncedNames(in: CrashStore.directory) == [], "append \(index)")
      try expectNothingLost(disk, config, model, "append \(index)")
    }
    #expect(store.log.segments.snapshot.segments.count > 2)
  }

  /// After a failed sync the pages count as clean, so that a second one would succeed (I8).
  @Test func aFailedSyncIsNeverRetried() throws {
    let disk = SimulatedDisk(seed: 3)
    let config = CrashStore.config(segmentBytes: 1 << 20)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync], pathSuffix: ".log"))
    #expect(throws: LogError.self) { try store.append(SampleBatches.small[1], &model) }
    #expect(disk.faultFired)
    disk.setTracing(true)
    #expect(throws: LogError.self) { try store.flush(&model) }
    #expect(throws: LogError.self) { try store.append(SampleBatches.small[2], &model) }
    #expect(throws: LogError.self) { try store.manager.close() }
    #expect(disk.trace.allSatisfy { $0.operation != .sync || $0.path != Self.logPath })
    #expect(store.log.recoveryPoint < store.log.logEndOffset)
    try expectNothingLost(disk, config, model, "after the failed sync")
  }
}
