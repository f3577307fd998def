import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// A sealed segment that lost its last batches, cut just between two: in a log that this engine
/// wrote from its first record on that is damage, elsewhere it may be what compaction left.
@Suite struct MissingEndTests {
  private struct Cut {
    var disk: SimulatedDisk
    var lost: Range<Int64>
    var path: String
    var end: Int64
  }

  /// A log of several segments whose second one ends a batch early.
  private func cut(clean: Bool, mark: Bool = true) throws -> Cut {
    let disk = SimulatedDisk(seed: 41)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 700))
    var model = LogModel()
    for batch in SampleBatches.small[..<32] { try store.append(batch, &model) }
    let segments = store.log.store.state.segments
    try #require(segments.count > 3)
    let next = segments[2].baseOffset
    let end = store.log.logEndOffset
    let content = try LogModel.content(of: store.log)
    let last = try #require(content.last { $0.nextOffset <= next })
    if clean { try store.manager.closeBlocking() }
    let after = clean ? disk : disk.kill()
    let path = segments[1].path(.log)
    let bytes = try #require(after.contents(of: path))
    try after.install(path, Array(bytes.dropLast(last.bytes.count)))
    if !mark { try after.remove("\(CrashStore.directory)/\(DurableMark.fileName)") }
    return Cut(disk: after, lost: last.baseOffset..<next, path: path, end: end)
  }

  @Test(arguments: [true, false])
  func verifyNamesTheLostOffsets(_ clean: Bool) throws {
    let cut = try cut(clean: clean)
    let report = try LogVerifier(cut.disk).verify([CrashStore.directory])
    #expect(report.damage.map(\.offsets) == [cut.lost])
    #expect(report.damage.map(\.file) == [cut.path])
    #expect(report.logs.map(\.missingOffsetCount) == [0])
  }

  /// P13.
  @Test(arguments: [true, false])
  func aReadSaysOnceWhatIsLost(_ clean: Bool) throws {
    let cut = try cut(clean: clean)
    let store = try CrashStore(cut.disk, CrashStore.config(segmentBytes: 700), creates: false)
    let served = ServedOffsets(store.log)
    #expect(served.damaged == [cut.lost])
    #expect(served.nextOffset == cut.end)
    let follower = try Log.openReadOnlyBlocking(
      CrashStore.directory, disk: cut.disk, logger: .silent)
    #expect(ServedOffsets(follower).damaged == [cut.lost])
  }

  /// Without a mark nobody says who wrote the log, and only the indexes that more stood there.
  @Test func elsewhereItIsAGap() throws {
    let cut = try cut(clean: true, mark: false)
    let told = try LogVerifier(cut.disk).verify([CrashStore.directory])
    #expect(told.damage.map(\.offsets) == [cut.lost])
    #expect(told.logs.map(\.missingOffsetCount) == [0])
    for path in cut.disk.paths where path.hasSuffix("index") { try cut.disk.remove(path) }
    let report = try LogVerifier(cut.disk).verify([CrashStore.directory])
    #expect(report.damage.isEmpty)
    #expect(report.logs.map(\.missingOffsetCount) == [Int64(cut.lost.count)])
    let store = try CrashStore(cut.disk, CrashStore.config(segmentBytes: 700), creates: false)
    #expect(ServedOffsets(store.log).damaged.isEmpty)
  }

  /// Not the end of a file is missing but the only file there was.
  @Test(arguments: [true, false]) func aLogWithoutItsSegmentSaysWhatIsLost(_ clean: Bool) throws {
    let disk = SimulatedDisk(seed: 41)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 100_000))
    var model = LogModel()
    for batch in SampleBatches.small[..<8] { try store.append(batch, &model) }
    let end = store.log.logEndOffset
    try #require(store.log.store.state.segments.count == 1)
    let path = store.log.store.state.segments[0].path(.log)
    if clean { try store.manager.closeBlocking() }
    let after = clean ? disk : disk.kill()
    try after.remove(path)
    let report = try LogVerifier(after).verify([CrashStore.directory])
    #expect(report.hasDamage)
    let again = try CrashStore(after, CrashStore.config(segmentBytes: 100_000), creates: false)
    #expect(again.log.recovery.damage.map(\.offsets) == [0..<end])
    // What consumers may have seen is not given out again.
    #expect(again.log.logEndOffset == end)
    var batch = SampleBatches.small[8]
    #expect(try again.log.appendBlocking(batch: &batch).baseOffset == end)
    #expect(ServedOffsets(again.log).nextOffset == again.log.logEndOffset)
  }

  /// The first session was killed when it had made its first segment and not yet its mark.
  @Test func aLogWithoutARecordIsStillOursFromTheFirstOn() throws {
    let disk = SimulatedDisk(seed: 44)
    _ = try CrashStore(disk, CrashStore.config())
    let killed = disk.kill()
    try killed.install("\(CrashStore.directory)/\(SegmentName(0, .log).fileName)", [])
    let store = try CrashStore(killed, CrashStore.config(), creates: false)
    #expect(store.log.store.state.rules == OwnLogRules(isGapless: true, leaderEpoch: 0))
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    let again = try CrashStore(killed.kill(), CrashStore.config(), creates: false)
    #expect(again.log.store.state.rules == OwnLogRules(isGapless: true, leaderEpoch: 0))
  }

  /// A log that somebody else began, or has gone on with, is none of ours alone.
  @Test func whatOthersWroteIsNotCalledGapless() throws {
    let disk = SimulatedDisk(seed: 42)
    let log = CrashStore.directory
    let bytes = try BatchSource.batches(from: 0, count: 3, valueBytes: 20)
    try disk.install("\(log)/\(SegmentName(0, .log).fileName)", bytes)
    let begun = try CrashStore(disk, CrashStore.config())
    #expect(!begun.log.store.state.rules.isGapless)
    var model = LogModel()
    try begun.append(SampleBatches.small[0], &model)
    try begun.manager.closeBlocking()
    #expect(try !CrashStore(disk, CrashStore.config()).log.store.state.rules.isGapless)

    let ours = SimulatedDisk(seed: 43)
    let store = try CrashStore(ours, CrashStore.config())
    #expect(store.log.store.state.rules.isGapless)
    try store.append(SampleBatches.small[0], &model)
    let end = store.log.logEndOffset
    try store.manager.closeBlocking()
    let path = "\(log)/\(SegmentName(0, .log).fileName)"
    let more = try BatchSource.batches(from: end + 5, count: 2, valueBytes: 20)
    try ours.install(path, try #require(ours.contents(of: path)) + more)
    #expect(try !CrashStore(ours, CrashStore.config()).log.store.state.rules.isGapless)
  }
}

/// What a reader is told from a log's start to its end.
private struct ServedOffsets {
  var damaged: [Range<Int64>] = []
  var nextOffset: Int64

  init(_ log: Log) {
    let reader = LogReader(log)
    nextOffset = log.logStartOffset
    while nextOffset < log.logEndOffset {
      do throws(LogError) {
        guard let found = try reader.read(from: nextOffset, maxBytes: 1 << 20, limit: .logEnd)
        else { return }
        nextOffset = found.nextOffset
      } catch {
        guard case .corrupt(let range) = error.kind, let offsets = range.offsets else { return }
        damaged.append(offsets)
        nextOffset = offsets.upperBound
      }
    }
  }
}
