import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// `Log.refresh`: a reader that follows a directory which somebody else writes.
@Suite struct FollowingTests {
  /// Two rolls and more between two looks, the names in every order that three can come in: each
  /// record is read once, in order, and none is passed over.
  @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
  func rollsBetweenTwoLooksHideNothing(_ order: [Int]) throws {
    let disk = SimulatedDisk(seed: 21)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 250))
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    let follower = try Log.openReadOnlyBlocking(
      CrashStore.directory, disk: ShuffledDisk(disk, order: order), logger: .silent)
    var rolls = 0
    for batch in SampleBatches.small[1..<10] {
      let before = store.log.store.state.segments.count
      try store.append(batch, &model)
      rolls += store.log.store.state.segments.count - before
    }
    #expect(rolls >= 3)
    #expect(try follower.refresh())
    #expect(follower.logEndOffset == store.log.logEndOffset)
    #expect(try LogModel.content(of: follower) == LogModel.content(of: store.log))
    #expect(try !follower.refresh())
  }

  /// The owner deletes what a follower is about to read: it is told so, and goes on behind.
  @Test func recordsThatTheOwnerDeletedAreOutOfRange() throws {
    let disk = SimulatedDisk(seed: 24)
    var config = CrashStore.config(segmentBytes: 250)
    config.log.fileDeleteDelayMs = 0
    let store = try CrashStore(disk, config)
    var model = LogModel()
    for batch in SampleBatches.small[..<12] { try store.append(batch, &model) }
    let follower = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    let segments = store.log.store.state.segments
    let start = segments[segments.count - 2].baseOffset + 1
    try store.log.deleteRecordsBlocking(before: start)
    let reader = LogReader(follower)
    for _ in 0..<2 {
      #expect {
        try reader.read(from: 0, maxBytes: 1 << 20, limit: .logEnd)
      } throws: { error in
        guard case .offsetOutOfRange(0, let found, _)? = (error as? LogError)?.kind else {
          return false
        }
        return found == start
      }
    }
    #expect(follower.logStartOffset == start)
    #expect(try LogModel.content(of: follower) == LogModel.content(of: store.log))
    // A segment that is missing elsewhere is none that was deleted.
    let last = segments[segments.count - 1]
    let other = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    try disk.remove(last.path(.log))
    #expect(throws: LogError.self) {
      try LogReader(other).read(from: last.baseOffset, maxBytes: 1)
    }
    #expect(other.logStartOffset == start)
    try store.manager.closeBlocking()
  }

  /// A name below what was read already, as nobody writes it, and bytes that are no batch.
  @Test func aSegmentBelowTheEndEndsNoFollower() throws {
    let disk = SimulatedDisk(seed: 23)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20))
    var model = LogModel()
    for batch in SampleBatches.small[..<4] { try store.append(batch, &model) }
    let follower = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    let end = follower.logEndOffset
    let path = store.log.store.state.segments[0].path(.log)
    let bytes = try #require(disk.contents(of: path))
    try disk.install(path, bytes + [1, 2, 3])
    try disk.install("\(CrashStore.directory)/\(SegmentName(2, .log).fileName)", [])
    #expect(try !follower.refresh())
    #expect(follower.logEndOffset == end)
  }

  /// A first segment that the disk does not open is there: the log does not begin behind it.
  @Test func aFirstSegmentThatDoesNotOpenIsNotTakenForRemoved() throws {
    let disk = SimulatedDisk(seed: 24)
    let store = try CrashStore(
      disk, CrashStore.config(segmentBytes: 500, durability: .operatingSystem))
    var model = LogModel()
    for batch in SampleBatches.small[..<12] { try store.append(batch, &model) }
    let bases = store.log.store.state.segments.map(\.baseOffset)
    try #require(bases.count > 2)
    let first = SegmentName(0, .log).fileName
    disk.plan(
      FaultPlan(.error(EIO), at: 1, isForEver: true, operations: [.open], pathSuffix: first))
    let follower = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    #expect(disk.faultFired)
    #expect(follower.recovery.unreadableFiles.count == 1)
    for _ in 0..<2 { _ = try follower.refresh() }
    #expect(follower.logStartOffset == 0)
    #expect(follower.logEndOffset == store.log.logEndOffset)
    let reader = LogReader(follower)
    #expect(try reader.read(from: bases[1], maxBytes: 1 << 20)?.baseOffset == bases[1])
  }

  /// A segment that has a successor is written by nobody: an invalid batch in it is damage, and
  /// what stands behind it is served.
  @Test func damageInAFollowedSegmentIsFenced() throws {
    let disk = SimulatedDisk(seed: 22)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 1 << 20))
    var model = LogModel()
    for batch in SampleBatches.small[..<2] { try store.append(batch, &model) }
    let follower = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    let start = store.log.store.state.segments[0].publishedEnd
    for batch in SampleBatches.small[2..<6] { try store.append(batch, &model) }
    let path = store.log.store.state.segments[0].path(.log)
    var bytes = try #require(disk.contents(of: path))
    bytes[Int(start.position) + 70] ^= 1
    try disk.install(path, bytes)
    let end = store.log.logEndOffset
    try disk.install("\(CrashStore.directory)/\(SegmentName(end, .log).fileName)", [])
    #expect(try follower.refresh())
    #expect(follower.logEndOffset == end)
    let damage = try #require(follower.damagedRanges.first?.offsets)
    #expect(follower.damagedRanges.count == 1)
    #expect(damage.lowerBound == Int64(start.relativeOffset))
    let reader = LogReader(follower)
    #expect(try reader.read(from: damage.upperBound, maxBytes: 1)?.baseOffset == damage.upperBound)
  }
}

/// A disk that lists the `.log` names of a directory in another order: the file system promises
/// none.
private final class ShuffledDisk: ForwardingDisk {
  let base: any Disk
  private let order: [Int]

  init(_ base: any Disk, order: [Int]) {
    self.base = base
    self.order = order
  }

  func list(_ directory: String) throws(DiskError) -> [DirectoryEntry] {
    let entries = try base.list(directory).sorted { $0.name < $1.name }
    return order.flatMap { rank in
      entries.enumerated().filter { $0.offset % order.count == rank }.map(\.element)
    }
  }
}
