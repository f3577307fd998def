import DiskIO
import Glibc
import Logging
import StoreTesting
import Testing

@testable import LogStore

/// What is kept in `.bad/` stays within its bound, the oldest goes first, each with a log line, and
/// never what an opening has just kept.
@Suite struct KeptFilesTests {
  /// A log whose end is torn and opened again and again, each time with other bytes.
  private final class TornLog {
    private(set) var disk = SimulatedDisk(seed: 31)
    let heard = CapturedLog()
    var config = CrashStore.config(segmentBytes: 1 << 20)
    private var round = 0

    init() throws {
      let store = try CrashStore(disk, config)
      var model = LogModel()
      try store.append(SampleBatches.small[0], &model)
    }

    /// Leaves `count` bytes of an unfinished write behind the end, as a killed process does.
    func tear(_ count: Int) throws {
      disk = disk.kill()
      let path = "\(CrashStore.directory)/\(SegmentName(0, .log).fileName)"
      let torn = SampleBatches.placed(SampleBatches.small[50], at: 1 << 20).prefix(count)
      try #require(torn.count == count)
      try disk.install(path, try #require(disk.contents(of: path)) + torn)
    }

    /// Opens the log, which cuts, and appends a batch, so that the next cut is at another place.
    @discardableResult
    func open() throws -> RecoveryReport {
      let manager = try Store.openBlocking(
        CrashStore.path, config: config, disk: disk, logger: heard.logger)
      let log = try #require(manager.logs.first)
      round += 1
      var batch = SampleBatches.small[round]
      try log.appendBlocking(batch: &batch)
      return log.recovery
    }

    @discardableResult
    func tearAndOpen(_ count: Int) throws -> RecoveryReport {
      try tear(count)
      return try open()
    }

    var kept: KeptFiles {
      get throws { try KeptFiles(of: LogDirectory(disk: disk, path: CrashStore.directory)) }
    }

    var sizes: [Int] { get throws { try kept.files.map(\.bytes) } }
    var removals: [String] { heard.lines.filter { $0.contains("a kept file was removed") } }
  }

  @Test func withoutABoundEverythingStays() throws {
    let log = try TornLog()
    for size in 70..<78 { try log.tearAndOpen(size) }
    #expect(try log.sizes == Array(70..<78) && log.removals.isEmpty)
  }

  @Test func theOldestGoFirst() throws {
    let log = try TornLog()
    log.config.log.keptBytesMax = 200
    for (size, left) in [(70, [70]), (71, [70, 71]), (72, [71, 72]), (73, [72, 73])] {
      try log.tearAndOpen(size)
      #expect(try log.sizes == left)
    }
    // One that is large takes the place of all.
    log.config.log.keptBytesMax = 115
    try log.tearAndOpen(110)
    #expect(try log.sizes == [110])
    #expect(log.removals.count == 4)
  }

  @Test(arguments: [(140, [71]), (141, [70, 71]), (142, [70, 71])])
  func theBoundIsExact(_ bound: Int, _ left: [Int]) throws {
    let log = try TornLog()
    log.config.log.keptBytesMax = bound
    try log.tearAndOpen(70)
    try log.tearAndOpen(71)
    #expect(try log.sizes == left)
  }

  @Test func eachRemovalHasALineWithPathBytesAndAge() throws {
    let log = try TornLog()
    let kept = try #require(try log.tearAndOpen(70).cuts.first?.keptAs)
    log.config.log.keptBytesMax = 71
    // The disk's clock, which counts calls in milliseconds, has not come far.
    log.config.nowMs = { CrashStore.nowMs + 7_210_000 }
    let report = try log.tearAndOpen(71)
    #expect(report.droppedKeptFiles.map(\.path) == [kept] && report.isEventful)
    let line = try #require(log.removals.first)
    #expect(line.hasPrefix("notice ") && line.contains(" bytes=70 log=t-0 path=\(kept)"), "\(line)")
    let age = try #require(line.split(separator: "=").dropFirst().first?.prefix { $0 != " " })
    #expect(try (7_100...7_210).contains(#require(Int(age))), "\(line)")
    #expect(log.removals.count == 1)
    let history = try RecoveryHistory.read(
      LogDirectory(disk: log.disk, path: CrashStore.directory))
    #expect(history.lines.contains { $0.contains("removed \(kept), 70 bytes") }, "\(history)")
  }

