import StoreTesting
import Testing

@testable import LogStore

/// Reads of cold bytes beside syncs that somebody waits for.
struct SyncTrafficTests {
  @Test func aReaderWaitsForTheSyncThatRuns() {
    let traffic = SyncTraffic(waitMaxNs: 60_000_000_000)
    traffic.giveWay()
    let gate = Locked((isHeld: true, isSyncing: false, isSynced: false))
    let syncing = PinnedThread(name: "sync", core: nil) {
      do {
        try traffic.sync {
          gate.withLock { $0.isSyncing = true }
          gate.broadcast()
          _ = gate.wait { !$0.isHeld }
          gate.withLock { $0.isSynced = true }
        }
      } catch {
        Issue.record(error)
      }
    }
    _ = gate.wait { $0.isSyncing }
    let sawSynced = Locked<Bool?>(nil)
    let reading = PinnedThread(name: "read", core: nil) {
      traffic.giveWay()
      let isSynced = gate.withLock { $0.isSynced }
      sawSynced.withLock { $0 = isSynced }
    }
    while traffic.waitingCount == 0, sawSynced.withLock({ $0 }) == nil {}
    #expect(sawSynced.withLock { $0 } == nil)
    gate.withLock { $0.isHeld = false }
    gate.broadcast()
    reading.join()
    syncing.join()
    #expect(sawSynced.withLock { $0 } == true)
    #expect(traffic.waitingCount == 0)
  }

  /// A store that is synced without a pause is read all the same.
  @Test func aReaderDoesNotWaitForEver() throws {
    let traffic = SyncTraffic(waitMaxNs: 1000)
    try traffic.sync {
      traffic.giveWay()
      traffic.giveWay()
    }
    #expect(traffic.waitingCount == 0)
  }

  @Test func aSyncIsExpectedForASecondAfterTheLast() throws {
    let clock = Locked<Int64>(5)
    let traffic = SyncTraffic(now: { clock.withLock { $0 } })
    #expect(traffic.level == .none)
    try traffic.sync { #expect(traffic.level == .light) }
    clock.withLock { $0 += SyncTraffic.recentNs - 1 }
    #expect(traffic.level == .light)
    clock.withLock { $0 += 1 }
    #expect(traffic.level == .none)
  }

  @Test func manyBytesASecondAreHeavyTraffic() throws {
    let clock = Locked<Int64>(0)
    let traffic = SyncTraffic(now: { clock.withLock { $0 } })
    func write(_ byteCount: Int) throws {
      for _ in 0..<200 {
        try traffic.sync { clock.withLock { $0 += 1_000_000 } }
        traffic.noteSynced(byteCount)
      }
    }
    let heavyByteCount = Int(SyncTraffic.heavyBytesPerSecond / 1000)
    try write(heavyByteCount * 2)
    #expect(traffic.level == .heavy)
    try write(heavyByteCount / 2)
    #expect(traffic.level == .light)
  }

  /// What a sync may find in the disk's queue before it is at most one small piece of a scan;
  /// beside much that is written the scan gets its share.
  @Test(arguments: [SyncTraffic.Level.none, .light, .heavy])
  func aScanBesideSyncsReadsLittleAtATime(level: SyncTraffic.Level) throws {
    let disk = SimulatedDisk(seed: 5)
    let clock = Locked<Int64>(0)
    var config = CrashStore.config(segmentBytes: 4 << 20)
    config.monotonicNs = { clock.withLock { $0 } }
    let scanned = try TopicPartition(topic: "scanned", partition: 0)
    let written = try TopicPartition(topic: "written", partition: 0)
    let batchCount = 100
    do {
      let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
      let log = try store.createLogBlocking(scanned)
      for _ in 0..<batchCount {
        var batch = try BatchSource.batches(from: 0, count: 1, valueBytes: 16 << 10)
        _ = try log.appendBlocking(batch: &batch)
      }
      _ = try store.createLogBlocking(written)
      try store.closeBlocking()
    }
    let store = try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    if level != .none {
      var batch = sampleBatch(1)
      _ = try #require(store.log(written)).appendBlocking(batch: &batch)
    }
    if level == .heavy {
      clock.withLock { $0 += 500_000_000 }
      store.context.syncTraffic.noteSynced(1 << 30)
    }
    #expect(store.context.syncTraffic.level == level)
    let log = try #require(store.log(scanned))
    let path = log.store.state.segments[0].path(.log)
    let reader = LogReader(log)
    var offset: Int64 = 0
    var byteCount = 0
    while let records = try reader.read(from: offset, maxBytes: 1 << 20) {
      offset = records.nextOffset
      byteCount += records.byteCount
    }
    #expect(offset == Int64(batchCount))
    #expect(byteCount > 1 << 20)
    let expected =
      switch level {
      case .none: BatchFinder.checkBytesMin
      case .light: BatchFinder.checkBytesMinBesideSyncs
      case .heavy: BatchFinder.checkBytesMinBesideWrites
      }
    #expect(disk.counters.largestReadByPath[path] == expected)
    try store.closeBlocking()
  }
}
