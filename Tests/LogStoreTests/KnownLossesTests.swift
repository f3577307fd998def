import DiskIO
import Glibc
import MkstoreBytes
import StoreTesting
import Testing

@testable import LogStore

/// `mkstore.lost` keeps what openings found lost; a wrong one is reported by every command alike
/// and replaced by the next opening.
@Suite struct KnownLossesTests {
  private static let path = "\(CrashStore.directory)/\(KnownLosses.fileName)"

  /// A content of the file that is not to be believed.
  struct Wrong: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
  }

  /// As an opening writes it for offsets that a log lost.
  private static let right = KnownLosses.encode(
    .init(losses: [
      DamagedRange(file: "x.log", bytes: 7..<7, offsets: 3..<5, reason: "gone")
    ]))

  /// Lines under a right CRC.
  private static func checked(_ lines: String) -> [UInt8] {
    let crc = String(CRC32C.checksum(Array(lines.utf8).span), radix: 16)
    return Array("\(lines)crc32c \(crc)\n".utf8)
  }

  static let wrong = [
    Wrong(testDescription: "empty", bytes: []),
    Wrong(testDescription: "text", bytes: Array("lost".utf8)),
    Wrong(testDescription: "no CRC", bytes: Array("3 5 7 x.log gone\n".utf8)),
    Wrong(testDescription: "cut", bytes: right.dropLast(2)),
    Wrong(testDescription: "one bit", bytes: [right[0] ^ 1] + right.dropFirst()),
    Wrong(testDescription: "too few fields", bytes: checked("3 5 7 x.log\n")),
    Wrong(testDescription: "no number", bytes: checked("3 five 7 x.log gone\n")),
    Wrong(testDescription: "end before start", bytes: checked("5 3 7 x.log gone\n")),
    Wrong(testDescription: "position below 0", bytes: checked("3 5 -7 x.log gone\n")),
    Wrong(
      testDescription: "too large", bytes: [UInt8](repeating: 0, count: SmallFile.bytesMax + 1)),
  ]

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  private func open(_ disk: SimulatedDisk, _ depth: SurveyOptions.Depth) throws -> CrashStore {
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = depth
    return try CrashStore(disk, config, creates: false)
  }

  @Test(arguments: wrong, [SurveyOptions.Depth.ends, .deep])
  func aWrongFileIsReportedAndReplaced(_ wrong: Wrong, _ depth: SurveyOptions.Depth) throws {
    let sample = try RecoverySample()
    try sample.disk.install(Self.path, wrong.bytes)
    let before = try verify(sample.disk)
    #expect(before.sideFileDamage.map(\.file) == [Self.path] && !before.hasDamage)
    #expect(before.plans.first?.report.rebuiltIndexes == [Self.path])
    let store = try open(sample.disk, depth)
    #expect(store.log.recovery.rebuiltIndexes == [Self.path])
    #expect(try LogModel.content(of: store.log) == sample.content)
    try store.manager.closeBlocking()
    let after = try verify(sample.disk)
    #expect(after.sideFileDamage.isEmpty && after.damage.isEmpty, "\(after)")
    #expect(sample.disk.contents(of: Self.path) == Self.checked(""))
  }

  @Test func aDirectoryOfTheNameIsLeftToAPerson() throws {
    let sample = try RecoverySample()
    try sample.disk.installDirectory(Self.path)
    let before = try verify(sample.disk)
    #expect(before.sideFileDamage.map(\.remedy) == [SideFileRemedy.noFile] && before.hasDamage)
    let store = try open(sample.disk, .deep)
    #expect(store.log.recovery.sideFileDamage == before.sideFileDamage)
    try store.manager.closeBlocking()
    #expect(try verify(sample.disk).sideFileDamage == before.sideFileDamage)
  }

  /// Without it a loss would be forgotten: the log is not looked at.
  @Test func aFileThatCannotBeReadIsAnAccessFailure() throws {
    let sample = try RecoverySample()
    try sample.disk.install(Self.path, Self.right)
    try sample.disk.makeUnreadable(Self.path, 0..<1)
    let report = try verify(sample.disk)
    #expect(report.unreadable.map(\.path) == [Self.path] && !report.hasDamage)
    let error = #expect(throws: LogError.self) { try open(sample.disk, .deep) }
    guard case .disk(let cause) = error?.kind else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(cause.path == Self.path && cause.code == EIO)
  }

  /// A log opens on a full disk too, and tells what it lost.
  @Test(arguments: [DiskError.Operation.create, .write])
  func onAFullDiskTheLogOpensAndTheLossIsTold(_ operation: DiskError.Operation) throws {
    let sample = try RecoverySample()
    for kind in [SegmentName.Kind.log, .index, .timeindex] {
      try sample.disk.remove(sample.path(0, kind))
    }
    let before = try verify(sample.disk)
    #expect(before.damage.first?.offsets == 0..<sample.bases[1])
    sample.disk.plan(
      FaultPlan(
        .error(ENOSPC), at: 1, operations: [operation], pathSuffix: KnownLosses.fileName + ".tmp"))
    let store = try open(sample.disk, .deep)
    #expect(sample.disk.faultFired)
    #expect(store.log.recovery.damage == before.damage)
    let told = store.log.recovery.notes.filter { $0.contains("could not be written") }
    #expect(told.count == 1, "\(store.log.recovery.notes)")
    #expect(sample.disk.contents(of: Self.path) == nil)
    try store.manager.closeBlocking()
    #expect(try verify(sample.disk).damage == before.damage)
  }
}
