import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// What a flush relies on (I7, I8) while something else goes away or fails beside it.
@Suite struct DurableOrderTests {
  /// Appends durably until the next batch begins a segment; writes that one without a flush.
  ///
  /// - Returns: The base of the new segment: everything before it is durable, but the roll that
  ///   ended the segment before is not.
  private static func rollWithoutFlush(_ store: CrashStore) throws -> Int64 {
    var model = LogModel()
    for batch in SampleBatches.small {
      try store.flush(&model)
      let count = store.log.store.state.segments.count
      var bytes = batch
      var span = bytes.mutableSpan
      _ = try store.log.writeBlocking(batch: &span)
      let segments = store.log.store.state.segments
      if count > 1, segments.count > count { return segments[count].baseOffset }
    }
    throw LogError.notFound(path: "a roll")
  }

  /// The flush that follows finds the files of the segment under other names.
  @Test func aSegmentMayBeDeletedBeforeTheFlushAfterItsRoll() throws {
    let disk = SimulatedDisk(seed: 51)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 500))
    let start = try Self.rollWithoutFlush(store)
    #expect(store.log.recoveryPoint == start)
    try store.log.deleteRecordsBlocking(before: start)
    #expect(store.log.store.state.segments.map(\.baseOffset) == [start])
    try store.log.flushBlocking()
    #expect(store.log.recoveryPoint == store.log.logEndOffset)
    var bytes = SampleBatches.small[3]
    #expect(try store.log.appendBlocking(batch: &bytes).isDurable)
    try store.manager.closeBlocking()
    let again = try CrashStore(disk, CrashStore.config(segmentBytes: 500), creates: false)
    #expect(again.log.logStartOffset == start)
    #expect(again.log.logEndOffset == store.log.logEndOffset)
  }

  /// A failed sync of the directory may have lost the name of a segment that another thread has
  /// just begun, and the next one would not tell.
  @Test func aFailedDirectorySyncOfAProducerSnapshotIsFinal() throws {
    let disk = SimulatedDisk(seed: 52)
    let (_, log) = try ProducerFixture.open(disk, segmentBytes: 300)
    var sequence: Int32 = 0
    func write() throws {
      var bytes = try ProducerFixture.batch(7, sequence: sequence)
      sequence += 1
      var span = bytes.mutableSpan
      _ = try log.writeBlocking(batch: &span)
    }
    while log.store.state.segments.count < 2 { try write() }
    // The first one is the flush's own, the others are those of the files of producers.
    disk.plan(FaultPlan(.error(EIO), at: 2, operations: [.syncDirectory]))
    try log.flushBlocking()
    #expect(disk.faultFired)
    disk.removeFaults()
    #expect(log.health.cause?.operation == .syncDirectory)
    #expect(throws: LogError.self) { try write() }
  }

  /// An index that cannot be synced is made anew within the flush, as a new name.
  @Test func aFailedDirectorySyncOfARemadeIndexFailsTheFlush() throws {
    let disk = SimulatedDisk(seed: 55)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 500))
    let start = try Self.rollWithoutFlush(store)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync], pathSuffix: ".index"))
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.syncDirectory]))
    #expect(throws: LogError.self) { try store.log.flushBlocking() }
    #expect(disk.faultsFired == 2)
    #expect(store.log.recoveryPoint == start)
    #expect(store.log.health.cause?.operation == .syncDirectory)
  }

  @Test(arguments: 1...6)
  func aFailedDirectorySyncOfAnAcceptanceIsFinal(_ occurrence: Int) throws {
    let disk = SimulatedDisk(seed: 53)
    let config = CrashStore.config(segmentBytes: 500)
    var model = LogModel()
    let first = try CrashStore(disk, config)
    for batch in SampleBatches.small[..<20] { try first.append(batch, &model) }
    let path = first.log.store.state.segments[1].path(.log)
    try first.manager.closeBlocking()
    var bytes = try #require(disk.contents(of: path))
    bytes[bytes.count / 2] ^= 1
    try disk.install(path, bytes)
    let store = try CrashStore(disk, config, creates: false)
    #expect(throws: LogError.self) { try LogModel.content(of: store.log) }
    try #require(!store.log.damagedRanges.isEmpty)
    disk.plan(
      FaultPlan(
        .error(EIO), at: occurrence, operations: [.syncDirectory],
        pathSuffix: CrashStore.directory))
    do throws(LogError) {
      _ = try store.log.acceptLossesBlocking()
      #expect(!disk.faultFired)
    } catch {
      #expect(disk.faultFired && store.log.health.cause?.operation == .syncDirectory, "\(error)")
    }
    #expect(disk.faultFired || occurrence > 4)
  }

  /// I8: a mark whose sync failed while the log was being closed is not written once more.
  @Test func aCloseAfterAFailedMarkIsRefused() throws {
    let disk = SimulatedDisk(seed: 54)
    let store = try CrashStore(disk, CrashStore.config())
    var model = LogModel()
    for batch in SampleBatches.small[..<5] { try store.append(batch, &model) }
    let pipeline = store.log.pipeline
    let (isSyncing, mayFail) = (OffsetNotifier(0), OffsetNotifier(0))
    disk.beforeEachCall { call in
      guard call.operation == .sync, call.path.hasSuffix(DurableMark.fileName) else { return }
      if isSyncing.value == 0 {
        isSyncing.publish(1)
        try? _ = mayFail.wait(1, timeoutNs: 30_000_000_000)
      }
    }
    disk.plan(
      FaultPlan(.error(EIO), at: 1, operations: [.sync], pathSuffix: DurableMark.fileName))
    let marking = PinnedThread(name: "mark", core: nil) { pipeline.refreshMark(force: true) }
    #expect(try isSyncing.wait(1, timeoutNs: 30_000_000_000))
    // Closing waits for the flush role, which the mark's thread has.
    let closing = PinnedThread(name: "close", core: nil) {
      #expect(throws: LogError.self) { try pipeline.close(after: store.log.recovery) }
    }
    while !store.log.writer.withState({ $0.isClosed }) { sched_yield() }
    // It has looked for a failure, most probably; the test holds whether it has or not.
    for _ in 0..<1_000 { sched_yield() }
    mayFail.publish(1)
    marking.join()
    closing.join()
    #expect(disk.faultFired)
  }
}
