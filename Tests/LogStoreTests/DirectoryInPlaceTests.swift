import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// A directory under the name of a file beside the log is found by `verify`, and an opening ends
/// with the same status.
@Suite struct DirectoryInPlaceTests {
  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  private func recover(_ disk: SimulatedDisk) throws -> CrashStore {
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    return try CrashStore(disk, config, creates: false)
  }

  /// A directory that holds something in the place of a file.
  private func sample(_ path: String) throws -> SimulatedDisk {
    let sample = try RecoverySample()
    if sample.disk.contents(of: path) != nil { try sample.disk.remove(path) }
    try sample.disk.installDirectory("\(path)/x")
    return sample.disk
  }

  @Test(arguments: [
    PartitionMetadata.name, LeaderEpochCheckpoint.name, RecoveryHistory.fileName,
    ProducerFile.name, TopicConfigFile.name, LogStartFile.name,
  ])
  func besideALogItIsDamageThatAPersonMends(_ name: String) throws {
    let path = "\(CrashStore.directory)/\(name)"
    let disk = try sample(path)
    let before = try verify(disk)
    #expect(before.sideFileDamage.map(\.file) == [path] && before.hasDamage)
    let store = try recover(disk)
    #expect(store.log.recovery.sideFileDamage == before.sideFileDamage)
    try store.manager.closeBlocking()
    #expect(try verify(disk).sideFileDamage == before.sideFileDamage)
  }

  @Test func anEmptyOneMakesWayForTheEpochs() throws {
    let path = "\(CrashStore.directory)/\(LeaderEpochCheckpoint.name)"
    let disk = try sample(path)
    try disk.removeDirectory("\(path)/x")
    let before = try verify(disk)
    #expect(before.sideFileDamage.map(\.isMendedByOpen) == [true])
    let store = try recover(disk)
    #expect(store.log.recovery.rebuiltIndexes == [path])
    try store.manager.closeBlocking()
    #expect(try verify(disk).sideFileDamage.isEmpty)
  }

  @Test(arguments: [
    OffsetCheckpoint.Name.recoveryPoint.rawValue, OffsetCheckpoint.Name.logStart.rawValue,
    OffsetCheckpoint.Name.highWatermark.rawValue, MetaProperties.name, CleanShutdownFile.name,
    LogStartCheckpoint.name,
  ])
  func inAStoreItIsAnAccessFailure(_ name: String) throws {
    let path = "\(CrashStore.path)/\(name)"
    let disk = try sample(path)
    let before = try verify(disk)
    #expect(before.unreadable.map(\.path) == [path] && !before.hasDamage)
    #expect(before.unreadable.map(\.code) == [EISDIR])
    #expect(throws: LogError.self) { try recover(disk).manager.closeBlocking() }
    #expect(try verify(disk).unreadable == before.unreadable)
  }

  @Test func aBrokersCleanerCheckpointIsDamage() throws {
    let path = "\(CrashStore.path)/\(OffsetCheckpoint.Name.cleaner.rawValue)"
    let disk = try sample(path)
    let before = try verify(disk)
    #expect(before.sideFileDamage.map(\.file) == [path] && before.hasDamage)
    let store = try recover(disk)
    #expect(store.manager.report.sideFileDamage == before.sideFileDamage)
    try store.manager.closeBlocking()
    #expect(try verify(disk).sideFileDamage == before.sideFileDamage)
  }
}
