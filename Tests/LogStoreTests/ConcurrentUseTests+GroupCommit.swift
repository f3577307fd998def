import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Synchronization
import Testing

@testable import LogStore

extension ConcurrentUseTests {
  /// P10: 64 threads append durably at once; each sync waits until every thread that still appends
  /// has written behind it, as a slow disk would make it. So no sync is made under the append lock,
  /// or nobody would get on; and two syncs serve all of them once.
  @Test func concurrentAppendsShareTheirSyncs() throws {
    let threads = 64
    let rounds = 10
    let crowd = Crowd(threads: threads)
    let disk = CrowdedDisk(SimulatedDisk(seed: 78), crowd)
    let store = try Store.openBlocking(
      CrashStore.path, config: CrashStore.config(segmentBytes: 1 << 20), disk: disk,
      logger: .silent)
    let log = try store.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
    var first = SampleBatches.small[0]
    _ = try log.appendBlocking(batch: &first)
    let start = log.logEndOffset
    crowd.begin(log)
    let outcomes = WorkerThreads.map(jobCount: threads, threadCount: threads) { job in
      defer { crowd.leave() }
      return Result { () throws(LogError) -> Int in
        for round in 0..<rounds {
          let record = Record(
            offset: 0, timestamp: 1, key: nil, value: [UInt8(job), UInt8(round)])
          let result = try log.appendBlocking([NewRecord(record)])
          if !result.isDurable { return 0 }
        }
        return rounds
      }
    }
    #expect(try outcomes.map { try $0.get() }.reduce(0, +) == threads * rounds)
    #expect(log.recoveryPoint == start + Int64(threads * rounds))
    let syncs = crowd.syncCount
    #expect(syncs >= rounds && syncs <= 2 * rounds + 4, "\(syncs) syncs")
    print("\(threads * rounds) durable appends by \(threads) threads: \(syncs) syncs")
    crowd.end()
    try store.closeBlocking()
  }
}

/// Who appends right now, and how often the log was synced for it.
private final class Crowd: Sendable {
  private let active: Atomic<Int>
  private let written = Atomic<Int>(0)
  private let syncs = Atomic<Int>(0)
  /// The log, and where it ended when the crowd came.
  private let log = Locked<(log: Log, start: Int64)?>(nil)

  init(threads: Int) { active = Atomic(threads) }

  var syncCount: Int { syncs.load(ordering: .acquiring) }
  func begin(_ log: Log) { self.log.withLock { $0 = (log, log.logEndOffset) } }
  func leave() { active.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
  func end() { log.withLock { $0 = nil } }

  func didWrite() {
    guard log.withLock({ $0 != nil }) else { return }
    written.wrappingAdd(1, ordering: .acquiringAndReleasing)
  }

  /// Returns when everybody who still appends has written a record that is not durable yet.
  func waitForAll() {
    guard let (log, start) = log.withLock({ $0 }) else { return }
    syncs.wrappingAdd(1, ordering: .acquiringAndReleasing)
    while written.load(ordering: .acquiring) - Int(log.recoveryPoint - start)
      < active.load(ordering: .acquiring)
    {
      sched_yield()
    }
  }
}

/// A disk whose `.log` files tell the crowd of writes and syncs.
private final class CrowdedDisk: ForwardingDisk {
  let base: any Disk
  private let crowd: Crowd

  init(_ base: any Disk, _ crowd: Crowd) {
    self.base = base
    self.crowd = crowd
  }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let file = try base.open(path, mode)
    return path.hasSuffix(".log") ? CrowdedFile(file, crowd) : file
  }
}

/// See `CrowdedDisk`.
private final class CrowdedFile: ForwardingFile {
  let base: any DiskFile
  private let crowd: Crowd

  init(_ base: any DiskFile, _ crowd: Crowd) {
    self.base = base
    self.crowd = crowd
  }

  func write(_ bytes: Span<UInt8>, at position: Int) throws(DiskError) {
    try base.write(bytes, at: position)
    crowd.didWrite()
  }

  func sync() throws(DiskError) {
    crowd.waitForAll()
    try base.sync()
  }
}
