import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// The ways in which a log's segments change, with the power cut at every operation, and with
/// readers that hold the old state meanwhile.
@Suite struct SegmentVerbTests {
  /// Segments of two or three batches.
  private static func config(delayMs: Int64 = 0) -> StoreConfig {
    var config = CrashStore.config(segmentBytes: 500)
    config.log.fileDeleteDelayMs = delayMs
    return config
  }

  /// Puts one segment with the same batches in the place of the second and third.
  private static func merge(_ log: Log) throws {
    let old = Array(log.store.state.segments[1...2])
    var writer = try ReplacementWriter(
      baseOffset: old[0].baseOffset, in: log.environment.directory, intervalBytes: 100)
    for segment in old {
      let view = try log.access.open(segment)
      try writer.append(0..<Int(try view.end().position), of: view.files.log)
    }
    let merged = try log.store.replaceRange(old, with: try writer.finish())
    #expect(merged?.baseOffset == old[0].baseOffset)
  }

  // MARK: Crashes

  @Test(arguments: [Int64(0), 60_000])
  func aReplacementIsThereWholeOrNotAtAllWhereverThePowerFails(_ delayMs: Int64) throws {
    let config = Self.config(delayMs: delayMs)
    var check = CrashCheck(config)
    let seed = Seed.fromEnvironment(else: 1)
    // Each way in which the names of old and new files can be kept or lost.
    let loop = PowerCutLoop(exhaustiveMax: 9, samples: 60, damaged: 2, seed: seed)
    let tried = try loop.run(on: { try Self.filled(config) }) { disk -> LogModel in
      var model = Self.filledModel
      do {
        let store = try CrashStore(disk, config, creates: false)
        try Self.merge(store.log)
        try store.append(SampleBatches.small[40], &model)
        #expect(!disk.isCut)
      } catch {
        #expect(disk.isCut, "failed by itself: \(error)")
      }
      return model
    } check: { disk, model, point in
      check(disk, model, after: .powerCut, "\(point), \(seed)")
    }
    #expect(tried.cuts > 20 && check.states == tried.outcomes)
  }

  @Test(arguments: [Int64(0), 60_000])
  func deletedRecordsNeverComeBackWhereverThePowerFails(_ delayMs: Int64) throws {
    let config = Self.config(delayMs: delayMs)
    let seed = Seed.fromEnvironment(else: 1)
    let loop = PowerCutLoop(exhaustiveMax: 5, samples: 8, damaged: 2, seed: seed)
    let starts: [Int64] = [5, 11]
    let tried = try loop.run(on: { try Self.filled(config) }) { disk -> (LogModel, Int64) in
      var model = Self.filledModel
      var deleted: Int64 = 0
      do {
        let store = try CrashStore(disk, config, creates: false)
        for start in starts {
          try store.log.deleteRecordsBlocking(before: start)
          deleted = start
          try store.append(SampleBatches.small[40 + Int(start)], &model)
        }
        #expect(!disk.isCut)
      } catch {
        #expect(disk.isCut, "failed by itself: \(error)")
      }
      return (model, deleted)
    } check: { disk, result, point in
      let (model, deleted) = result
      let log = try CrashStore(disk, config, creates: false).log
      let start = log.logStartOffset
      #expect(start >= deleted && ([0] + starts).contains(start), "\(start), \(point), \(seed)")
      #expect(log.recovery.damage.isEmpty && log.damagedRanges.isEmpty, "\(point), \(seed)")
      let content = try LogModel.content(of: log)
      let first = try #require(content.first)
      #expect(first.baseOffset <= start && first.nextOffset > start, "\(point), \(seed)")
      var expected = model
      expected.forget(below: first.baseOffset)
      let fault = expected.fault(in: content, after: .powerCut, startingAt: first.baseOffset)
      #expect(fault == nil, "\(point), \(seed)")
      let report = try LogVerifier(disk, Self.oneThread).verify([CrashStore.directory])
      #expect(!report.hasDamage, "\(report.damage) \(report.sideFileDamage), \(point), \(seed)")
    }
    #expect(tried.cuts > 20)
  }

  private static var oneThread: VerificationOptions {
    var options = VerificationOptions()
    options.threadCount = 1
    return options
  }

