import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Retention on a store whose clocks the tests move (P15, P16).
@Suite struct RetentionTests {
  private static let hour: Int64 = 3_600_000

  /// Wall and monotonic time, which go together unless a test moves one alone.
  private final class Clocks: Sendable {
    let wallMs = Locked(CrashStore.nowMs)
    let monotonicMs = Locked<Int64>(1_000)

    func pass(ms: Int64) {
      wallMs.withLock { $0 += ms }
      monotonicMs.withLock { $0 += ms }
    }
  }

  private func config(_ clocks: Clocks, retentionMs: Int64 = -1) -> StoreConfig {
    var config = CrashStore.config(segmentBytes: 300)
    config.nowMs = { clocks.wallMs.withLock { $0 } }
    config.monotonicNs = { clocks.monotonicMs.withLock { $0 } * 1_000_000 }
    config.retentionCheckIntervalMs = 60_000
    config.log.retentionMs = retentionMs
    return config
  }

  /// Lets the checks run that are due after so long.
  private func check(_ store: CrashStore, _ clocks: Clocks, afterMs: Int64) {
    clocks.pass(ms: afterMs)
    while store.manager.context.housekeeper.step() {}
  }

  private func batch(_ number: Int, at ms: Int64) -> [UInt8] {
    SampleBatches.make(number, records: 1, valueBytes: 200, timestamp: ms)
  }

  private func append(_ store: CrashStore, _ count: Int, at ms: Int64) throws {
    for number in 0..<count { _ = try store.tryAppend(batch(number, at: ms)).get() }
  }

