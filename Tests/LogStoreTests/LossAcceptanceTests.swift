import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Damage that is accepted: readers go on behind it, nothing else changes, and it can be undone.
@Suite struct LossAcceptanceTests {
  /// What is done to a closed log of several segments.
  enum Harm: String, CaseIterable, Sendable {
    /// A bit in the middle of the second segment.
    case bit
    /// One in the second segment and one in the last.
    case twoBits
    /// A run of zeros over two batches of the second segment.
    case zeros
    /// The second segment's last batch is cut off.
    case missingEnd
    /// The second segment and its indexes are gone.
    case missingSegment
    /// The last segment and its indexes are gone.
    case missingLast
    /// All segments are gone.
    case missingAll
  }

  private static let config = CrashStore.config(segmentBytes: 700)

  private struct Harmed {
    var disk: SimulatedDisk
    /// The batches that are left.
    var left: [LogModel.Batch]
    var end: Int64
    /// Of the segments that are there, by path.
    var files: [String: [UInt8]]
  }

  private static func harmed(_ harm: Harm) throws -> Harmed {
    let disk = SimulatedDisk(seed: 41)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    for batch in SampleBatches.small[..<32] { try store.append(batch, &model) }
    let segments = store.log.store.state.segments
    try #require(segments.count > 3)
    let content = try LogModel.content(of: store.log)
    let end = store.log.logEndOffset
    try store.manager.closeBlocking()
    func batches(_ index: Int) -> [LogModel.Batch] {
      let next = index + 1 < segments.count ? segments[index + 1].baseOffset : Int64.max
      return content.filter { $0.baseOffset >= segments[index].baseOffset && $0.baseOffset < next }
    }
    var lost: [LogModel.Batch] = []
    func change(_ index: Int, _ body: (inout [UInt8]) -> Void) throws {
      let path = segments[index].path(.log)
      var bytes = try #require(disk.contents(of: path))
      body(&bytes)
      try disk.install(path, bytes)
    }
    func remove(_ indexes: Range<Int>) throws {
      for index in indexes {
        lost += batches(index)
        for kind in [SegmentName.Kind.log, .index, .timeindex] {
          try disk.remove(segments[index].path(kind))
        }
      }
    }
    let second = batches(1)
    switch harm {
    case .bit, .twoBits:
      try change(1) { $0[second[0].bytes.count + 70] ^= 4 }
      lost.append(second[1])
      if harm == .twoBits {
        let last = segments.count - 1
        try change(last) { $0[65] ^= 1 }
        lost.append(batches(last)[0])
      }
    case .zeros:
      let start = second[0].bytes.count
      let count = second[1].bytes.count + second[2].bytes.count
      try change(1) { bytes in for index in start..<start + count { bytes[index] = 0 } }
      lost += second[1...2]
    case .missingEnd:
      let last = try #require(second.last)
      try change(1) { $0.removeLast(last.bytes.count) }
      lost.append(last)
    case .missingSegment: try remove(1..<2)
    case .missingLast: try remove(segments.count - 1..<segments.count)
    case .missingAll: try remove(0..<segments.count)
    }
    try disk.syncDirectory(CrashStore.directory)
    var files: [String: [UInt8]] = [:]
    for segment in segments { files[segment.path(.log)] = disk.contents(of: segment.path(.log)) }
    return Harmed(
      disk: disk, left: content.filter { !lost.contains($0) }, end: end, files: files)
  }