  // MARK: Readers of the old state

  /// Reads whole logs at each call of a disk, with readers that were made before.
  private final class Onlooker: Sendable {
    private let isReading = Locked(false)
    let rounds = Locked(0)
    let faults = Locked<[String]>([])
    private let read: @Sendable () throws -> Void

    init(_ read: @escaping @Sendable () throws -> Void) { self.read = read }

    func look() {
      let isFirst = isReading.withLock { isReading -> Bool in
        defer { isReading = true }
        return !isReading
      }
      guard isFirst else { return }
      defer { isReading.withLock { $0 = false } }
      rounds.withLock { $0 += 1 }
      do { try read() } catch { faults.withLock { $0.append("\(error)") } }
    }
  }

  /// A reader that only one thread uses at a time, as `Onlooker` does.
  private struct OneThread<Value>: @unchecked Sendable {
    let value: Value
  }

  @Test func readersGoOnAtEveryMomentOfAReplacement() throws {
    let disk = try Self.filled(Self.config(delayMs: 60_000))
    let log = try CrashStore(disk, Self.config(delayMs: 60_000), creates: false).log
    let content = try LogModel.content(of: log)
    // One that is in the middle of what is replaced, one that begins anew each time, and bytes that
    // were found before.
    let base = log.store.state.segments[2].baseOffset
    let inside = OneThread(value: LogReader(log))
    let found = try #require(try inside.value.read(from: base, maxBytes: 1))
    var bytes: [UInt8] = []
    try found.copy(into: &bytes)
    let expected = bytes
    let next = content.filter { $0.baseOffset >= base }
    let onlooker = Onlooker {
      #expect(try LogModel.content(of: log) == content)
      var again: [UInt8] = []
      _ = try inside.value.read(from: next[1].baseOffset, maxBytes: 1, into: &again)
      #expect(again == next[1].bytes)
      try found.copy(into: &again)
      #expect(again == expected)
      #expect(try log.offset(forTimestamp: 0)?.offset == 0)
    }
    disk.beforeEachCall { _ in onlooker.look() }
    try Self.merge(log)
    disk.beforeEachCall(nil)
    #expect(onlooker.faults.withLock { $0 } == [])
    #expect(onlooker.rounds.withLock { $0 } > 15)
    #expect(try LogModel.content(of: log) == content)
  }

  @Test func readersOfDeletedRecordsAreToldSoAtEveryMoment() throws {
    let disk = try Self.filled(Self.config(delayMs: 60_000))
    let log = try CrashStore(disk, Self.config(delayMs: 60_000), creates: false).log
    let content = try LogModel.content(of: log)
    let start = log.store.state.segments[2].baseOffset
    let inside = OneThread(value: LogReader(log))
    let found = try #require(try inside.value.read(from: 0, maxBytes: 1))
    let onlooker = Onlooker {
      var bytes: [UInt8] = []
      do throws(LogError) {
        _ = try inside.value.read(from: 0, maxBytes: 1, into: &bytes)
        #expect(bytes == content[0].bytes)
      } catch {
        guard case .offsetOutOfRange(0, start, _) = error.kind else { throw error }
      }
      try found.copy(into: &bytes)
      #expect(bytes == content[0].bytes, "what was found before")
      let rest = try LogModel.content(of: log)
      #expect(rest == content || rest == content.filter { $0.baseOffset >= start })
    }
    disk.beforeEachCall { _ in onlooker.look() }
    try log.deleteRecordsBlocking(before: start)
    disk.beforeEachCall(nil)
    #expect(onlooker.faults.withLock { $0 } == [])
    #expect(onlooker.rounds.withLock { $0 } > 5)
    #expect(log.logStartOffset == start)
  }

  // MARK: Files

  /// A clock that tests move.
  private final class Clock: Sendable {
    private let ns = Locked<Int64>(0)
    var now: Int64 { ns.withLock { $0 } }
    func move(ms: Int64) { ns.withLock { $0 += ms * 1_000_000 } }
  }

