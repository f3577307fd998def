import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Promises of docs/promises.md that need a sentence of proof and no suite of their own.
@Suite struct PromiseTests {
  /// P17: times far ahead and far behind make no segments.
  @Test func strangeTimestampsRollNothing() throws {
    var config = CrashStore.config(segmentBytes: 1 << 20)
    config.log.segmentMs = 60_000
    let store = try CrashStore(SimulatedDisk(seed: 1), config)
    for index in 0..<50 {
      let strange: [Int64] = [0, 1, CrashStore.nowMs, CrashStore.nowMs * 100, Int64.max / 2]
      var batch = SampleBatches.sealed([(strange[index % strange.count], [UInt8(index)])])
      try store.log.appendBlocking(batch: &batch)
    }
    #expect(store.log.store.state.segments.count == 1)
  }

  /// P21: what is no log is told, left as it is, and holds nobody up.
  @Test func strangeNamesAreToldAndNotTouched() throws {
    let disk = SimulatedDisk(seed: 2)
    var model = LogModel()
    let store = try CrashStore(disk, CrashStore.config())
    try store.append(SampleBatches.small[0], &model)
    try store.manager.closeBlocking()
    let files = ["/data/notes.txt", "/data/t-0/readme", "/data/t-0/12.log", "/data/lost+found/x"]
    try disk.installDirectory("/data/lost+found")
    try disk.installDirectory("/data/not a topic!-0")
    for file in files { try disk.install(file, [1, 2, 3]) }
    let again = try CrashStore(disk.kill(), CrashStore.config(), creates: false)
    #expect(again.manager.report.failed.isEmpty)
    let told = again.manager.report.notes + again.log.recovery.notes
    for name in ["lost+found", "not a topic!-0", "12.log"] {
      #expect(told.contains { $0.contains(name) }, "\(name): \(told)")
    }
    try again.append(SampleBatches.small[1], &model)
    try again.manager.closeBlocking()
    for file in files { #expect(again.disk.contents(of: file) == [1, 2, 3], "\(file)") }
  }

  /// P22: nothing is made where nothing is, unless it is asked for.
  @Test(arguments: [false, true])
  func aMissingOrEmptyDirectoryIsNoStore(_ isThere: Bool) throws {
    let disk = SimulatedDisk(seed: 3)
    if isThere { try disk.installDirectory("/data") }
    var config = CrashStore.config()
    config.createsStore = false
    #expect(throws: LogError.self) {
      try Store.openBlocking("/data", config: config, disk: disk, logger: .silent)
    }
    #expect(try isThere ? disk.list("/data").isEmpty : disk.status("/data") == nil)
  }

  /// P26, P27: whole batches, the first one whatever its size; in a gap the next record.
  @Test func fetchesGiveWholeBatchesAndPassOverGaps() throws {
    let disk = SimulatedDisk(seed: 4)
    let first = try BatchSource.batches(from: 0, count: 3, valueBytes: 100)
    let second = try BatchSource.batches(from: 10, count: 3, valueBytes: 100)
    try disk.installDirectory("/data")
    try disk.installDirectory("/data/t-0")
    try disk.install("/data/t-0/\(SegmentName(0, .log).fileName)", first + second)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20), creates: false)
    let batchBytes = first.count / 3
    let reader = LogReader(store.log)
    for (offset, base) in [(0, 0), (2, 2), (3, 10), (7, 10), (10, 10), (12, 12)] as [(Int64, Int64)]
    {
      for maxBytes in [0, 1, batchBytes, 2 * batchBytes - 1, 2 * batchBytes, 1 << 20] {
        let found = try #require(
          try reader.read(from: offset, maxBytes: maxBytes, limit: .logEnd), "\(offset)")
        #expect(found.baseOffset == base)
        #expect(found.byteCount % batchBytes == 0 && found.byteCount > 0)
        #expect(found.byteCount <= max(maxBytes, batchBytes))
      }
      #expect(try reader.record(at: offset, limit: .logEnd)?.offset == base)
    }
  }

  /// P29: the largest batch that is taken can be read back; one byte more is refused.
  @Test func theSizeLimitIsExact() throws {
    var config = CrashStore.config(segmentBytes: 1 << 20)
    config.log.maxMessageBytes = 5_000
    let store = try CrashStore(SimulatedDisk(seed: 5), config)
    let overhead = SampleBatches.sealed([(0, [UInt8](repeating: 1, count: 4_000))]).count - 4_000
    let value = [UInt8](repeating: 7, count: 5_000 - overhead)
    var largest = SampleBatches.sealed([(0, value)])
    #expect(largest.count == 5_000)
    try store.log.appendBlocking(batch: &largest)
    #expect(try LogReader(store.log).record(at: 0)?.value == value)
    var tooLarge = SampleBatches.sealed([(0, value + [7])])
    guard case .recordTooLarge(5_001, limit: 5_000) = store.tryAppend(tooLarge).failureKind else {
      Issue.record("a batch of \(tooLarge.count) bytes was taken")
      return
    }
    tooLarge.removeAll()
    #expect(store.log.logEndOffset == 1)
  }

  /// P30: a read that fails is the reader's alone.
  @Test func aFailedReadBlocksNoAppend() throws {
    let disk = SimulatedDisk(seed: 6)
    var model = LogModel()
    let first = try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20))
    for batch in SampleBatches.small[..<20] { try first.append(batch, &model) }
    try first.manager.closeBlocking()
    let store = try CrashStore(disk.kill(), CrashStore.config(segmentBytes: 1 << 20))
    store.disk.plan(
      FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.read], pathSuffix: ".log"))
    #expect(throws: LogError.self) {
      try LogReader(store.log).read(from: 0, maxBytes: 1, limit: .logEnd)
    }
    #expect(store.disk.faultsFired > 0)
    for batch in SampleBatches.small[20..<40] { try store.append(batch, &model) }
    store.disk.removeFaults()
    #expect(try LogModel.content(of: store.log).count == 40)
  }
}
