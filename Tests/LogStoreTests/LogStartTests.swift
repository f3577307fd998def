import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// The log start is durable before a reader sees it, and whatever a crash leaves is the start
/// before or the new one. Expected starts are those that the test asked for.
@Suite struct LogStartTests {
  static let path = "\(CrashStore.directory)/\(LogStartFile.name)"

  /// A log of 12 batches over three segments.
  static func filled(_ disk: SimulatedDisk) throws -> CrashStore {
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 500))
    for batch in SampleBatches.small[..<12] { _ = try store.tryAppend(batch).get() }
    return store
  }

  static func reopened(_ disk: SimulatedDisk) throws -> CrashStore {
    try CrashStore(disk, CrashStore.config(segmentBytes: 500), creates: false)
  }

  @Test func aRaisedStartSurvivesAKillAndAPowerCut() throws {
    let disk = SimulatedDisk(seed: 31)
    let store = try Self.filled(disk)
    try store.log.store.raiseStart(to: 9)
    #expect(store.log.logStartOffset == 9)
    for after in [disk.kill(), disk.crash(.loseAllUnsynced)] {
      let again = try Self.reopened(after)
      #expect(again.log.logStartOffset == 9 && again.log.recovery.damage.isEmpty)
      #expect(throws: LogError.self) { try LogReader(again.log).read(from: 8, maxBytes: 1) }
      try again.manager.closeBlocking()
      #expect(try Self.reopened(after).log.logStartOffset == 9)
    }
  }

  @Test func theStartIsNeverLowered() throws {
    let disk = SimulatedDisk(seed: 31)
    let store = try Self.filled(disk)
    try store.log.store.raiseStart(to: 9)
    let content = disk.contents(of: Self.path)
    try store.log.store.raiseStart(to: 5)
    #expect(store.log.logStartOffset == 9 && disk.contents(of: Self.path) == content)
  }

  @Test func aCutAnywhereLeavesTheStartBeforeOrTheNewOne() throws {
    let seed = Seed.fromEnvironment(else: 7)
    let loop = PowerCutLoop(exhaustiveMax: 6, samples: 12, damaged: 6, seed: seed)
    var seen: [Int64: Int] = [:]
    let tried = try loop.run {
      let disk = SimulatedDisk(seed: seed.value)
      try Self.filled(disk).manager.closeBlocking()
      return disk.crash(.keepAll)
    } scenario: { disk -> (asked: Int64, published: Int64) in
      var asked: Int64 = 0
      var published: Int64 = 0
      do {
        let store = try Self.reopened(disk)
        for offset in [4, 9, 13] as [Int64] {
          asked = offset
          defer { published = store.log.logStartOffset }
          try store.log.store.raiseStart(to: offset)
          try store.manager.writeCheckpoints()
        }
        try store.manager.closeBlocking()
      } catch {
        #expect(disk.isCut, "\(error)")
      }
      return (asked, published)
    } check: { disk, run, point in
      let log = try Self.reopened(disk).log
      let start = log.logStartOffset
      // A reader saw what was published, and nothing above what was asked for was deleted.
      #expect(start == run.published || start == run.asked, "\(seed) \(point): \(start), \(run)")
      #expect(start >= run.published, "\(seed) \(point): \(start), \(run)")
      #expect(log.recovery.damage.isEmpty, "\(seed) \(point)")
      seen[start, default: 0] += 1
    }
    #expect(Set(seen.keys) == [0, 4, 9, 13] && tried.cuts > 20, "\(tried) \(seen)")
  }

  @Test(arguments: [DiskError.Operation.write, .sync, .rename, .syncDirectory])
  func aStartThatCannotBeKeptIsNotPublished(_ operation: DiskError.Operation) throws {
    let disk = SimulatedDisk(seed: 31)
    let store = try Self.filled(disk)
    try store.log.store.raiseStart(to: 4)
    disk.plan(FaultPlan(.error(EIO), at: 1, operations: [operation]))
    #expect(throws: LogError.self) { try store.log.store.raiseStart(to: 9) }
    #expect(disk.faultFired && store.log.logStartOffset == 4)
    #expect([4, 9].contains(try Self.reopened(disk.kill()).log.logStartOffset))
    disk.removeFaults()
    try store.log.store.raiseStart(to: 13)
    #expect(try Self.reopened(disk.crash(.loseAllUnsynced)).log.logStartOffset == 13)
  }

  /// The files may be another log's, or another session's.
  @Test func whoeverHoldsADeletedOrClosedLogRaisesNothing() throws {
    let disk = SimulatedDisk(seed: 31)
    let store = try Self.filled(disk)
    let deleted = store.log
    try store.manager.deleteLogBlocking(deleted.topicPartition)
    let closed = try store.manager.createLogBlocking(deleted.topicPartition)
    #expect(throws: LogError.self) { try deleted.store.raiseStart(to: 9) }
    try store.manager.closeBlocking()
    #expect(throws: LogError.self) { try closed.store.raiseStart(to: 9) }
    #expect(disk.contents(of: Self.path) == nil)
    #expect(try Self.reopened(disk).log.logStartOffset == 0)
  }

  @Test func aLogOpenedForReadingWritesNothing() throws {
    let disk = SimulatedDisk(seed: 31)
    let store = try Self.filled(disk)
    try store.log.store.raiseStart(to: 4)
    let content = disk.contents(of: Self.path)
    let count = disk.operationCount
    let view = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    #expect(view.logStartOffset == 4)
    try view.store.raiseStart(to: 9)
    #expect(view.logStartOffset == 9 && disk.contents(of: Self.path) == content)
    #expect(disk.operationCount == count)
  }

  /// Each way in which what tells of the start can be, against the rule that the page states.
  @Test(arguments: [nil, 0, 5, 40] as [Int64?]) func theEvidenceIsWeighed(_ line: Int64?) {
    func evidence(_ own: StartEvidence.OwnFile) -> StartEvidence {
      StartEvidence(own: own, line: line)
    }
    let higher = max(line ?? 0, 9)
    #expect(evidence(.right(9)).start == higher)
    #expect(evidence(.right(9)).offsetToWrite == (higher == 9 ? nil : higher))
    #expect(evidence(.missing).start == line)
    #expect(evidence(.missing).offsetToWrite == (line == 0 ? nil : line))
    #expect(evidence(.wrong).start == line)
    #expect(evidence(.wrong).offsetToWrite == line ?? 0)
  }
}