  private static func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([CrashStore.directory])
  }

  /// A store whose openings look at everything, as `recover` does.
  private static func open(_ disk: SimulatedDisk) throws -> CrashStore {
    var config = config
    config.surveyDepth = .deep
    return try CrashStore(disk, config, creates: false)
  }

  private static func records(_ log: Log) throws -> [LogModel.Batch] {
    try LogModel.content(of: log).filter { batch in
      try RecordBatch(batch.bytes.span).header.recordCount > 0
    }
  }

  @Test(arguments: Harm.allCases)
  func readersGoOnBehindWhatWasAccepted(_ harm: Harm) throws {
    let harmed = try Self.harmed(harm)
    let before = try Self.verify(harmed.disk)
    try #require(!before.damage.isEmpty)
    let store = try Self.open(harmed.disk)
    let log = store.log
    #expect(log.recovery.damage == before.damage)
    let accepted = try log.acceptLossesBlocking()
    let lost = accepted.map(\.offsets).sorted { $0.lowerBound < $1.lowerBound }
    let told = before.damage.compactMap(\.offsets).sorted { $0.lowerBound < $1.lowerBound }
    #expect(lost == told)
    #expect(try Self.records(log) == harmed.left)
    #expect(log.logEndOffset == harmed.end)
    #expect(log.damagedRanges.isEmpty)
    #expect(try log.acceptLossesBlocking().isEmpty, "there is nothing more")
    var model = LogModel()
    try store.append(SampleBatches.small[40], &model)
    try store.manager.closeBlocking()
    let after = try Self.verify(harmed.disk)
    #expect(after.damage.isEmpty && after.sideFileDamage.isEmpty, "\(after.damage)")
    let notes = after.notes.filter { $0.text.hasPrefix("accepted: ") }
    #expect(notes.count == accepted.count)
    // From an opening that looks at the end alone on, and read-only.
    let again = try CrashStore(harmed.disk, Self.config, creates: false)
    #expect(try Self.records(again.log).dropLast() == harmed.left[...])
    #expect(again.log.recovery.damage.isEmpty)
    #expect(try again.log.acceptedLosses() == accepted)
    let follower = try Log.openReadOnlyBlocking(
      CrashStore.directory, disk: harmed.disk, logger: .silent)
    #expect(try Self.records(follower).count == harmed.left.count + 1)
  }

  @Test(arguments: [Harm.bit, .twoBits, .zeros])
  func undoingPutsBackEveryByte(_ harm: Harm) throws {
    let harmed = try Self.harmed(harm)
    let before = try Self.verify(harmed.disk)
    let store = try Self.open(harmed.disk)
    let accepted = try store.log.acceptLossesBlocking()
    let result = try store.log.undoAcceptedLossesBlocking()
    #expect(result.undone == accepted)
    #expect(result.left.isEmpty)
    try store.manager.closeBlocking()
    for (path, bytes) in harmed.files {
      #expect(harmed.disk.contents(of: path) == bytes, "\(path)")
    }
    let after = try Self.verify(harmed.disk)
    #expect(after.damage.map(\.offsets) == before.damage.map(\.offsets))
    #expect(after.damage.map(\.reason) == before.damage.map(\.reason))
    #expect(try Self.open(harmed.disk).log.acceptedLosses().isEmpty)
  }

  @Test func whatCannotBeUndoneStaysAccepted() throws {
    let harmed = try Self.harmed(.twoBits)
    let store = try Self.open(harmed.disk)
    let accepted = try store.log.acceptLossesBlocking()
    try #require(accepted.count == 2)
    let kept = try #require(accepted[0].keptAs)
    try harmed.disk.remove("\(CrashStore.directory)/.bad/\(kept)")
    let result = try store.log.undoAcceptedLossesBlocking()
    #expect(result.undone == [accepted[1]])
    #expect(result.left.map(\.loss) == [accepted[0]])
    #expect(try store.log.acceptedLosses() == [accepted[0]])
    // Neither does a range that was deleted since come back.
    let again = try store.log.acceptLossesBlocking()
    #expect(again.map(\.offsets) == [accepted[1].offsets])
    try store.log.deleteRecordsBlocking(before: store.log.logEndOffset)
    let rest = try store.log.undoAcceptedLossesBlocking()
    #expect(rest.undone.isEmpty && rest.left.count == 2)
  }

  @Test func emptyingWhatWasKeptLeavesTheListAlone() throws {
    let harmed = try Self.harmed(.bit)
    let store = try Self.open(harmed.disk)
    let accepted = try store.log.acceptLossesBlocking()
    try store.manager.closeBlocking()
    _ = try KeptDataRemoval(
      store: CrashStore.path, only: nil, isDryRun: false, disk: harmed.disk)
    #expect(try Self.open(harmed.disk).log.acceptedLosses() == accepted)
  }

  @Test func aHoleOfMoreThan2To31OffsetsTakesSeveralBatches() throws {
    let disk = SimulatedDisk(seed: 3)
    let store = try CrashStore(disk, Self.config)
    var model = LogModel()
    try store.append(SampleBatches.small[0], &model)
    try store.manager.closeBlocking()
    let far: Int64 = 5_000_000_000
    let batch = SampleBatches.placed(SampleBatches.small[1], at: far)
    try disk.install("\(CrashStore.directory)/\(SegmentName(far, .log).fileName)", batch)
    let noted = DamagedRange(
      file: "\(CrashStore.directory)/\(SegmentName(1, .log).fileName)", bytes: 0..<0,
      offsets: 1..<far, reason: "a test says so")
    try disk.install(
      "\(CrashStore.directory)/\(KnownLosses.fileName)", KnownLosses.encode(.init(losses: [noted])))
    let log = try Self.open(disk).log
    try #require(log.recovery.damage.contains { $0.offsets == 1..<far })
    #expect(try log.acceptLossesBlocking().map(\.offsets) == [1..<far])
    #expect(log.store.state.segments.count == 5)
    let content = try LogModel.content(of: log)
    #expect(content.map(\.baseOffset).first == 0 && content.last?.baseOffset == far)
    #expect(zip(content, content.dropFirst()).allSatisfy { $0.nextOffset == $1.baseOffset })
    #expect(content.count == 5)
    #expect(try Self.verify(disk).damage.isEmpty)
  }

  @Test(arguments: [Harm.bit, .missingSegment, .missingAll])
  func aCrashLeavesTheDamageToldOrAccepted(_ harm: Harm) throws {
    let harmed = try Self.harmed(harm)
    let told = try Self.verify(harmed.disk).damage
    let seed = Seed.fromEnvironment(else: 1)
    let loop = PowerCutLoop(exhaustiveMax: 4, samples: 6, damaged: 2, seed: seed)
    let tried = try loop.run(on: { try Self.harmed(harm).disk }) { disk -> Bool in
      do {
        _ = try Self.open(disk).log.acceptLossesBlocking()
        return true
      } catch {
        #expect(disk.isCut, "failed by itself: \(error)")
        return false
      }
    } check: { disk, isDone, point in
      let place = "\(harm), \(point), \(seed)"
      let found = try Self.verify(disk).damage
      let isTold = found.map(\.offsets) == told.map(\.offsets)
      #expect(found.isEmpty || !isDone && isTold, "\(found), \(place)")
      let store = try Self.open(disk)
      #expect(store.log.logEndOffset == harmed.end, "\(place)")
      // Whatever was done before, it can be gone on with.
      _ = try store.log.acceptLossesBlocking()
      #expect(try Self.records(store.log) == harmed.left, "\(place)")
      let accepted = try store.log.acceptedLosses().map(\.offsets)
      #expect(accepted == told.compactMap(\.offsets), "\(place)")
      #expect(try Self.verify(disk).damage.isEmpty, "\(place)")
    }
    #expect(tried.cuts > 20)
  }

  @Test func aFullDiskLeavesTheDamageTold() throws {
    let harmed = try Self.harmed(.bit)
    let store = try Self.open(harmed.disk)
    harmed.disk.capacityBytes = 0
    #expect(throws: LogError.self) { try store.log.acceptLossesBlocking() }
    harmed.disk.capacityBytes = nil
    let damage = try Self.verify(harmed.disk).damage
    #expect(damage.count == 1)
    #expect(try store.log.acceptLossesBlocking().count == 1)
    #expect(try Self.records(store.log) == harmed.left)
  }

  /// `StoreConfig.acceptsLosses`.
  @Test func aStoreAcceptsByItselfWhatAReadFinds() throws {
    let harmed = try Self.harmed(.bit)
    var config = Self.config
    config.acceptsLosses = true
    let ns = Locked<Int64>(0)
    config.monotonicNs = { ns.withLock { $0 } }
    let store = try CrashStore(harmed.disk, config, creates: false)
    // Below the recovery point nothing was looked at yet.
    #expect(store.log.recovery.damage.isEmpty)
    #expect(throws: LogError.self) { try LogModel.content(of: store.log) }
    let keeper = store.manager.context.housekeeper
    while keeper.step() {}
    #expect(throws: LogError.self, "not before its time") { try LogModel.content(of: store.log) }
    ns.withLock { $0 += 1_000_000_000 }
    while keeper.step() {}
    #expect(try Self.records(store.log) == harmed.left)
    #expect(try store.log.acceptedLosses().count == 1)
  }
}
