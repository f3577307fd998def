import DiskIO
import Glibc
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// An index that is cut, replaced or cannot be read while the log is open costs time and a line in
/// the log: no record, no append, and never the process (P3, P4, I9). Mapped and by pread, on both
/// disks.
@Suite struct IndexFailureTests {
  typealias Way = HarmedIndexLog.Way
  typealias Harm = HarmedIndexLog.Harm
  /// A batch of 100 KB.
  private static let large = SampleBatches.sealed([
    (CrashStore.nowMs, [UInt8](repeating: 1, count: 100_000))
  ])
  private static let kinds = [SegmentName.Kind.index, .timeindex]

  /// Each harm that the way's disk can do, to each kind of index.
  private func forEachHarm(_ way: Way, _ body: (Harm, SegmentName.Kind) throws -> Void) throws {
    for harm in Harm.allCases where harm.isPossible(way) {
      for kind in Self.kinds { try body(harm, kind) }
    }
  }

  private func check(_ log: HarmedIndexLog, _ place: String) throws {
    if let fault = try log.fault() { Issue.record("\(place): \(fault)") }
  }

  /// Looked into before, so that files and blocks are open; harmed; looked into again.
  @Test(arguments: Way.all)
  func lookUpsInASealedSegmentGetTheirAnswers(_ way: Way) throws {
    try forEachHarm(way) { harm, kind in
      try HarmedIndexLog.with(way) { log in
        let place = "\(harm) \(kind)"
        #expect(log.bases.count >= 4)
        try check(log, "before")
        let path = log.file(log.bases[1], kind)
        try log.harm(path, harm)
        try check(log, place)
        try log.append(30)
        try check(log, "\(place), appended to")
        try log.reopen()
        try check(log, "\(place), opened again")
        try log.append(1)
        try log.store.closeBlocking()
      }
    }
  }