  /// What cannot be bounded keeps no log from opening.
  @Test func aFolderThatCannotBeListedIsTold() throws {
    let log = try TornLog()
    log.config.log.keptBytesMax = 71
    try log.tearAndOpen(70)
    try log.tear(71)
    log.disk.plan(FaultPlan(.error(EIO), at: 1, operations: [.list], pathSuffix: "/.bad"))
    let report = try log.open()
    #expect(log.disk.faultFired && report.droppedKeptFiles.isEmpty)
    let told = "whether more is kept than the bound allows is not known"
    #expect(report.notes.contains { $0.hasSuffix(told) }, "\(report.notes)")
    #expect(try log.sizes == [70, 71])
  }

  @Test func whatAnOpeningKeptItselfStaysUntilTheNext() throws {
    let log = try TornLog()
    log.config.log.keptBytesMax = 0
    let kept = try log.tearAndOpen(90).cuts.first?.keptAs
    #expect(kept != nil && log.removals.isEmpty)
    #expect(try log.sizes == [90])
    try log.tear(0)
    #expect(try log.open().droppedKeptFiles.map(\.bytes) == [90])
    #expect(try log.sizes.isEmpty)
  }

  /// A segment that is moved keeps the time of its last write; what counts is when it was kept.
  @Test func ageCountsFromTheTimeOfKeeping() throws {
    let disk = SimulatedDisk(seed: 32)
    let directory = LogDirectory(disk: disk, path: "/t-0")
    try disk.makeDirectory("/t-0")
    let segment = try disk.open(directory.path(SegmentName(5, .log).fileName), .create)
    try segment.write([1, 2, 3].span, at: 0)
    _ = try KeptBytes.keep(
      0..<2, of: ReadAroundFile.around(segment), named: "one", in: directory)
    let moved = try KeptBytes.move(5, in: directory)
    let files = try KeptFiles(of: directory).files
    #expect(files.map(\.bytes) == [2, 3] && files.last?.path == moved)
  }

  // MARK: Faults

  @Test func aFullDiskTakesNothingAwayFromTheBound() throws {
    let log = try TornLog()
    for size in 70..<74 { try log.tearAndOpen(size) }
    try log.tear(80)
    log.config.log.keptBytesMax = 150
    let disk = log.disk
    disk.capacityBytes = (1 << 30) - Int(try disk.space("/").availableBytes)
    let manager = try Store.openBlocking(
      CrashStore.path, config: log.config, disk: disk, logger: log.heard.logger)
    #expect(manager.report.failed.isEmpty && manager.logs.count == 1)
    let report = try #require(manager.logs.first?.recovery)
    #expect(report.cuts.map(\.bytes) == [80], "the log is cut and opens")
    #expect(report.droppedKeptFiles.map(\.bytes).prefix(2) == [70, 71])
    #expect(try log.kept.byteCount <= 150)
  }

  @Test func aFileThatCannotBeRemovedIsToldAndKeepsNothingElse() throws {
    let log = try TornLog()
    for size in 70..<74 { try log.tearAndOpen(size) }
    let first = try #require(try log.kept.files.first?.path)
    log.config.log.keptBytesMax = 80
    try log.tear(0)
    log.disk.plan(
      FaultPlan(.error(EPERM), at: 1, isForEver: true, operations: [.remove], pathSuffix: first))
    let report = try log.open()
    #expect(log.disk.faultsFired > 0)
    #expect(report.droppedKeptFiles.map(\.bytes) == [71, 72])
    #expect(report.notes.contains { $0.contains(first) }, "\(report.notes)")
    #expect(try log.sizes == [70, 73])
  }

  /// The power fails at every operation of an opening that keeps bytes and drops older ones: what
  /// was just cut is there afterwards, and the bound holds after the next opening.
  @Test func aPowerCutLosesNothingThatWasJustKept() throws {
    let torn = try TornLog()
    for size in 70..<73 { try torn.tearAndOpen(size) }
    try torn.tear(90)
    torn.config.log.keptBytesMax = 170
    let config = torn.config
    let loop = PowerCutLoop(
      exhaustiveMax: 5, samples: 8, damaged: 2, seed: Seed.fromEnvironment(else: 3))
    var dropped = 0
    let tried = try loop.run(on: { torn.disk.kill() }) { disk -> Bool in
      do {
        _ = try CrashStore(disk, config, creates: false)
        return true
      } catch {
        #expect(disk.isCut, "\(error)")
        return false
      }
    } check: { disk, _, point in
      let store = try CrashStore(disk, config, creates: false)
      let kept = try KeptFiles(of: store.log.environment.directory)
      #expect(kept.files.contains { $0.bytes == 90 }, "\(point)")
      #expect(kept.byteCount <= 170 && !kept.files.contains { $0.bytes == 70 }, "\(point)")
      dropped += store.log.recovery.droppedKeptFiles.count
    }
    #expect(tried.cuts > 10 && dropped > 0, "\(tried)")
  }
}
