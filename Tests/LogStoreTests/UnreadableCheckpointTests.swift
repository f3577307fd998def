import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// A checkpoint of a store that the disk does not give, or that may not be opened: `verify`, an
/// opening and `verify` after it say the same.
@Suite struct UnreadableCheckpointTests {
  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    try LogVerifier(disk).verify([CrashStore.path])
  }

  private func recover(_ disk: SimulatedDisk) throws -> CrashStore {
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    return try CrashStore(disk, config, creates: false)
  }

  private func path(_ name: OffsetCheckpoint.Name) -> String {
    "\(CrashStore.path)/\(name.rawValue)"
  }

  private func disk() throws -> SimulatedDisk {
    let sample = try RecoverySample()
    try sample.disk.install(path(.cleaner), OffsetCheckpoint().encoded)
    return sample.disk
  }

  /// Its content is gone, so that it is made anew as one that makes no sense is.
  @Test(arguments: OffsetCheckpoint.Name.allCases) func whatTheDiskDoesNotGiveIsMended(
    _ name: OffsetCheckpoint.Name
  ) throws {
    let disk = try disk()
    try disk.makeUnreadable(path(name))
    let before = try verify(disk)
    #expect(before.damage.isEmpty && before.unreadable.isEmpty, "\(before.unreadable)")
    #expect(before.sideFileDamage.map(\.file) == [path(name)] && !before.hasDamage)
    let store = try recover(disk)
    let report = store.manager.report
    #expect(report.mendedFiles == [path(name)])
    #expect(report.sideFileDamage.isEmpty)
    #expect(store.log.recovery.damage.isEmpty)
    #expect(disk.counters.unreadableReads > 0)
    try store.manager.closeBlocking()
    let after = try verify(disk)
    #expect(after.sideFileDamage.isEmpty && after.unreadable.isEmpty && !after.hasDamage)
    let read = try OffsetCheckpoint.read(disk, directory: CrashStore.path, name)
    #expect(read != nil)
  }

  /// What it says stands there: nothing is opened without it, and nothing replaces it.
  @Test(
    arguments: [OffsetCheckpoint.Name.recoveryPoint, .logStart, .cleaner], [EACCES, EIO] as [Int32])
  func whatMayNotBeOpenedIsAnAccessFailure(_ name: OffsetCheckpoint.Name, _ code: Int32) throws {
    let disk = try disk()
    let content = disk.contents(of: path(name))
    let plan = FaultPlan(
      .error(code), at: 1, isForEver: true, operations: [.open], pathSuffix: name.rawValue)
    disk.plan(plan)
    #expect(throws: DiskError(.open, path(name), code: code)) { try verify(disk) }
    #expect(throws: LogError.self) { try recover(disk) }
    #expect(throws: DiskError(.open, path(name), code: code)) { try verify(disk) }
    #expect(disk.faultFired && disk.contents(of: path(name)) == content)
    disk.removeFaults()
    #expect(try verify(disk).sideFileDamage.isEmpty)
    #expect(disk.contents(of: "\(CrashStore.path)/\(CleanShutdownFile.name)") != nil)
  }

  /// Nothing of it is used.
  @Test(arguments: [EACCES, EIO] as [Int32]) func highWatermarksAreReplaced(_ code: Int32) throws {
    let disk = try disk()
    let path = path(.highWatermark)
    disk.plan(
      FaultPlan(.error(code), at: 1, isForEver: true, operations: [.open], pathSuffix: path))
    #expect(try verify(disk).sideFileDamage.map(\.file) == [path])
    let store = try recover(disk)
    #expect(store.manager.report.mendedFiles == [path])
    #expect(disk.faultFired)
    disk.removeFaults()
    try store.manager.closeBlocking()
    #expect(try verify(disk).sideFileDamage.isEmpty)
  }

  @Test(arguments: [EACCES, EIO] as [Int32]) func anIdentityThatMayNotBeOpenedIsAnAccessFailure(
    _ code: Int32
  ) throws {
    let disk = try disk()
    let path = "\(CrashStore.path)/\(MetaProperties.name)"
    disk.plan(
      FaultPlan(.error(code), at: 1, isForEver: true, operations: [.open], pathSuffix: path))
    let told = [DiskError(.open, path, code: code)]
    #expect(try verify(disk).unreadable == told)
    #expect(throws: LogError.self) { try recover(disk) }
    #expect(try verify(disk).unreadable == told)
    #expect(disk.faultFired)
    disk.removeFaults()
    #expect(try verify(disk).unreadable.isEmpty)
  }
}
