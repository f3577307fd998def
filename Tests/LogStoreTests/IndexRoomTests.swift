import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// The append or the close that needs new blocks for an index entry: a full disk refuses it before
/// anything is written and passes; any other error costs the index, not the append.
@Suite struct IndexRoomTests {
  private static func batch(_ number: Int) -> [UInt8] {
    SampleBatches.sealed([(CrashStore.nowMs + Int64(number), [7])])
  }

  /// A log whose next time entry needs new blocks, which the disk does not have.
  private func filled() throws -> (store: CrashStore, count: Int) {
    var config = CrashStore.config(
      segmentBytes: 1 << 20, durability: .operatingSystem, indexIntervalBytes: 1,
      segmentIndexBytes: 65_536)
    config.startsFlusher = false
    let store = try CrashStore(SimulatedDisk(seed: 51), config)
    _ = try store.tryAppend(Self.batch(0)).get()
    store.disk.plan(
      FaultPlan(
        .error(ENOSPC), at: 1, isForEver: true, operations: [.allocate], pathSuffix: ".timeindex"))
    for number in 1..<4000 {
      switch store.tryAppend(Self.batch(number)) {
      case .success: continue
      case .failure(let error) where error.code == .diskFull: return (store, number)
      case .failure(let error): throw error
      }
    }
    throw LogError.notFound(path: "a full index")
  }

  private func expectContent(_ store: CrashStore, _ count: Int) throws {
    try #require(store.log.logEndOffset == Int64(count))
    for number in [0, count / 2, count - 1] {
      let time = CrashStore.nowMs + Int64(number)
      #expect(try store.log.offset(forTimestamp: time)?.offset == Int64(number))
    }
  }

  @Test func anAppendIsRefusedAndPasses() throws {
    let (store, count) = try filled()
    #expect(count > 1000 && store.disk.faultFired)
    try expectContent(store, count)
    store.disk.removeFaults()
    _ = try store.tryAppend(Self.batch(count)).get()
    try expectContent(store, count + 1)
    try store.manager.closeBlocking()
  }

  @Test func aCloseIsRefusedAndPasses() throws {
    let (store, count) = try filled()
    let fired = store.disk.faultsFired
    let error = #expect(throws: LogError.self) { try store.manager.closeBlocking() }
    guard case .diskFull = error?.kind else {
      Issue.record("closed without room for the last entry")
      return
    }
    #expect(store.disk.faultsFired > fired)
    store.disk.removeFaults()
    try store.manager.closeBlocking()
    let opened = try CrashStore(store.disk, CrashStore.config(), creates: false)
    #expect(opened.log.recovery.wasClean && !opened.log.recovery.isEventful)
    try expectContent(opened, count)
  }

  @Test func anotherErrorAtTheCloseCostsTheIndexAlone() throws {
    let (store, count) = try filled()
    store.disk.removeFaults()
    store.disk.plan(
      FaultPlan(.error(EIO), at: 1, operations: [.allocate], pathSuffix: ".timeindex"))
    let fired = store.disk.faultsFired
    try store.manager.closeBlocking()
    #expect(store.disk.faultsFired > fired)
    let opened = try CrashStore(store.disk, CrashStore.config(), creates: false)
    #expect(opened.log.recovery.wasClean && opened.log.recovery.damage.isEmpty)
    try expectContent(opened, count)
  }

  /// The last segment's files are not open until it is appended to.
  @Test(arguments: [SegmentName.Kind.index, .timeindex])
  func anIndexThatIsGoneBeforeTheFirstAppendIsRebuilt(_ kind: SegmentName.Kind) throws {
    let sample = try RecoverySample()
    let store = try CrashStore(
      sample.disk, CrashStore.config(segmentBytes: 2000), creates: false)
    let path = sample.path(try #require(sample.bases.last), kind)
    try #require(sample.disk.contents(of: path)?.isEmpty == false)
    try sample.disk.remove(path)
    let result = try store.tryAppend(SampleBatches.small[20]).get()
    #expect(result.baseOffset == sample.end)
    #expect(sample.disk.contents(of: path)?.isEmpty == false)
    #expect(try LogModel.content(of: store.log).dropLast() == sample.content[...])
    try store.manager.closeBlocking()
  }
}