  @Test func filesAreUnlinkedAfterTheDelayAndServedForOneMore() throws {
    let clock = Clock()
    var config = Self.config(delayMs: 1_000)
    config.monotonicNs = { clock.now }
    let disk = try Self.filled(config)
    let store = try CrashStore(disk, config, creates: false)
    let log = store.log
    let gone = log.store.state.segments[0]
    let start = log.store.state.segments[1].baseOffset
    let found = try #require(try LogReader(log).read(from: 0, maxBytes: 1))
    try log.deleteRecordsBlocking(before: start)
    func names() throws -> [String] {
      try disk.list(CrashStore.directory).map(\.name)
        .filter { $0.hasPrefix(SegmentName.digits(gone.baseOffset)) }.sorted()
    }
    let aside = ["index", "log", "timeindex"].map {
      "\(SegmentName.digits(0)).\($0).deleted"
    }
    #expect(try names() == aside)
    let keeper = store.manager.context.housekeeper
    clock.move(ms: 999)
    while keeper.step() {}
    #expect(try names() == aside)
    clock.move(ms: 1)
    while keeper.step() {}
    #expect(try names().isEmpty)
    // Unlinked, and still served to whoever found it before.
    var bytes: [UInt8] = []
    try found.copy(into: &bytes)
    #expect(!bytes.isEmpty)
    clock.move(ms: 1_000)
    while keeper.step() {}
    #expect {
      try found.copy(into: &bytes)
    } throws: { error in
      if case .offsetOutOfRange(0, start, _)? = (error as? LogError)?.kind { true } else { false }
    }
    #expect(gone.openFiles == nil)
  }

  @Test func aFileThatSomebodyRemovedByHandStopsNothing() throws {
    let config = Self.config()
    let disk = try Self.filled(config)
    let store = try CrashStore(disk, config, creates: false)
    let log = store.log
    try disk.remove(log.store.state.segments[0].path(.log))
    try disk.remove(log.store.state.segments[1].path(.timeindex))
    let start = log.store.state.segments[2].baseOffset
    try log.deleteRecordsBlocking(before: start)
    #expect(log.store.state.segments.first?.baseOffset == start)
    let left = try disk.list(CrashStore.directory).compactMap { SegmentName($0.name) }
    let wrong = left.filter { $0.stage != nil || $0.baseOffset < start }.map(\.fileName)
    #expect(wrong == [])
    try store.manager.closeBlocking()
  }

  @Test func recordsAreDeletedOnAFullDisk() throws {
    let config = Self.config()
    let disk = try Self.filled(config)
    let log = try CrashStore(disk, config, creates: false).log
    let start = log.store.state.segments[2].baseOffset
    try log.deleteRecordsBlocking(before: 1)
    disk.capacityBytes = 0
    do throws(LogError) {
      try log.deleteRecordsBlocking(before: start)
    } catch {
      // The start needs a small file; where there is no room for it, nothing is deleted.
      guard case .diskFull = error.kind else { throw error }
      #expect(log.logStartOffset == 1)
      #expect(log.store.state.segments.first?.baseOffset == 0)
    }
    _ = try LogModel.content(of: log)
  }

  @Test func whatIsNotAcknowledgedIsNotDeleted() throws {
    let config = Self.config()
    let log = try CrashStore(try Self.filled(config), config, creates: false).log
    let end = log.logEndOffset
    #expect {
      try log.deleteRecordsBlocking(before: end + 1)
    } throws: { error in
      (error as? LogError)?.code == .offsetOutOfRange
    }
    try log.deleteRecordsBlocking(before: end)
    #expect(log.logStartOffset == end)
    #expect(log.store.state.segments.count == 1, "the last segment stays")
    #expect(try LogModel.content(of: log).isEmpty)
  }

  // MARK: Input

  /// A store with a log of twenty batches over several segments, that was killed.
  private static func filled(_ config: StoreConfig) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 1)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    for batch in SampleBatches.small[..<20] { try store.append(batch, &model) }
    try #require(store.log.store.state.segments.count >= 5)
    try store.manager.closeBlocking()
    return disk
  }

  /// What `filled` leaves.
  private static let filledModel: LogModel = {
    var model = LogModel()
    var offset: Int64 = 0
    for (index, batch) in SampleBatches.small[..<20].enumerated() {
      model.note(batch, .durable(offset))
      offset += Int64(1 + index % 3)
    }
    return model
  }()
}
