import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// Kafka's checkpoint of log starts has no CRC: no bit in the one that this engine wrote moves a
/// log's start, and a broker's replacement of it is believed where it deletes more. Expected starts
/// are those that the test raised.
@Suite struct LogStartCheckpointTests {
  private static let kafkas = "\(CrashStore.path)/\(OffsetCheckpoint.Name.logStart.rawValue)"
  private static let start: Int64 = 10

  /// A store with a log `t` that begins in the middle of a segment, and a log `u`, whose name is
  /// one bit from it, that begins at 0.
  private static func store(isClosed: Bool = true) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 41)
    let store = try LogStartTests.filled(disk)
    let other = try store.manager.createLogBlocking(TopicPartition(topic: "u", partition: 0))
    for batch in SampleBatches.small[..<12] {
      var batch = batch
      try other.appendBlocking(batch: &batch)
    }
    try store.log.store.raiseStart(to: start)
    try store.manager.writeCheckpoints()
    if isClosed { try store.manager.closeBlocking() }
    return disk.kill()
  }

  private static func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  private static func open(
    _ disk: SimulatedDisk, _ depth: SurveyOptions.Depth = .deep
  ) throws -> Store {
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = depth
    return try Store.openBlocking(CrashStore.path, config: config, disk: disk, logger: .silent)
  }

  private static func starts(_ logs: [Log]) -> [Int64] { logs.map(\.logStartOffset) }

  private static func view(_ disk: SimulatedDisk) throws -> [Int64] {
    try starts(
      ["t-0", "u-0"].map {
        try Log.openReadOnlyBlocking("\(CrashStore.path)/\($0)", disk: disk, logger: .silent)
      })
  }

  /// Every command sees the same starts, tells the file as one that an opening mends, and once an
  /// opening has, nothing is told any more.
  private func check(
    _ disk: SimulatedDisk, told path: String, _ depth: SurveyOptions.Depth, _ place: Comment
  ) throws {
    let expected = [Self.start, 0]
    let before = try Self.verify(disk)
    #expect(!before.hasDamage && before.unreadable.isEmpty, place)
    #expect(before.sideFileDamage.map(\.file) == [path], place)
    #expect(before.sideFileDamage.allSatisfy { $0.isMendedByOpen }, place)
    #expect(before.plans.map(\.report.logStartOffset) == expected, place)
    #expect(try Self.view(disk) == expected, place)

    let store = try Self.open(disk, depth)
    #expect(Self.starts(store.logs) == expected, place)
    #expect(store.logs.allSatisfy { $0.recovery.damage.isEmpty }, place)
    let killed = disk.kill()
    #expect(try Self.verify(killed).sideFileDamage.isEmpty, place)
    #expect(try Self.view(killed) == expected, place)
    try store.closeBlocking()
    #expect(try Self.verify(disk).sideFileDamage.isEmpty, place)
    let again = try Self.open(disk)
    #expect(Self.starts(again.logs) == expected, place)
  }

  /// One bit of each byte of a file, or all of them.
  private func flip(_ path: String, bits: [Int], _ disk: SimulatedDisk) throws {
    let right = try #require(disk.contents(of: path))
    for bit in 0..<right.count * 8 where bits.contains((bit + bit / 8) % 8) {
      let harmed = disk.kill()
      var bytes = right
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      try harmed.install(path, bytes)
      let depth: SurveyOptions.Depth = bit % 2 == 0 ? .deep : .ends
      try check(harmed, told: path, depth, "\(path), bit \(bit)")
      if !path.hasSuffix(LogStartCheckpoint.name) {
        #expect(harmed.contents(of: path) == right)
      }
    }
  }

  @Test(arguments: [true, false]) func noBitOfKafkasCheckpointMovesAStart(
    _ isClosed: Bool
  ) throws {
    try flip(Self.kafkas, bits: Array(0..<8), Self.store(isClosed: isClosed))
  }

  @Test func noBitOfOurOwnFilesMovesAStart() throws {
    let disk = try Self.store()
    try flip(LogStartTests.path, bits: [2], disk)
    try flip("\(CrashStore.path)/mkstore.checkpoint", bits: [5], disk)
  }

  @Test(arguments: ["", "0\n0\n", "0\n1\nt 0 5\n", "0\n1\nt 0 1000\n", "hello\n"])
  func noOtherContentOfTheFileMovesAStart(_ content: String) throws {
    let disk = try Self.store()
    try disk.install(Self.kafkas, Array(content.utf8))
    try check(disk, told: Self.kafkas, .deep, "\(content)")
  }

  /// A broker writes a new file: what it deleted stays deleted, and it brings nothing back.
  @Test(arguments: [(5, 10), (10, 10), (13, 13)] as [(Int64, Int64)])
  func aBrokersReplacementIsBelievedWhereItIsHigher(line: Int64, expected: Int64) throws {
    let disk = try Self.store()
    try disk.remove(Self.kafkas)
    try disk.install(Self.kafkas, Array("0\n1\nt 0 \(line)\n".utf8))
    let report = try Self.verify(disk)
    #expect(report.sideFileDamage.isEmpty && !report.hasDamage)
    #expect(report.plans.map(\.report.logStartOffset) == [expected, 0])
    #expect(try Self.view(disk) == [expected, 0])
    let store = try Self.open(disk)
    #expect(Self.starts(store.logs) == [expected, 0])
    // From here on it is ours: no bit of Kafka's file moves it.
    let killed = disk.kill()
    try killed.remove(Self.kafkas)
    #expect(try Self.view(killed) == [expected, 0])
  }

  /// A broker's log without a file of ours gets one.
  @Test func whatABrokersCheckpointSaysIsKept() throws {
    let disk = SimulatedDisk(seed: 42)
    let bytes = try BatchSource.batches(from: 0, count: 20, valueBytes: 20)
    try disk.install("\(CrashStore.directory)/\(SegmentName(0, .log).fileName)", bytes)
    try disk.install(Self.kafkas, Array("0\n1\nt 0 7\n".utf8))
    try disk.install("\(CrashStore.path)/\(CleanShutdownFile.name)", [])
    #expect(try !Self.verify(disk).hasDamage)
    let store = try Self.open(disk)
    #expect(Self.starts(store.logs) == [7])
    try store.closeBlocking()
    let content = try #require(disk.contents(of: Self.kafkas))
    for bit in 0..<content.count * 8 {
      let harmed = disk.kill()
      var turned = content
      turned[bit / 8] ^= 1 << UInt8(bit % 8)
      try harmed.install(Self.kafkas, turned)
      let opened = try Self.open(harmed)
      #expect(Self.starts(opened.logs) == [7], "bit \(bit)")
    }
  }

  /// Nothing else may tell where such a log begins.
  @Test func theLineOfALogThatCouldNotBeOpenedStays() throws {
    let disk = SimulatedDisk(seed: 43)
    let bytes = try BatchSource.batches(from: 0, count: 20, valueBytes: 20)
    for log in ["t-0", "u-0"] {
      try disk.install("\(CrashStore.path)/\(log)/\(SegmentName(0, .log).fileName)", bytes)
    }
    for name in [OffsetCheckpoint.Name.logStart, .recoveryPoint, .highWatermark] {
      try disk.install(
        "\(CrashStore.path)/\(name.rawValue)", Array("0\n2\nt 0 7\nu 0 7\n".utf8))
    }
    try disk.install("\(CrashStore.path)/\(CleanShutdownFile.name)", [])
    disk.plan(
      FaultPlan(
        .error(EACCES), at: 1, isForEver: true, operations: [.open],
        pathSuffix: "t-0/\(SegmentName(0, .log).fileName)"))
    let first = try Self.open(disk)
    #expect(disk.faultFired && first.report.failed.count == 1)
    #expect(Self.starts(first.logs) == [7])
    try first.writeCheckpoints()
    try first.closeBlocking()
    disk.removeFaults()
    let points = try OffsetCheckpoint.read(disk, directory: CrashStore.path, .recoveryPoint)
    #expect(try points?.offsets[TopicPartition(topic: "t", partition: 0)] == 7)
    let second = try Self.open(disk)
    #expect(second.report.failed.isEmpty && Self.starts(second.logs) == [7, 7])
  }
}
