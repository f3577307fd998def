import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// When snapshots are written and read, and what a log without producers pays: nothing.
struct ProducerLifeTests {
  private func snapshots(_ disk: SimulatedDisk) -> [Int64] {
    disk.paths.compactMap { path -> Int64? in
      guard path.hasPrefix("/data/a-0/"), let name = SegmentName(String(path.dropFirst(10))),
        name.kind == .snapshot
      else { return nil }
      return name.baseOffset
    }.sorted()
  }

  private func append(_ log: Log, _ producerId: Int64, _ sequences: Range<Int32>) throws {
    for sequence in sequences {
      var batch = try ProducerFixture.batch(producerId, sequence: sequence)
      #expect(try !log.appendBlocking(batch: &batch).isDuplicate)
    }
  }

  @Test func snapshotsStandAtRollsAndAtTheCleanEnd() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    try append(log, 1, 0..<40)
    let bases = log.store.state.segments.map(\.baseOffset)
    #expect(bases.count > 3)
    #expect(snapshots(disk) == Array(bases.dropFirst()))
    try store.closeBlocking()
    #expect(snapshots(disk) == Array(bases.dropFirst()) + [40])
    for offset in snapshots(disk) {
      let path = "/data/a-0/\(SegmentName(offset, .snapshot).fileName)"
      let found = try #require(try ProducerSnapshot.read(disk, path))
      #expect(found.producers.map(\.lastSequence) == [Int32(offset) - 1])
      #expect(found.producers.map(\.lastOffset) == [offset - 1])
    }
    // The one at the end is of no use once another stands behind it.
    (store, log) = try ProducerFixture.open(disk)
    try append(log, 1, 40..<41)
    try store.closeBlocking()
    #expect(snapshots(disk) == Array(bases.dropFirst()) + [41])
  }

  /// A producer may state any time, and no later session stumbles over it.
  @Test(arguments: [Int64.min, -1, Int64.max])
  func aProducersTimesMayBeAnything(_ timestamp: Int64) throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    var batch = try ProducerFixture.batch(1, sequence: 0, timestamp: timestamp)
    #expect(try !log.appendBlocking(batch: &batch).isDuplicate)
    let killed = disk.kill()
    try store.closeBlocking()
    for disk in [disk, killed] {
      (store, log) = try ProducerFixture.open(disk)
      #expect(try ProducerFixture.state(log).endOffset == 1)
      try store.closeBlocking()
    }
  }

  /// Times in files may be anything, too.
  @Test(arguments: [Int64.min, Int64.max])
  func anyTimeInAFileIsJudged(_ activeMs: Int64) throws {
    var state = ProducerState(endOffset: 1, expirationMs: 1)
    state.restore(7, ProducerState.Producer(epoch: 0, timestamp: 0, activeMs: activeMs))
    state.expire(nowMs: ProducerFixture.nowMs)
    #expect(state.isEmpty == (activeMs < 0))
  }

  /// A clock that jumps forgets no producer, so that what was acknowledged and is sent again is not
  /// appended twice; once the clock has been steady, idle ones are forgotten.
  @Test(arguments: [2, 3650] as [Int64]) func aClockThatJumpsForgetsNoProducer(
    _ days: Int64
  ) throws {
    let disk = SimulatedDisk(seed: 1)
    let clocks = Locked((wallMs: ProducerFixture.nowMs, monotonicMs: Int64(0)))
    var config = ProducerFixture.config()
    config.nowMs = { clocks.withLock { $0.wallMs } }
    config.monotonicNs = { clocks.withLock { $0.monotonicMs } * 1_000_000 }
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let log = try store.createLogBlocking(ProducerFixture.partition())
    try append(log, 1, 0..<3)
    clocks.withLock { $0.wallMs += days * 86_400_000 }
    func isDuplicate() throws -> Bool {
      var batch = try ProducerFixture.batch(1, sequence: 2)
      return try log.appendBlocking(batch: &batch).isDuplicate
    }
    for _ in 0..<3 {
      #expect(try isDuplicate())
      // A roll takes a snapshot, for which idle producers are forgotten.
      try append(log, 2, log.logEndOffset == 3 ? 0..<20 : 0..<0)
      clocks.withLock {
        $0.wallMs += 60_000
        $0.monotonicMs += 60_000
      }
    }
    #expect(log.store.state.segments.count > 1)
    clocks.withLock {
      $0.wallMs += Int64(config.retentionCheckIntervalMs)
      $0.monotonicMs += Int64(config.retentionCheckIntervalMs)
    }
    #expect(try !isDuplicate())
    try store.closeBlocking()
  }

  @Test func aSnapshotBeyondTheLogsEndIsRemovedBeforeOthersTakeItsOffsets() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    try append(log, 1, 0..<3)
    try store.closeBlocking()
    let beyond = "/data/a-0/\(SegmentName(90, .snapshot).fileName)"
    try disk.install(beyond, ProducerSnapshot().encoded)
    (store, log) = try ProducerFixture.open(disk)
    #expect(disk.durableContents(of: beyond) == nil)
    #expect(disk.crash(.loseAllUnsynced).contents(of: beyond) == nil)
    #expect(snapshots(disk) == [3])
    #expect(log.logEndOffset == 3)
  }

  @Test func aLogWithoutProducersPaysNothing() throws {
    let disk = SimulatedDisk(seed: 1)
    var (store, log) = try ProducerFixture.open(disk)
    for _ in 0..<60 {
      var batch = sampleBatch(1)
      try log.appendBlocking(batch: &batch)
    }
    #expect(snapshots(disk).isEmpty)
    let killed = disk.kill()
    try store.closeBlocking()
    #expect(snapshots(disk).isEmpty && disk.contents(of: "/data/a-0/mkstore.producers") == nil)
    for other in [disk, killed] {
      (store, log) = try ProducerFixture.open(other)
      #expect(log.isProducerStateLoaded)
      let read = other.counters.bytesRead
      #expect(try log.lastStableOffset == 60)
      #expect(try log.abortedTransactions(from: 0, to: 60).isEmpty)
      #expect(other.counters.bytesRead == read)
    }
  }

  /// The tail that recovery scans anyway tells that a producer came since the mark.
  @Test func aProducerInTheUnsyncedTailIsNotForgotten() throws {
    let disk = SimulatedDisk(seed: 1)
    let (_, log) = try ProducerFixture.open(disk, segmentBytes: 1 << 20)
    var plain = sampleBatch(1)
    try log.appendBlocking(batch: &plain)
    var batch = try ProducerFixture.batch(4, sequence: 0)
    var span = batch.mutableSpan
    _ = try log.writeBlocking(batch: &span)
    let (_, again) = try ProducerFixture.open(disk.kill(), segmentBytes: 1 << 20)
    #expect(!again.isProducerStateLoaded)
    let result = try again.appendBlocking(batch: &batch)
    #expect(result.isDuplicate && result.baseOffset == 1)
  }

  /// A long segment is not read as a whole after a kill: a snapshot is taken on the way.
  @Test func whatIsReadAfterAKillIsBoundedInALongSegment() throws {
    let disk = SimulatedDisk(seed: 1)
    var config = ProducerFixture.config(segmentBytes: 1 << 30)
    config.log.maxMessageBytes = 16 << 20
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let log = try store.createLogBlocking(ProducerFixture.partition())
    try append(log, 1, 0..<6)
    let value = [UInt8](repeating: 7, count: 8 << 20)
    for _ in 0..<20 {
      var large = try BatchSource.batch(baseOffset: 0, values: [value])
      try log.appendBlocking(batch: &large)
    }
    #expect(snapshots(disk).count == 1, "the newest only")
    let killed = disk.kill()
    let again = try Store.openBlocking("/data", config: config, disk: killed, logger: .silent)
    let reopened = try #require(again.log(ProducerFixture.partition()))
    let before = killed.counters.bytesRead
    #expect(try ProducerFixture.state(reopened).producers[1]?.batches.count == 5)
    #expect(killed.counters.bytesRead - before < SessionMark.intervalBytes + (10 << 20))
    #expect(killed.counters.bytesRead - before > 8 << 20, "the test would show nothing")
  }

  @Test func idleProducersAreForgottenByWhenTheyAppended() throws {
    let disk = SimulatedDisk(seed: 1)
    let day: Int64 = 86_400_000
    let clock = Locked(ProducerFixture.nowMs)
    var config = ProducerFixture.config(segmentBytes: 1 << 20)
    config.nowMs = { clock.withLock { $0 } }
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    let log = try store.createLogBlocking(ProducerFixture.partition())
    // The records are a year old; the producer is not.
    func batch(_ sequence: Int32) throws -> [UInt8] {
      try ProducerFixture.batch(
        1, sequence: sequence, timestamp: ProducerFixture.nowMs - 365 * day)
    }
    var first = try batch(0)
    try log.appendBlocking(batch: &first)
    clock.withLock { $0 += day - 1 }
    #expect(try log.appendBlocking(batch: &first).isDuplicate)
    var gap = try batch(5)
    #expect(throws: LogError.self) { try log.appendBlocking(batch: &gap) }
    try store.closeBlocking()
    var again = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    var reopened = try #require(again.log(ProducerFixture.partition()))
    #expect(try reopened.appendBlocking(batch: &first).isDuplicate)
    clock.withLock { $0 += 1 }
    // Unknown by now: any sequence begins.
    #expect(try !reopened.appendBlocking(batch: &gap).isDuplicate)
    try again.closeBlocking()
    clock.withLock { $0 += day }
    again = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    reopened = try #require(again.log(ProducerFixture.partition()))
    #expect(try ProducerFixture.state(reopened).isEmpty)
  }

  @Test func transactionsCannotBeBegunHere() throws {
    let (_, log) = try ProducerFixture.open(SimulatedDisk(seed: 1))
    var batch = try ProducerFixture.batch(1, sequence: 0, isTransactional: true)
    #expect {
      try log.appendBlocking(batch: &batch)
    } throws: { error in
      if case .invalidTransactionState? = (error as? LogError)?.kind { true } else { false }
    }
    #expect(log.logEndOffset == 0)
  }

  /// A duplicate is not acknowledged before what it repeats is durable.
  @Test func aDuplicatesAcknowledgementWaitsForTheOriginal() throws {
    let disk = SimulatedDisk(seed: 1)
    let (_, log) = try ProducerFixture.open(disk)
    var batch = try ProducerFixture.batch(1, sequence: 0)
    var span = batch.mutableSpan
    let written = try log.writeBlocking(batch: &span)
    #expect(log.recoveryPoint == 0)
    let again = try log.appendBlocking(batch: &batch)
    #expect(again.isDuplicate && again.isDurable)
    #expect(again.baseOffset == written.baseOffset && log.recoveryPoint == 1)
    // The same where the sync fails: no acknowledgement at all.
    var next = try ProducerFixture.batch(1, sequence: 1)
    span = next.mutableSpan
    _ = try log.writeBlocking(batch: &span)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.sync]))
    #expect(throws: LogError.self) { try log.appendBlocking(batch: &next) }
    #expect(disk.faultFired)
  }
}