  /// Not looked into before: the first look opens what is harmed.
  @Test(arguments: Way.all)
  func anIndexThatCannotBeOpenedIsMadeFromItsLog(_ way: Way) throws {
    try forEachHarm(way) { harm, kind in
      try HarmedIndexLog.with(way) { log in
        let place = "\(harm) \(kind)"
        try log.reopen()
        let path = log.file(log.bases[1], kind)
        let right = try contents(log, path)
        try log.harm(path, harm)
        try check(log, place)
        let said = log.heard.lines.filter { $0.contains("made from its log") }
        // What can be opened is right as far as it goes, in a segment that is read at once.
        if [.unreadable, .removed, .directory].contains(harm) {
          #expect(!said.isEmpty, "\(place): nothing was said")
          if harm != .directory { #expect(try contents(log, path) == right, "\(place)") }
        }
        try check(log, place)
        let again = log.heard.lines.filter { $0.contains("made from its log") }
        #expect(again.count == said.count, "\(place): mended again at each look")
        try log.store.closeBlocking()
      }
    }
  }

  /// An index of a large segment that was cut is found out when it is opened, not walked around.
  @Test(arguments: Way.all, [0, 80])
  func anIndexThatEndsEarlyIsMadeFromItsLog(_ way: Way, _ size: Int) throws {
    try HarmedIndexLog.with(way, segmentBytes: 3 << 20, count: 0) { log in
      var batch = Self.large
      for _ in 0..<40 { _ = try log.log.appendBlocking(batch: &batch) }
      #expect(log.bases.count == 2)
      try log.reopen()
      let path = log.file(0, .index)
      let right = try contents(log, path)
      #expect(right.count > 80)
      try log.disk.open(path, .readWrite).truncate(to: size)
      #expect(try LogReader(log.log).record(at: 20, limit: .logEnd)?.offset == 20)
      #expect(try contents(log, path) == right)
      #expect(log.heard.lines.contains { $0.contains("entries are missing") })
      try log.store.closeBlocking()
    }
  }

  /// The segment that is appended to: appends go on, the roll and the close too.
  @Test(arguments: Way.all)
  func theActiveIndexIsMadeFromItsLogWhileAppending(_ way: Way) throws {
    for looksFirst in [false, true] {
      try forEachHarm(way) { harm, kind in
        try HarmedIndexLog.with(way) { log in
          let place = "\(harm) \(kind), looks first \(looksFirst)"
          let path = log.file(try #require(log.bases.last), kind)
          try log.harm(path, harm)
          if looksFirst { try check(log, place) }
          try log.append(3)
          try check(log, "\(place), appended to")
          try log.append(30)
          try check(log, "\(place), rolled")
          try log.reopen()
          try check(log, "\(place), opened again")
          try log.append(3)
          try check(log, "\(place), appended to again")
          try log.store.closeBlocking()
        }
      }
    }
  }

  /// A close adds the last entry and trims: it must not fail over an index.
  @Test(arguments: Way.all)
  func aCloseMendsTheActiveIndex(_ way: Way) throws {
    try forEachHarm(way) { harm, kind in
      try HarmedIndexLog.with(way) { log in
        let path = log.file(try #require(log.bases.last), kind)
        try log.harm(path, harm)
        try log.reopen()
        #expect(log.store.report.wasClean, "\(harm) \(kind)")
        try check(log, "\(harm) \(kind)")
        try log.store.closeBlocking()
      }
    }
  }

  /// An opening, after a stop and after a kill, over a harmed index of the last segment.
  @Test(arguments: Way.all)
  func anOpeningMendsAnIndexThatItCannotUse(_ way: Way) throws {
    for isClean in [true, false] {
      try forEachHarm(way) { harm, kind in
        try HarmedIndexLog.with(way) { log in
          let place = "\(harm) \(kind), clean \(isClean)"
          let path = log.file(try #require(log.bases.last), kind)
          try log.store.closeBlocking()
          if !isClean { try log.disk.remove("\(log.path)/\(CleanShutdownFile.name)") }
          try log.harm(path, harm)
          let before = try Store.openBlocking(
            log.path, config: log.config, disk: log.disk, logger: .silent)
          #expect(before.report.failed.isEmpty, "\(place): \(before.report.failed)")
          try before.closeBlocking()
          try log.reopen()
          try check(log, place)
          try log.append(20)
          try check(log, "\(place), appended to")
          try log.store.closeBlocking()
        }
      }
    }
  }

  /// Nothing of the disk takes an index any more: it is kept in memory, and appends go on.
  @Test(arguments: [true, false])
  func anIndexThatCannotBeWrittenIsKeptInMemory(_ mapsIndexes: Bool) throws {
    try HarmedIndexLog.with(Way(mapsIndexes: mapsIndexes, isSimulated: true)) { log in
      let disk = try #require(log.disk as? SimulatedDisk)
      let active = try #require(log.bases.last)
      for kind in Self.kinds {
        try log.harm(log.file(log.bases[1], kind), .unreadable)
        try log.harm(log.file(active, kind), .unreadable)
        for suffix in ["\(kind)", "\(kind).tmp"] {
          disk.plan(
            FaultPlan(
              .error(EIO), at: 1, isForEver: true,
              operations: [.create, .write, .allocate, .truncate, .sync], pathSuffix: suffix))
        }
      }
      try check(log, "unwritable")
      try log.append(3)
      try check(log, "appended to")
      try log.append(30)
      try check(log, "rolled")
      #expect(disk.faultFired)
      #expect(log.heard.lines.contains { $0.contains("kept in memory") })
      disk.removeFaults()
      try log.reopen()
      try check(log, "opened again")
      try log.store.closeBlocking()
    }
  }

  /// A sync of an index that fails is none of the log's (I8 is about what was acknowledged).
  @Test(arguments: [true, false])
  func aFailedSyncOfAnIndexRefusesNothing(_ mapsIndexes: Bool) throws {
    var fired = 0
    for kind in Self.kinds {
      for occurrence in stride(from: 1, through: 40, by: 3) {
        try HarmedIndexLog.with(Way(mapsIndexes: mapsIndexes, isSimulated: true)) { log in
          let disk = try #require(log.disk as? SimulatedDisk)
          disk.plan(
            FaultPlan(.error(EIO), at: occurrence, operations: [.sync], pathSuffix: "\(kind)"))
          try log.append(30)
          try log.reopen()
          if disk.faultFired { fired += 1 }
          #expect(log.store.report.wasClean, "\(kind) \(occurrence)")
          try check(log, "\(kind) \(occurrence)")
          try log.store.closeBlocking()
        }
      }
    }
    #expect(fired > 4, "only \(fired) syncs failed")
  }

  /// The default maps nothing and costs no descriptor either (P5).
  @Test func withoutMappingsAnIndexCostsNoMappingAndNoDescriptor() throws {
    try HarmedIndexLog.with(Way(mapsIndexes: false, isSimulated: true)) { log in
      let disk = try #require(log.disk as? SimulatedDisk)
      try check(log, "sample")
      #expect(disk.counters.calls[.map] ?? 0 == 0)
      #expect(disk.counters.mappings == 0)
      #expect(disk.counters.openFiles <= log.bases.count + 3)
    }
    #expect(!StoreConfig().mapsIndexes)
  }

  /// Threads that fault at the same time each get their error.
  @Test func manyThreadsFaultAtOnce() throws {
    try MappingGuard.install()
    let region = MappedRegion(heapCapacity: 8_192)
    try region.makeFaulting(from: 4_096)
    let failures = WorkerThreads.map(jobCount: 8, threadCount: 8) { _ in
      (0..<500).count { step in
        do {
          return try region.load(bigEndian: UInt64.self, at: step % 2 * 4_096) != 0
        } catch {
          return true
        }
      }
    }
    #expect(failures == [Int](repeating: 250, count: 8))
  }

  private func contents(_ log: HarmedIndexLog, _ path: String) throws -> [UInt8] {
    let file = try log.disk.open(path, .read)
    var bytes = [UInt8](repeating: 0, count: try file.size())
    var target = bytes.mutableSpan
    _ = try file.read(into: &target, at: 0)
    return bytes
  }
}
