import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// Kinds of directories about which the commands once told different things, each settled by the
/// table. The expected values are Kafka's, or what was written before the harm.
@Suite struct RecoveryKindTests {
  private static let log = CrashStore.directory

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  /// Opens as `recover` does.
  private func recover(_ disk: SimulatedDisk) throws -> CrashStore {
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    return try CrashStore(disk, config, creates: false)
  }

  private func foreign(_ files: [String: [UInt8]], isClean: Bool) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 71)
    for (name, bytes) in files { try disk.install("\(Self.log)/\(name)", bytes) }
    if isClean { try disk.install("\(CrashStore.path)/\(CleanShutdownFile.name)", []) }
    return disk
  }

  private func logName(_ base: Int64) -> String { SegmentName(base, .log).fileName }

  /// KAFKA-6264: brokers before 2.0 wrote such segments in compacted topics.
  @Test(arguments: [true, false]) func aSegmentOfMoreThan2To31OffsetsLosesNothing(
    _ isClean: Bool
  ) throws {
    let most: Int64 = 1 << 31
    let bases: [Int64] = [0, 5, most - 1, most, most + 1, most + 5]
    let one = SampleBatches.sealed([(CrashStore.nowMs, [7])])
    let bytes = bases.flatMap { SampleBatches.placed(one, at: $0) }
    let disk = try foreign([logName(0): bytes], isClean: isClean)
    #expect(try verify(disk).damage.isEmpty)
    let view = try Log.openReadOnlyBlocking(Self.log, disk: disk, logger: .silent)
    #expect(try view.readAround().batches.map(\.baseOffset) == bases)
    let store = try recover(disk)
    #expect(store.log.recovery.cuts.isEmpty && store.log.recovery.damage.isEmpty)
    #expect(try store.log.readAround().batches.map(\.baseOffset) == bases)
    #expect(try store.tryAppend(SampleBatches.small[0]).get().baseOffset == most + 6)
    #expect(try store.log.readAround().batches.map(\.baseOffset) == bases + [most + 6])
  }

  /// KAFKA-12889: a compacted log begins where its first segment does, be it empty.
  @Test func emptySegmentsAtTheStartDoNotMoveIt() throws {
    let base: Int64 = 4_295_767_494
    let batch = SampleBatches.placed(SampleBatches.sealed([(1, [7])]), at: base + 5)
    let disk = try foreign(
      [logName(0): [], logName(2_148_249_632): [], logName(base): batch], isClean: false)
    let report = try verify(disk)
    let told = report.plans.first?.report.removedFiles
    #expect(told?.first?.reason == "an empty segment that another one follows")
    let isNoted = report.notes.contains { $0.text.hasPrefix("an empty segment that another one") }
    #expect(isNoted, "\(report.notes)")
    let store = try recover(disk)
    #expect(store.log.logStartOffset == 0)
    #expect(store.log.recovery.removedFiles == told)
    #expect(try LogReader(store.log).read(from: 100, maxBytes: 1)?.baseOffset == base + 5)
    try store.manager.closeBlocking()
    #expect(try !verify(disk).hasDamage)
  }

  @Test func aBatchWithARightCRCThatDoesNotDecodeIsDamageAndStays() throws {
    // One record stated, its length field broken, and the CRC made right for it.
    var bad = SampleBatches.placed(SampleBatches.sealed([(1, [1, 2, 3])]), at: 3)
    bad[61] ^= 0x40
    let crc = crc32c(bad[21...])
    for index in 0..<4 { bad[17 + index] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * index)) }
    let good = SampleBatches.placed(SampleBatches.sealed([(1, [1]), (1, [2]), (1, [3])]), at: 0)
    let disk = try foreign([logName(0): good + bad], isClean: false)
    let before = try verify(disk)
    #expect(before.damage.map(\.bytes) == [good.count..<good.count + bad.count])
    #expect(before.damage.map(\.offsets) == [3..<4] && before.tornTails.isEmpty)
    let store = try recover(disk)
    #expect(store.log.recovery.damage == before.damage && store.log.recovery.cuts.isEmpty)
    try store.manager.closeBlocking()
    #expect(disk.contents(of: "\(Self.log)/\(logName(0))") == good + bad)
    #expect(try verify(disk).damage == before.damage)
  }

  /// CRC-32C, bit by bit.
  private func crc32c(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
  }

  @Test(arguments: [true, false]) func theLossOfTheFirstSegmentIsDamage(_ isClean: Bool) throws {
    let sample = try RecoverySample(closes: isClean)
    let disk = isClean ? sample.disk : sample.disk.kill()
    try disk.remove(sample.path(0))
    let before = try verify(disk)
    #expect(before.damage.map(\.offsets) == [0..<sample.bases[1]])
    let store = try recover(disk)
    #expect(store.log.recovery.damage == before.damage)
    try store.manager.closeBlocking()
    #expect(try verify(disk).damage == before.damage)
  }

  /// After a kill, and after a clean close whose marker another program took away.
  @Test(arguments: [true, false]) func theLossOfAllSegmentsIsDamageAfterAKillToo(
    _ isClosed: Bool
  ) throws {
    let sample = try RecoverySample(closes: isClosed)
    let disk = isClosed ? sample.disk : sample.disk.kill()
    if isClosed { try disk.remove("\(CrashStore.path)/\(CleanShutdownFile.name)") }
    for base in sample.bases { try disk.remove(sample.path(base)) }
    let before = try verify(disk)
    #expect(before.damage.map(\.offsets) == [0..<sample.end])
    let view = try Log.openReadOnlyBlocking(Self.log, disk: disk, logger: .silent)
    #expect(view.recovery.damage == before.damage)
    let store = try recover(disk)
    #expect(store.log.recovery.damage == before.damage)
    try store.manager.closeBlocking()
    #expect(try verify(disk).damage == before.damage)
  }

  /// KAFKA-10101: DeleteRecords took what is below the log's start.
  @Test func aLogStartAboveTheLogEndIsNoDamage() throws {
    let bytes = try BatchSource.batches(from: 0, count: 4, valueBytes: 20)
    let disk = try foreign([logName(0): bytes], isClean: false)
    try disk.install(
      "\(CrashStore.path)/log-start-offset-checkpoint", [UInt8]("0\n1\nt 0 1010\n".utf8))
    #expect(try !verify(disk).hasDamage)
    let store = try recover(disk)
    #expect(store.log.recovery.damage.isEmpty && store.log.logEndOffset == 1010)
    try store.manager.closeBlocking()
    let after = try verify(disk)
    #expect(!after.hasDamage, "\(after.damage)")
  }

  /// One bit in a file without a CRC outvotes no mark, which has one.
  @Test func aCheckpointAheadOfASoundLogTakesNoRecord() throws {
    let sample = try RecoverySample()
    try sample.disk.install(
      "\(CrashStore.path)/recovery-point-offset-checkpoint",
      [UInt8]("0\n1\nt 0 \(sample.end + 40)\n".utf8))
    #expect(try !verify(sample.disk).hasDamage)
    let store = try recover(sample.disk)
    #expect(store.log.logEndOffset == sample.end)
    #expect(try store.tryAppend(SampleBatches.small[0]).get().baseOffset == sample.end)
  }

  /// Nor does one in a broker's checkpoint of the log's start hide any.
  @Test func aStartCheckpointBehindTheEndOfAClosedLogHidesNoRecord() throws {
    let sample = try RecoverySample()
    try sample.disk.remove("\(CrashStore.path)/log-start-offset-checkpoint")
    try sample.disk.install(
      "\(CrashStore.path)/log-start-offset-checkpoint",
      [UInt8]("0\n1\nt 0 \(sample.end + 40)\n".utf8))
    let before = try verify(sample.disk)
    #expect(!before.hasDamage && before.notes.contains { $0.text.contains("was closed with its") })
    let store = try recover(sample.disk)
    #expect(store.log.logStartOffset == 0 && store.log.logEndOffset == sample.end)
    #expect(try LogModel.content(of: store.log).map(\.bytes) == sample.content.map(\.bytes))
    try store.manager.closeBlocking()
    #expect(try verify(sample.disk).notes.isEmpty)
  }

  /// The only `.log` is gone and its index tells of records: said, or a consumer waits for ever.
  @Test func lostOffsetsOfABrokersLogAreCorrupt() throws {
    let index: [UInt8] = [0, 0, 0, 40, 0, 0, 10, 0, 0, 0, 0, 80, 0, 0, 20, 0]
    let disk = try foreign([SegmentName(0, .index).fileName: index], isClean: true)
    let store = try recover(disk)
    let log = store.log
    #expect(log.logEndOffset == 81)
    #expect(throws: LogError.self) {
      try LogReader(log).read(from: log.logStartOffset, maxBytes: 1)
    }
    try store.manager.closeBlocking()
    #expect(try verify(disk).damage.map(\.offsets) == [0..<81])
  }

  @Test func aCleanerCheckpointThatDoesNotReadIsMadeAnew() throws {
    let sample = try RecoverySample()
    let path = "\(CrashStore.path)/cleaner-offset-checkpoint"
    try sample.disk.install(path, [UInt8]("0\n1\nt 0 -5\n".utf8))
    let before = try verify(sample.disk)
    #expect(!before.hasDamage && before.sideFileDamage.map(\.file) == [path])
    let store = try recover(sample.disk)
    #expect(store.manager.report.mendedFiles == [path])
    try store.manager.closeBlocking()
    #expect(try verify(sample.disk).sideFileDamage.isEmpty)
  }

  @Test(arguments: [nil, "1\n1\n0 0\n"]) func leaderEpochsOfAnOwnLogAreMadeAnew(
    _ content: String?
  ) throws {
    let sample = try RecoverySample()
    let path = "\(Self.log)/\(LeaderEpochCheckpoint.name)"
    let right = try #require(sample.disk.contents(of: path))
    try sample.disk.remove(path)
    if let content { try sample.disk.install(path, [UInt8](content.utf8)) }
    #expect(try !verify(sample.disk).hasDamage)
    let store = try recover(sample.disk)
    #expect(store.log.recovery.rebuiltIndexes == [path])
    try store.manager.closeBlocking()
    #expect(sample.disk.contents(of: path) == right)
  }

  @Test func aZeroedTimeIndexIsMendedAtOnce() throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    let path = sample.path(sample.bases.last!, .timeindex)
    let count = try #require(disk.contents(of: path)).count
    try disk.install(path, [UInt8](repeating: 0, count: count))
    let store = try recover(disk)
    try store.manager.closeBlocking()
    let after = try verify(disk)
    #expect(!after.hasDamage && after.sideFileDamage.isEmpty, "\(after.sideFileDamage)")
  }

  /// Kafka removes such files when it loads a log; the last copy of records stays.
  @Test func deletedFilesGoUnlessTheyAreTheOnlyCopy() throws {
    let sample = try RecoverySample()
    let bytes = try #require(sample.disk.contents(of: sample.path(0)))
    let covered = "\(sample.path(0)).deleted"
    try sample.disk.install(covered, bytes)
    let beyond = BatchSource.placedBytes(at: sample.end + 100)
    let only = "\(sample.path(sample.end + 100)).deleted"
    try sample.disk.install(only, beyond)
    let store = try recover(sample.disk)
    #expect(store.log.recovery.removedFiles.map(\.path) == [covered])
    #expect(sample.disk.contents(of: covered) == nil && sample.disk.contents(of: only) == beyond)
    #expect(store.log.recovery.notes.contains { $0.contains("the only copy") })
    #expect(store.log.recovery.damage.isEmpty)
  }

  @Test func whatIsNoStoreIsNotVerifiedAsOne() throws {
    let disk = SimulatedDisk(seed: 72)
    try disk.install("/etc/dbus-1/system.conf", [1])
    try disk.install("/etc/hosts", [2])
    let report = try LogVerifier(disk).verify(["/etc"])
    #expect(report.logs.isEmpty && !report.isStore)
  }

  @Test func aFileThatMayNotBeOpenedIsNoDamage() throws {
    let sample = try RecoverySample()
    sample.disk.plan(FaultPlan(.error(13), at: 1, operations: [.open], pathSuffix: sample.path(0)))
    let report = try verify(sample.disk)
    #expect(sample.disk.faultFired)
    #expect(report.unreadable.map(\.code) == [13] && !report.hasDamage, "\(report.damage)")
  }
}

extension BatchSource {
  /// One small batch at an offset.
  static func placedBytes(at offset: Int64) -> [UInt8] {
    SampleBatches.placed(SampleBatches.small[1], at: offset)
  }
}
