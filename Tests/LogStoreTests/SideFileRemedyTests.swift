import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// `verify`, the dry run and the run report a wrong file that opening does not rebuild once, in the
/// same words, with what an operator has to do about it.
@Suite struct SideFileRemedyTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var remedy: String
    var isOfStore = false
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "partition.metadata", bytes: [9], remedy: "another partition of the topic"),
    Case(name: "leader-epoch-checkpoint", bytes: [9], remedy: "new batches then have epoch 0"),
    Case(name: TopicConfigFile.name, bytes: Array("#\n".utf8), remedy: "put the settings right"),
    Case(
      name: "00000000000000000000.txnindex", bytes: [1, 2, 3],
      remedy: "do not remove it"),
    Case(name: MetaProperties.name, bytes: [9], remedy: "from a copy", isOfStore: true),
  ]

  @Test(arguments: cases) func aFindingNamesItsRemedy(_ wrong: Case) throws {
    let log = try SmallLog("seg-0")
    let disk = try log.disk(isClean: true)
    let path = "\(wrong.isOfStore ? "/store" : log.path)/\(wrong.name)"
    try disk.install(path, wrong.bytes)
    let before = try verify(disk, "/store")
    let found = before.sideFileDamage.filter { $0.file == path }
    #expect(found.count == 1 && before.hasDamage, "\(before.sideFileDamage)")
    let finding = try #require(found.first)
    #expect(finding.remedy?.contains(wrong.remedy) == true, "\(finding)")
    #expect("\(finding)".hasSuffix("(\(finding.remedy ?? ""))"))
    #expect(!before.notes.contains { $0.file == path }, "told twice: \(before.notes)")

    var config = CrashStore.config()
    config.surveyDepth = .deep
    let manager = try Store.openBlocking("/store", config: config, disk: disk, logger: .silent)
    let report = manager.report
    let told = report.sideFileDamage + report.logs.flatMap(\.recovery.sideFileDamage)
    #expect(told.filter { $0.file == path } == [finding])
    try manager.closeBlocking()
    #expect(try verify(disk, "/store").sideFileDamage.filter { $0.file == path } == [finding])
  }

  /// Every reason in the sources goes with a remedy: the type has no place for one without.
  @Test func aFindingWithoutARemedyIsMendedByOpening() {
    let lasting = SideFileDamage(file: "f", reason: "r", remedy: "do it")
    #expect(!lasting.isMendedByOpen && "\(lasting)" == "f: r (do it)")
    let mended = SideFileDamage(file: "f", reason: "r", remedy: nil)
    #expect(mended.isMendedByOpen && "\(mended)" == "f: r (mkstore recover repairs it)")
  }

  /// An empty folder in the place of the epochs makes way for them; one that cannot be looked into
  /// is left alone.
  @Test func aFolderOfEpochsThatCannotBeListedIsNotMended() throws {
    let sample = try RecoverySample()
    let path = "\(CrashStore.directory)/\(LeaderEpochCheckpoint.name)"
    try sample.disk.remove(path)
    try sample.disk.installDirectory(path)
    func rebuilt() throws -> [String]? {
      try verify(sample.disk, CrashStore.path).plans.first?.report.rebuiltIndexes
    }
    #expect(try rebuilt() == [path])
    sample.disk.plan(
      FaultPlan(
        .error(EIO), at: 1, isForEver: true, operations: [.list],
        pathSuffix: LeaderEpochCheckpoint.name))
    #expect(try rebuilt() == [] && sample.disk.faultFired)
  }

  /// The epochs of a log of ours are rebuilt: reported as that, and not again as a note.
  @Test func epochsOfAnOwnLogAreToldOnce() throws {
    let sample = try RecoverySample()
    let disk = sample.disk.kill()
    let path = "\(CrashStore.directory)/\(LeaderEpochCheckpoint.name)"
    try disk.install(path, [9])
    let before = try verify(disk, CrashStore.path)
    #expect(before.sideFileDamage.map(\.file) == [path] && !before.hasDamage)
    #expect(!before.notes.contains { $0.file == path })
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    let store = try CrashStore(disk, config, creates: false)
    #expect(store.log.recovery.rebuiltIndexes == [path])
    #expect(!store.log.recovery.notes.contains { $0.contains(LeaderEpochCheckpoint.name) })
    try store.manager.closeBlocking()
    #expect(try verify(disk, CrashStore.path).sideFileDamage.isEmpty)
  }

  /// An opening writes the history anyway when it has something to tell, so a wrong CRC in it is
  /// mended by every opening that looks at all files: the lines stay, and one says what was wrong.
  @Test(arguments: [true, false]) func aWrongHistoryIsMendedWithItsLines(
    _ isEventful: Bool
  ) throws {
    let sample = try RecoverySample()
    let disk = sample.disk.kill()
    let path = "\(CrashStore.directory)/\(RecoveryHistory.fileName)"
    var bytes = CheckedText.encode(Array("17 cut\n18 rebuilt\n".utf8))
    bytes[bytes.count - 3] ^= 1
    try disk.install(path, bytes)
    if isEventful { try disk.install(sample.path(sample.bases[0], .index), [7]) }
    let before = try verify(disk, CrashStore.path)
    #expect(before.sideFileDamage.contains { $0.file == path && $0.remedy == nil })
    #expect(!before.hasDamage, "\(before.sideFileDamage)")
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    let store = try CrashStore(disk, config, creates: false)
    #expect(store.log.recovery.rebuiltIndexes.contains(path))
    #expect(
      store.log.recovery.rebuiltIndexes.count == (isEventful ? 2 : 1),
      "\(store.log.recovery.rebuiltIndexes)")
    let history = try RecoveryHistory.read(store.log.environment.directory)
    #expect(history.isSound && history.lines.prefix(2) == ["17 cut", "18 rebuimt"])
    #expect(history.lines.contains { $0.hasSuffix(RecoveryHistory.wrongChecksum) })
    try store.manager.closeBlocking()
    #expect(try verify(disk, CrashStore.path).sideFileDamage.isEmpty)
  }

  /// One that is too large to be read is left as it is.
  @Test func aHistoryThatIsTooLargeStays() throws {
    let sample = try RecoverySample()
    let disk = sample.disk.kill()
    let path = "\(CrashStore.directory)/\(RecoveryHistory.fileName)"
    try disk.install(path, [UInt8](repeating: 32, count: SmallFile.bytesMax + 1))
    let before = try verify(disk, CrashStore.path)
    #expect(before.sideFileDamage.map(\.remedy) == [SideFileRemedy.history] && before.hasDamage)
  }

  private func verify(_ disk: SimulatedDisk, _ path: String) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([path])
  }
}
