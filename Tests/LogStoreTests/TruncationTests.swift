import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// A log's last records are removed and put back: at every place, and with the power cut and a call
/// failing at every operation.
@Suite struct TruncationTests {
  /// Segments of two or three batches.
  private static let config = CrashStore.config(segmentBytes: 500)
  private static var name: TopicPartition {
    get throws { try TopicPartition(topic: "t", partition: 0) }
  }

  /// A closed store with a log of twenty batches over several segments.
  private static func filled() throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 1)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    for batch in SampleBatches.small[..<20] { try store.append(batch, &model) }
    try #require(store.log.store.state.segments.count >= 5)
    try store.manager.closeBlocking()
    return disk
  }

  private static func open(_ disk: SimulatedDisk) throws -> CrashStore {
    try CrashStore(disk, config, creates: false)
  }

  /// What `filled` leaves.
  private static let content: [LogModel.Batch] = {
    var offset: Int64 = 0
    return SampleBatches.small[..<20].enumerated().map { index, batch in
      defer { offset += Int64(1 + index % 3) }
      return LogModel.Batch(
        baseOffset: offset, nextOffset: offset + Int64(1 + index % 3),
        bytes: SampleBatches.placed(batch, at: offset))
    }
  }()

  private static var end: Int64 { content.last?.nextOffset ?? 0 }

  private static func before(_ offset: Int64) -> [LogModel.Batch] {
    content.filter { $0.nextOffset <= offset }
  }

  /// Where the cuts are tried: the log's start, within a segment, at a segment's first batch, and
  /// the last batch.
  private static func places() throws -> [Int64] {
    let log = try open(filled()).log
    let bases = log.store.state.segments.map(\.baseOffset)
    let inside = try #require(content.first { $0.baseOffset > bases[2] }?.baseOffset)
    try #require(inside < bases[3])
    return [0, inside, bases[3], content.last?.baseOffset ?? 0]
  }

  private static func logs(_ disk: SimulatedDisk) throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for entry in try disk.list(CrashStore.directory) where entry.name.hasSuffix(".log") {
      files[entry.name] = disk.contents(of: "\(CrashStore.directory)/\(entry.name)")
    }
    return files
  }

  private static func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.threadCount = 1
    options.depth = .deep
    return try LogVerifier(disk, options).verify([CrashStore.directory])
  }

  private static func expectSound(_ disk: SimulatedDisk, _ place: String) throws {
    let report = try verify(disk)
    #expect(!report.hasDamage, "\(report.damage) \(report.sideFileDamage), \(place)")
  }

  // MARK: What it does

  @Test func eachBatchIsAPlaceToCutAtAndTheCutCanBeUndone() throws {
    for batch in Self.content {
      let disk = try Self.filled()
      let files = try Self.logs(disk)
      let store = try Self.open(disk)
      let offset = batch.baseOffset
      let done = try store.manager.truncateLogBlocking(Self.name, from: offset)
      #expect(done.offsets == offset..<Self.end)
      #expect(try LogModel.content(of: done.log) == Self.before(offset))
      #expect(done.log.logEndOffset == offset && done.log.recoveryPoint == offset)
      #expect(done.log.leaderEpoch == 1)
      #expect(done.log.endOffset(forLeaderEpoch: 0)?.endOffset == offset)
      #expect(throws: LogError.self) { try LogModel.content(of: store.log) }
      // Whole segments are kept, byte for byte.
      for path in done.keptFiles {
        let file = PathText.lastComponent(path).split(separator: "@")[0]
        #expect(disk.contents(of: path) == files[String(file)], "\(path)")
      }
      try Self.expectSound(disk, "cut at \(offset)")
      try store.manager.closeBlocking()
      try Self.expectSound(disk, "cut at \(offset) and closed")
      let again = try Self.open(disk)
      #expect(try LogModel.content(of: again.log) == Self.before(offset))
      #expect(again.log.logEndOffset == offset && again.log.leaderEpoch == 1)
      let undone = try again.manager.undoTruncationBlocking(of: Self.name)
      #expect(undone.offsets == offset..<Self.end)
      #expect(try LogModel.content(of: undone.log) == Self.content)
      #expect(undone.log.leaderEpoch == 1)
      #expect(undone.log.endOffset(forLeaderEpoch: 0)?.endOffset == Self.end)
      #expect(try Self.logs(disk) == files)
      try Self.expectSound(disk, "undone at \(offset)")
      try again.manager.closeBlocking()
      try Self.expectSound(disk, "undone at \(offset) and closed")
      #expect(throws: LogError.self) {
        try Self.open(disk).manager.undoTruncationBlocking(of: Self.name)
      }
    }
  }

  @Test func newRecordsTakeTheOffsetsInANewEpoch() throws {
    for offset in try Self.places() {
      let disk = try Self.filled()
      let store = try Self.open(disk)
      let log = try store.manager.truncateLogBlocking(Self.name, from: offset).log
      var bytes = SampleBatches.small[40]
      #expect(try log.appendBlocking(batch: &bytes).baseOffset == offset)
      #expect(try RecordBatch(bytes.span).header.leaderEpoch == 1)
      #expect(throws: LogError.self) { try store.manager.undoTruncationBlocking(of: Self.name) }
      try store.manager.closeBlocking()
      try Self.expectSound(disk, "appended at \(offset)")
      let again = try Self.open(disk)
      #expect(try LogModel.content(of: again.log).map(\.bytes).last == bytes)
      // And once more, over the first one.
      let second = try again.manager.truncateLogBlocking(Self.name, from: offset).log
      #expect(try LogModel.content(of: second) == Self.before(offset))
      #expect(second.leaderEpoch == 2)
      try Self.expectSound(disk, "cut twice at \(offset)")
    }
  }

  @Test func anOffsetThatIsNoPlaceIsRefusedWithTheRange() throws {
    let disk = try Self.filled()
    let store = try Self.open(disk)
    let files = try Self.logs(disk)
    for batch in Self.content where batch.nextOffset > batch.baseOffset + 1 {
      for offset in batch.baseOffset + 1..<batch.nextOffset {
        #expect {
          try store.manager.truncateLogBlocking(Self.name, from: offset)
        } throws: { error in
          guard let error = error as? LogError, error.code == .insideBatch else { return false }
          return error.offsets == batch.baseOffset..<batch.nextOffset
        }
      }
    }
    for offset in [-1, Self.end + 1, Int64.max] {
      #expect {
        try store.manager.truncateLogBlocking(Self.name, from: offset)
      } throws: { error in
        (error as? LogError)?.code == .offsetOutOfRange
      }
    }
    let nothing = try store.manager.truncateLogBlocking(Self.name, from: Self.end)
    #expect(nothing.offsets.isEmpty && nothing.log === store.log)
    #expect(try Self.logs(disk) == files)
    #expect(try LogModel.content(of: store.log) == Self.content)
  }

  // MARK: Crashes

  /// How far a run came.
  private enum Reached: Equatable {
    case nothing, done, appended
  }

  /// The log is as before, or as after; and whoever only reads sees what the next opening finds.
  private static func check(
    _ disk: SimulatedDisk, _ reached: Reached, before: [LogModel.Batch], after: [LogModel.Batch],
    _ place: String
  ) throws {
    let seen = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    let shown = try LogModel.content(of: seen)
    // The dear part at some of the states.
    let isDeep = place.utf8.reduce(0) { $0 + Int($1) } % 4 == 0
    if isDeep { try expectSound(disk, place) }
    let store = try open(disk)
    let content = try LogModel.content(of: store.log)
    // A batch whose sync failed is shown until the next opening looks at what the disk has.
    let isSame = shown == content || reached == .done && shown.dropLast() == content[...]
    #expect(isSame, "a reader sees another log, \(place)")
    #expect(store.log.logEndOffset == content.last?.nextOffset ?? 0, "\(place)")
    #expect(store.log.recovery.damage.isEmpty && store.log.damagedRanges.isEmpty, "\(place)")
    let isBefore = content == before
    let isAfter = content.starts(with: after) && content.count <= after.count + 1
    #expect(reached == .nothing ? isBefore || isAfter : isAfter, "\(reached), \(place)")
    if reached == .appended { #expect(content.count == after.count + 1, "\(place)") }
    guard isDeep else { return }
    try expectSound(disk, "opened again, \(place)")
    let again = try open(disk.kill())
    #expect(try LogModel.content(of: again.log) == content, "a second opening, \(place)")
  }

  private static func run(
    _ disk: SimulatedDisk, _ change: (Store) throws -> TruncatedLog
  ) -> (Reached, (any Error)?) {
    var reached = Reached.nothing
    do {
      let store = try open(disk)
      let log = try change(store.manager).log
      reached = .done
      var bytes = SampleBatches.small[40]
      _ = try log.appendBlocking(batch: &bytes)
      reached = .appended
      return (reached, nil)
    } catch {
      return (reached, error)
    }
  }

  @Test(arguments: [0, 1, 2, 3])
  func aCutIsThereWholeOrNotAtAllWhereverThePowerFails(_ index: Int) throws {
    let offset = try Self.places()[index]
    let seed = Seed.fromEnvironment(else: 1)
    let loop = PowerCutLoop(exhaustiveMax: 4, samples: 4, damaged: 1, seed: seed)
    let tried = try loop.run(on: { try Self.filled() }) { disk -> Reached in
      let (reached, error) = Self.run(disk) { try $0.truncateLogBlocking(Self.name, from: offset) }
      #expect(error == nil || disk.isCut, "failed by itself: \(error.map { "\($0)" } ?? "")")
      return reached
    } check: { disk, reached, point in
      try Self.check(
        disk, reached, before: Self.content, after: Self.before(offset), "\(point), \(seed)")
    }
    #expect(tried.cuts > 20)
  }

  @Test(arguments: [0, 1])
  func whatIsPutBackIsThereWholeOrNotAtAllWhereverThePowerFails(_ index: Int) throws {
    let offset = try Self.places()[index]
    let seed = Seed.fromEnvironment(else: 1)
    let loop = PowerCutLoop(exhaustiveMax: 3, samples: 4, damaged: 1, seed: seed)
    let tried = try loop.run(on: { try Self.truncated(at: offset) }) { disk -> Reached in
      let (reached, error) = Self.run(disk) { try $0.undoTruncationBlocking(of: Self.name) }
      #expect(error == nil || disk.isCut, "failed by itself: \(error.map { "\($0)" } ?? "")")
      return reached
    } check: { disk, reached, point in
      try Self.check(
        disk, reached, before: Self.before(offset), after: Self.content, "\(point), \(seed)")
    }
    #expect(tried.cuts > 15)
  }

  private static func truncated(at offset: Int64) throws -> SimulatedDisk {
    let disk = try filled()
    let store = try open(disk)
    _ = try store.manager.truncateLogBlocking(name, from: offset)
    try store.manager.closeBlocking()
    return disk
  }

  /// A call that fails, once or with all that come after it, and a kill then.
  @Test(arguments: [(false, EIO, 1), (true, EIO, 2), (false, ENOSPC, 3), (true, ENOSPC, 0)])
  func aCallThatFailsLeavesAllOrNothing(
    _ isForEver: Bool, _ code: Int32, _ index: Int
  ) throws {
    let offset = try Self.places()[index]
    for isUndone in [false, true] {
      var occurrence = 1
      while true {
        let disk = isUndone ? try Self.truncated(at: offset) : try Self.filled()
        disk.plan(FaultPlan(.error(code), at: occurrence, isForEver: isForEver))
        let (reached, _) = Self.run(disk) { manager in
          isUndone
            ? try manager.undoTruncationBlocking(of: Self.name)
            : try manager.truncateLogBlocking(Self.name, from: offset)
        }
        guard disk.faultsFired > 0 else {
          #expect(occurrence > 15 && reached == .appended)
          break
        }
        let place = "\(code) at \(occurrence), \(isForEver), \(offset), undone: \(isUndone)"
        let (short, long) = (Self.before(offset), Self.content)
        disk.removeFaults()
        try Self.check(
          disk.kill(), reached, before: isUndone ? short : long, after: isUndone ? long : short,
          place)
        occurrence += 1
      }
    }
  }

  // MARK: A file that does not hold

  /// A disk on which a truncation counts, and nothing of it was carried out yet.
  private static func begun(at offset: Int64) throws -> SimulatedDisk {
    let disk = try filled()
    let store = try open(disk)
    let cut = try SuffixCut(store.log, from: offset)
    let truncation = try Truncation(store.log, cut)
    try truncation.begin(in: store.log.environment.directory)
    return disk.kill()
  }

  @Test func aTruncationThatIsWrongOrOfOtherFilesCountsForNothing() throws {
    let path = "\(CrashStore.directory)/\(Truncation.pendingName)"
    let disk = try Self.begun(at: Self.places()[1])
    let bytes = try #require(disk.contents(of: path))
    var harms: [(String, (SimulatedDisk) throws -> Void)] = (0..<bytes.count).map { index in
      (
        "byte \(index)",
        { disk in
          var turned = bytes
          turned[index] ^= 1 << UInt8(index % 8)
          try disk.install(path, turned)
        }
      )
    }
    // As a broker does that wrote in between.
    harms.append(
      (
        "another size",
        { disk in
          let last = try Self.logs(disk).keys.sorted().last ?? ""
          let file = "\(CrashStore.directory)/\(last)"
          let next = SampleBatches.placed(SampleBatches.small[41], at: Self.end)
          try disk.install(file, (disk.contents(of: file) ?? []) + next)
        }
      ))
    for (name, harm) in harms {
      let harmed = disk.kill()
      try harm(harmed)
      let seen = try Log.openReadOnlyBlocking(CrashStore.directory, disk: harmed, logger: .silent)
      #expect(try LogModel.content(of: seen).starts(with: Self.content), "\(name)")
      #expect(seen.recovery.sideFileDamage.map(\.file) == [path], "\(name)")
      let log = try Self.open(harmed).log
      #expect(try LogModel.content(of: log).starts(with: Self.content), "\(name)")
      #expect(log.recovery.removedFiles.map(\.path).contains(path), "\(name)")
      #expect(harmed.contents(of: path) == nil)
      try Self.expectSound(harmed, name)
    }
    // Without harm it holds.
    let log = try Self.open(disk).log
    #expect(try LogModel.content(of: log) == Self.before(try Self.places()[1]))
    #expect(log.recovery.notes.contains { $0.hasPrefix("completed the removal") })
  }

  // MARK: Readers of the old state

  @Test func whatReadersWereGivenStaysAsItIsAtEveryMoment() throws {
    for offset in try Self.places() {
      let disk = try Self.filled()
      let store = try Self.open(disk)
      let reader = LogReader(store.log)
      let found = try Self.content.map { batch in
        try #require(try reader.read(from: batch.baseOffset, maxBytes: 1))
      }
      let expected = Self.content.map(\.bytes)
      let looks = Locked(0)
      let isLooking = Locked(false)
      disk.beforeEachCall { _ in
        let isFirst = isLooking.withLock { isLooking -> Bool in
          defer { isLooking = true }
          return !isLooking
        }
        guard isFirst else { return }
        defer { isLooking.withLock { $0 = false } }
        looks.withLock { $0 += 1 }
        for (records, bytes) in zip(found, expected) {
          do {
            var copy: [UInt8] = []
            try records.copy(into: &copy)
            #expect(copy == bytes)
            #expect(try Self.sent(records) == bytes)
          } catch {
            Issue.record("\(error)")
          }
        }
      }
      _ = try store.manager.truncateLogBlocking(Self.name, from: offset)
      disk.beforeEachCall(nil)
      #expect(looks.withLock { $0 } > 30)
    }
  }

  /// The bytes as sendfile gives them.
  private static func sent(_ records: FileRecords) throws -> [UInt8] {
    var ends: [Int32] = [0, 0]
    try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    #expect(try records.send(to: ends[0]) == records.byteCount)
    var bytes = [UInt8](repeating: 0, count: records.byteCount)
    let count = unsafe recv(ends[1], &bytes, bytes.count, Int32(MSG_WAITALL))
    #expect(count == bytes.count)
    return bytes
  }
}