  @Test func expiredSegmentsGoWithTheActiveOneAndTheStartSurvivesAPowerCut() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 5), Clocks())
    let store = try CrashStore(disk, config(clocks, retentionMs: 10 * Self.hour))
    try append(store, 4, at: CrashStore.nowMs)
    check(store, clocks, afterMs: 10 * Self.hour)
    #expect(store.log.logStartOffset == 0, "just as old is not older")
    check(store, clocks, afterMs: 60_000)
    #expect(store.log.logStartOffset == 4 && store.log.logEndOffset == 4)
    #expect(store.log.store.state.segments.map(\.baseOffset) == [4])
    check(store, clocks, afterMs: 60_000)
    check(store, clocks, afterMs: 60_000)
    #expect(!disk.paths.contains { $0.hasSuffix(".deleted") }, "\(disk.paths)")
    for mode in [CrashMode.keepAll, .loseAllUnsynced] {
      let again = try CrashStore(disk.crash(mode), config(clocks, retentionMs: 10 * Self.hour))
      #expect(again.log.logStartOffset == 4 && again.log.logEndOffset == 4)
      #expect(again.log.recovery.damage.isEmpty)
    }
    _ = try store.tryAppend(batch(9, at: CrashStore.nowMs)).get()
    #expect(store.log.logEndOffset == 5)
  }

  @Test func sizeLeavesAtLeastTheBytesThatAreToStay() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 6), Clocks())
    var config = config(clocks)
    config.log.retentionBytes = 600
    let store = try CrashStore(disk, config)
    try append(store, 6, at: CrashStore.nowMs)
    let sizes = try store.log.segmentInfo().map(\.bytes)
    check(store, clocks, afterMs: 60_000)
    let left = try store.log.segmentInfo().map(\.bytes)
    #expect(left.count < sizes.count && left == Array(sizes.suffix(left.count)))
    let total = left.reduce(0, +)
    #expect(total >= 600 && total - (left.first ?? 0) < 600)
  }

  /// What a broker wrote, or an engine from before retention, is not ours to delete.
  @Test func withoutAPolicyThatSomebodyDecidedOnNothingGoes() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 7), Clocks())
    do {
      let store = try CrashStore(disk, config(clocks))
      try append(store, 4, at: CrashStore.nowMs)
      try store.manager.closeBlocking()
    }
    let store = try CrashStore(disk, config(clocks, retentionMs: 1))
    #expect(!store.log.isPolicyConfirmed)
    #expect(store.manager.topicsWithUnconfirmedRetention == ["t"])
    check(store, clocks, afterMs: 24 * Self.hour)
    #expect(store.log.logStartOffset == 0)
    try store.manager.alterTopicBlocking("t", TopicConfig())
    #expect(store.manager.topicsWithUnconfirmedRetention.isEmpty)
    check(store, clocks, afterMs: 60_000)
    #expect(store.log.logStartOffset == 4)
  }

  @Test(arguments: [true, false]) func aBrokersSessionEndsEveryPolicyFromBefore(
    _ appends: Bool
  ) throws {
    let (disk, clocks) = (SimulatedDisk(seed: 8), Clocks())
    let config = config(clocks, retentionMs: Self.hour)
    do {
      let store = try CrashStore(disk, config)
      try append(store, 4, at: CrashStore.nowMs)
      try store.manager.closeBlocking()
    }
    // Opened and closed by us it counts on.
    do {
      let store = try CrashStore(disk, config, creates: false)
      #expect(store.log.isPolicyConfirmed)
      try store.manager.closeBlocking()
    }
    if appends {
      let path = try #require(disk.paths.last { $0.hasSuffix(".log") })
      let theirs = SampleBatches.placed(batch(7, at: CrashStore.nowMs), at: 4, epoch: 3)
      try disk.install(path, (disk.contents(of: path) ?? []) + theirs)
    } else {
      // As a broker does it when it stops: another file in the place.
      let path = "\(CrashStore.path)/log-start-offset-checkpoint"
      try disk.remove(path)
      try disk.install(path, [UInt8]("0\n0\n".utf8))
    }
    // A crash of the opening that found it out changes nothing.
    _ = try CrashStore(disk, config, creates: false)
    let left = disk.crash(.loseAllUnsynced)
    let store = try CrashStore(left, config, creates: false)
    #expect(!store.log.isPolicyConfirmed)
    check(store, clocks, afterMs: 24 * Self.hour)
    #expect(store.log.logStartOffset == 0)
    try store.manager.alterTopicBlocking("t", TopicConfig())
    check(store, clocks, afterMs: 60_000)
    #expect(store.log.logStartOffset == store.log.logEndOffset)
  }

  @Test func settingsActAtOnceAndOutliveTheSession() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 9), Clocks())
    let store = try CrashStore(disk, config(clocks))
    try append(store, 4, at: CrashStore.nowMs)
    let overrides = try TopicConfig(["retention.ms": "1000", "segment.bytes": "5000"])
    try store.manager.alterTopicBlocking("t", overrides)
    #expect(store.log.config.retentionMs == 1000 && store.log.config.segmentBytes == 5000)
    #expect(store.log.overrides == overrides)
    let before = try store.log.segmentInfo().count
    try append(store, 4, at: CrashStore.nowMs)
    #expect(try store.log.segmentInfo().count == before, "larger segments from now on")
    check(store, clocks, afterMs: 60_000)
    #expect(store.log.logStartOffset == 8)
    let again = try CrashStore(disk.kill(), config(clocks), creates: false)
    #expect(again.log.overrides == overrides && again.log.isPolicyConfirmed)
    #expect(throws: LogError.self) { try store.manager.alterTopicBlocking("missing", overrides) }
  }

  @Test func aRecordFromTheFutureKeepsNothingUnlessItIsTrusted() throws {
    for isTrusted in [false, true] {
      let (disk, clocks) = (SimulatedDisk(seed: 10), Clocks())
      var config = config(clocks, retentionMs: Self.hour)
      config.log.trustsFutureTimes = isTrusted
      let store = try CrashStore(disk, config)
      try append(store, 2, at: CrashStore.nowMs)
      try append(store, 1, at: CrashStore.nowMs + 4000 * 24 * Self.hour)
      try append(store, 2, at: CrashStore.nowMs)
      check(store, clocks, afterMs: 2 * Self.hour)
      #expect(store.log.logStartOffset == (isTrusted ? 2 : 5), "trusted: \(isTrusted)")
    }
  }

  @Test(arguments: [1, -1] as [Int64]) func aClockThatJumpsDeletesNothing(_ sign: Int64) throws {
    let (disk, clocks) = (SimulatedDisk(seed: 11), Clocks())
    let store = try CrashStore(disk, config(clocks, retentionMs: Self.hour))
    try append(store, 3, at: CrashStore.nowMs)
    check(store, clocks, afterMs: 30_000)
    clocks.wallMs.withLock { $0 += sign * 1000 * 24 * Self.hour }
    check(store, clocks, afterMs: 60_000)
    #expect(store.log.logStartOffset == 0, "the clock jumped just now")
    clocks.wallMs.withLock { $0 -= sign * 1000 * 24 * Self.hour }
    for _ in 0..<40 { check(store, clocks, afterMs: 5_000) }
    #expect(store.log.logStartOffset == 0, "it jumped back, and nothing is old")
    clocks.wallMs.withLock { $0 += 1000 * 24 * Self.hour }
    for _ in 0..<40 { check(store, clocks, afterMs: 5_000) }
    #expect(store.log.logStartOffset == 3, "steady for an interval, it is believed")
  }

  @Test func aStartFarFromTheLastSessionWaitsOrIsConfirmed() throws {
    for confirms in [false, true] {
      let (disk, clocks) = (SimulatedDisk(seed: 12), Clocks())
      let config = config(clocks, retentionMs: Self.hour)
      do {
        let store = try CrashStore(disk, config)
        try append(store, 3, at: CrashStore.nowMs)
        try store.manager.closeBlocking()
      }
      clocks.wallMs.withLock { $0 += 3 * 24 * Self.hour }
      let store = try CrashStore(disk, config, creates: false)
      check(store, clocks, afterMs: 60_000)
      #expect(store.log.logStartOffset == 0)
      if confirms {
        var session = try #require(try StoreSession.read(disk, directory: CrashStore.path))
        session.wallMs = clocks.wallMs.withLock { $0 }
        try session.write(disk, directory: CrashStore.path)
        check(store, clocks, afterMs: 5_000)
      } else {
        for _ in 0..<60 { check(store, clocks, afterMs: 60_000) }
      }
      #expect(store.log.logStartOffset == 3)
    }
  }

  @Test func aFullDiskIsFreedByWhatIsDeleted() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 13), Clocks())
    let store = try CrashStore(disk, config(clocks, retentionMs: Self.hour))
    try append(store, 6, at: CrashStore.nowMs)
    clocks.pass(ms: 2 * Self.hour)
    try append(store, 1, at: CrashStore.nowMs + 2 * Self.hour)
    let space = try disk.space(CrashStore.path)
    disk.capacityBytes = Int(space.totalBytes - space.availableBytes)
    #expect(throws: LogError.self) { try append(store, 3, at: CrashStore.nowMs) }
    check(store, clocks, afterMs: 60_000)
    #expect(store.log.logStartOffset > 0)
    let again = try CrashStore(disk.kill(), config(clocks, retentionMs: Self.hour))
    #expect(again.log.logStartOffset == store.log.logStartOffset)
    #expect(again.log.recovery.damage.isEmpty)
  }

  @Test func aFileThatSomebodyRemovedStopsNothing() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 14), Clocks())
    let store = try CrashStore(disk, config(clocks, retentionMs: Self.hour))
    try append(store, 5, at: CrashStore.nowMs)
    for path in disk.paths.filter({ $0.hasSuffix(".log") }).prefix(2) { try disk.remove(path) }
    check(store, clocks, afterMs: 3 * Self.hour)
    #expect(store.log.logStartOffset == 5)
  }

  /// A check of a log in which nothing can be due looks at no file; what may be due is seen.
  @Test func aCheckLooksOnlyAtWhatMayBeDue() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 18), Clocks())
    var config = config(clocks, retentionMs: 10 * Self.hour)
    config.log.retentionBytes = 2_000
    let store = try CrashStore(disk, config)
    try append(store, 4, at: CrashStore.nowMs)
    try store.manager.closeBlocking()
    let again = try CrashStore(disk, config, creates: false)
    check(again, clocks, afterMs: 60_000)
    disk.setTracing(true)
    for _ in 0..<10 { check(again, clocks, afterMs: 60_000) }
    let looked = disk.trace.filter { $0.path.contains("/t-0/") }
    #expect(looked.isEmpty, "\(looked)")
    try append(again, 10, at: CrashStore.nowMs)
    check(again, clocks, afterMs: 60_000)
    #expect(again.log.logStartOffset > 0, "too large")
    let start = again.log.logStartOffset
    check(again, clocks, afterMs: 60_000)
    try again.manager.alterTopicBlocking("t", TopicConfig(["retention.bytes": "700"]))
    check(again, clocks, afterMs: 60_000)
    #expect(again.log.logStartOffset > start, "less may stay")
    check(again, clocks, afterMs: 11 * Self.hour)
    #expect(again.log.logStartOffset == 14, "all is old")
  }

  /// Segments below the log's start may come back in any subset: their renames were not synced.
  /// Nothing behind the start may go with them, though the mark may be older than the start.
  @Test func segmentsThatComeBackTakeNothingWithThem() throws {
    let (disk, clocks) = (SimulatedDisk(seed: 15), Clocks())
    let store = try CrashStore(disk, config(clocks))
    try append(store, 12, at: CrashStore.nowMs)
    try store.log.deleteRecordsBlocking(before: 11)
    for seed: UInt64 in 0..<200 {
      let again = try CrashStore(disk.crash(.random(seed: seed)), config(clocks), creates: false)
      #expect(again.log.logStartOffset == 11 && again.log.logEndOffset == 12, "\(seed)")
      #expect(again.log.recovery.damage.isEmpty, "\(seed)")
    }
  }

  @Test func theLargestTimeIsThatOfARecordThatIsLeft() throws {
    let store = try CrashStore(SimulatedDisk(seed: 16), CrashStore.config(segmentBytes: 10_000))
    _ = try store.tryAppend(batch(0, at: CrashStore.nowMs + 50)).get()
    let both = SampleBatches.sealed([(CrashStore.nowMs + 40, [1]), (CrashStore.nowMs + 20, [2])])
    _ = try store.tryAppend(both).get()
    _ = try store.tryAppend(batch(1, at: CrashStore.nowMs + 10)).get()
    for (start, largest) in [(0, 50), (1, 40), (2, 20), (3, 10)] as [(Int64, Int64)] {
      try store.log.deleteRecordsBlocking(before: start)
      let found = try store.log.offsetOfLargestTimestamp()
      #expect(found == OffsetForTime(offset: start, timestamp: CrashStore.nowMs + largest))
    }
    try store.log.deleteRecordsBlocking(before: 4)
    #expect(try store.log.offsetOfLargestTimestamp() == nil)
  }

  /// Another process follows the log while its owner deletes all that the other one knows of.
  @Test(arguments: [0, 3]) func whoeverFollowsGoesOnBehindWhatWasDeleted(_ known: Int) throws {
    let (disk, clocks) = (SimulatedDisk(seed: 17), Clocks())
    let store = try CrashStore(disk, config(clocks, retentionMs: Self.hour))
    try append(store, known, at: CrashStore.nowMs)
    let follower = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    try append(store, 4, at: CrashStore.nowMs)
    check(store, clocks, afterMs: 2 * Self.hour)
    let start = Int64(known) + 4
    #expect(store.log.logStartOffset == start)
    _ = try follower.refresh()
    #expect(follower.logStartOffset == start && follower.logEndOffset == start)
    let new = clocks.wallMs.withLock { $0 }
    try append(store, 2, at: new)
    _ = try follower.refresh()
    #expect(follower.logEndOffset == start + 2)
    #expect(try LogModel.content(of: follower).map(\.baseOffset) == [start, start + 1])
    #expect(throws: LogError.self) {
      try LogReader(follower).read(from: 0, maxBytes: 100)
    }
  }
}
