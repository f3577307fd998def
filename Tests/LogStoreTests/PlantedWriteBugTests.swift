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
    #expect(store.log.store.state.segments.count > 2)
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
    #expect(throws: LogError.self) { try store.manager.closeBlocking() }
    #expect(disk.trace.allSatisfy { $0.operation != .sync || $0.path != Self.logPath })
    #expect(store.log.recoveryPoint < store.log.logEndOffset)
    try expectNothingLost(disk, config, model, "after the failed sync")
  }

  /// The shared sync of the logs' own files succeeds; what the file system met before, writing one
  /// log's bytes by itself, only that log's own file tells. Its batches stay in the journal.
  @Test func aSharedSyncAsksForTheErrorOfEachLogsOwnFile() throws {
    let disk = SimulatedDisk(seed: 4)
    var config = CrashStore.config(segmentBytes: 1 << 20)
    config.sharedSyncMin = 2
    config.journalLogsMin = 2
    config.journalBytesMax = 8 * (64 << 10)
    let store = try SharedStore(disk, config, logCount: 3)
    var models = [LogModel](repeating: LogModel(), count: 3)
    for round in 0..<3 {
      for index in 0..<3 {
        try store.append(SampleBatches.small[round * 3 + index], to: index, &models)
      }
      store.step(&models)
    }
    #expect(models.map(\.durableCount) == [3, 3, 3] && store.groupCount > 0)
    try disk.failWriteBack(of: store.logs[1].store.state.segments[0].path(.log), EIO)
    store.manager.context.flusher.journal?.syncAll()
    #expect(store.sharedSyncCount == 1)
    #expect(store.logs.map(\.health.isFailed) == [false, true, false])
    #expect(store.logs[1].recoveryPoint < store.logs[1].durableEndOffset)
    let after = try SharedStore(disk.crash(.loseAllUnsynced), config, logCount: 3, creates: false)
    for (index, log) in after.logs.enumerated() {
      #expect(models[index].fault(in: try LogModel.content(of: log), after: .powerCut) == nil)
    }
  }

  @Test func theMarkIsDurableBeforeTheFirstByte() throws {
    let disk = SimulatedDisk(seed: 10)
    let store = try CrashStore(disk, CrashStore.config())
    var batch = SampleBatches.small[0]
    var span = batch.mutableSpan
    _ = try store.log.writeBlocking(batch: &span)
    #expect(try disk.unsyncedBytes(of: Self.logPath) > 0)
    let after = disk.crash(.loseAllUnsynced)
    let mark = try DurableMark.read(LogDirectory(disk: after, path: CrashStore.directory))
    #expect(mark.durable?.isClean == false && mark.durable?.recoveryPoint == 0)
  }

  /// The slot that is overwritten may be torn; the other one must be the newest before it.
  @Test func theMarksDurableSlotsTakeTurns() throws {
    let disk = SimulatedDisk(seed: 5)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20))
    let path = store.log.environment.directory.path(DurableMark.fileName)
    var model = LogModel()
    var before: [UInt8] = []
    var changed: [Int] = []
    for index in 0..<4 {
      try store.append(SampleBatches.small[index], &model)
      store.log.pipeline.refreshMark(force: true)
      let bytes = try #require(disk.contents(of: path))
      for slot in 0..<2 where !before.isEmpty {
        let range = slot * DurableMark.slotBytes..<(slot + 1) * DurableMark.slotBytes
        if bytes[range] != before[range] { changed.append(slot) }
      }
      before = bytes
    }
    #expect(changed == [0, 1, 0] || changed == [1, 0, 1])
  }

  /// Whatever stands behind the end may look like the batch that comes next.
  @Test(arguments: ["append", "roll", "close"])
  func bytesOfAFailedWriteAreCutBeforeTheNextWrite(_ next: String) throws {
    let disk = SimulatedDisk(seed: 6)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 2_000))
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    let end = try #require(disk.contents(of: Self.logPath)?.count)
    disk.plan(
      FaultPlan(.shortWrite(ENOSPC, bytes: 900), at: 1, operations: [.write], pathSuffix: ".log"))
    #expect(throws: LogError.self) { try store.append(SampleBatches.large[0], &model) }
    #expect(disk.faultFired && disk.contents(of: Self.logPath)?.count == end + 900)
    switch next {
    case "append":
      let batch = SampleBatches.small[1]
      try store.append(batch, &model)
      #expect(disk.contents(of: Self.logPath)?.count == end + batch.count)
    case "roll":
      // Too large for what is left of the segment.
      try store.append(SampleBatches.make(200, records: 1, valueBytes: 1_900), &model)
      #expect(store.log.store.state.segments.count == 2)
      #expect(disk.contents(of: Self.logPath)?.count == end)
    default:
      try store.manager.closeBlocking()
      #expect(disk.contents(of: Self.logPath)?.count == end)
    }
  }

  @Test func aDuplicateIsAcknowledgedOnlyOnceItsOriginalIsDurable() throws {
    let disk = SimulatedDisk(seed: 7)
    let (_, log) = try ProducerFixture.open(disk)
    var batch = try ProducerFixture.batch(5, sequence: 0)
    var span = batch.mutableSpan
    _ = try log.writeBlocking(batch: &span)
    #expect(log.recoveryPoint == 0 && log.logEndOffset == 1)
    let result = try log.appendBlocking(batch: &batch)
    #expect(result.isDuplicate && result.isDurable && log.recoveryPoint == 1)
    let (_, after) = try ProducerFixture.open(disk.crash(.loseAllUnsynced))
    #expect(after.logEndOffset == 1)
  }

  @Test func aWrongSequenceAndAnOldEpochAreToldApart() throws {
    let (_, log) = try ProducerFixture.open(SimulatedDisk(seed: 8))
    var first = try ProducerFixture.batch(5, epoch: 3, sequence: 0)
    try log.appendBlocking(batch: &first)
    var ahead = try ProducerFixture.batch(5, epoch: 3, sequence: 7)
    var old = try ProducerFixture.batch(5, epoch: 2, sequence: 1)
    func refusal(_ batch: inout [UInt8]) -> LogError? {
      do throws(LogError) {
        try log.appendBlocking(batch: &batch)
        return nil
      } catch {
        return error
      }
    }
    guard case .outOfOrderSequence(5, found: 7, expected: 1) = refusal(&ahead)?.kind else {
      Issue.record("a wrong sequence: \(String(describing: refusal(&ahead)))")
      return
    }
    guard case .invalidProducerEpoch(5, found: 2, current: 3) = refusal(&old)?.kind else {
      Issue.record("an old epoch: \(String(describing: refusal(&old)))")
      return
    }
    #expect(log.logEndOffset == 1)
  }

  @Test func intervalDurabilityFlushesWhenItsTimeIsUp() throws {
    let clock = Locked<Int64>(0)
    var config = CrashStore.config(
      segmentBytes: 1 << 20, durability: .interval(milliseconds: 50))
    config.monotonicNs = { clock.withLock { $0 } }
    let disk = SimulatedDisk(seed: 9)
    let store = try CrashStore(disk, config)
    let flusher = store.manager.context.flusher
    var model = LogModel()
    flusher.step(waiting: false)
    for round in 1...3 as ClosedRange<Int64> {
      try store.append(SampleBatches.small[Int(round)], &model)
      clock.withLock { $0 += 49_000_000 }
      flusher.step(waiting: false)
      #expect(store.log.recoveryPoint < store.log.logEndOffset, "round \(round): too early")
      clock.withLock { $0 += 1_000_000 }
      flusher.step(waiting: false)
      #expect(store.log.recoveryPoint == store.log.logEndOffset, "round \(round): not flushed")
      #expect(try disk.unsyncedBytes(of: Self.logPath) == 0)
    }
    try store.manager.closeBlocking()
  }
}
