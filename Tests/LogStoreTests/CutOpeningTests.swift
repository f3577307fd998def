import DiskIO
import Glibc
import StoreTesting
import Testing

@testable import LogStore

/// An opening of a store with damage that only its clean stop tells from an unfinished write: cut
/// off, killed or failed at any of its operations, it forgets nothing of that.
@Suite struct CutOpeningTests {
  private static let marker = "\(CrashStore.path)/\(CleanShutdownFile.name)"

  /// What is in the store.
  enum Kind: CaseIterable {
    /// Invalid bytes behind the end of a log of ours.
    case ownEnd
    /// Invalid bytes behind the ends of two logs of a broker's.
    case brokersEnds
    /// Our session was killed, and a broker stopped in order after it: invalid bytes behind the
    /// point.
    case endAfterOurKill
    /// The same, with a segment that begins behind a hole.
    case holeAfterOurKill
  }

  private static func path(_ base: Int64, _ log: String = CrashStore.directory) -> String {
    "\(log)/\(SegmentName(base, .log).fileName)"
  }

  private func append(_ path: String, on disk: SimulatedDisk) throws {
    var random = SeededGenerator(seed: 5)
    try disk.install(path, (disk.contents(of: path) ?? []) + random.bytes(41))
  }

  private func store(_ kind: Kind) throws -> SimulatedDisk {
    var disk = SimulatedDisk(seed: 73)
    switch kind {
    case .brokersEnds:
      for log in ["t-0", "u-0"].map({ "\(CrashStore.path)/\($0)" }) {
        let batches = try BatchSource.batches(from: 0, count: 10, valueBytes: 20)
        try disk.install(Self.path(0, log), batches)
        try append(Self.path(0, log), on: disk)
      }
    case .ownEnd:
      let sample = try RecoverySample()
      disk = sample.disk
      try append(Self.path(try #require(sample.bases.last)), on: disk)
    case .endAfterOurKill, .holeAfterOurKill:
      let sample = try RecoverySample(closes: false)
      disk = sample.disk.kill()
      let base = kind == .holeAfterOurKill ? sample.end + 5 : try #require(sample.bases.last)
      try append(Self.path(base), on: disk)
    }
    try disk.install(Self.marker, [])
    return disk
  }

  private func damage(_ disk: SimulatedDisk) throws -> Set<DamagedRange> {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return Set(try LogVerifier(disk, options).verify([CrashStore.path]).damage)
  }

  private func open(_ disk: SimulatedDisk, _ depth: SurveyOptions.Depth) throws -> Store {
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = depth
    return try Store.openBlocking(CrashStore.path, config: config, disk: disk, logger: .silent)
  }

  /// What is wrong after an opening that did not get to its end; nil where nothing is.
  private func fault(_ disk: SimulatedDisk, _ told: Set<DamagedRange>) throws -> String? {
    let found = try damage(disk)
    if found != told { return "verify tells \(found), not \(told)" }
    let manager = try open(disk, .deep)
    let cuts = manager.report.logs.flatMap(\.recovery.cuts)
    if !cuts.isEmpty { return "cut: \(cuts)" }
    let damage = Set(manager.report.logs.flatMap(\.recovery.damage))
    return damage == told ? nil : "the next opening tells \(damage), not \(told)"
  }

  @Test(arguments: Kind.allCases, [SurveyOptions.Depth.ends, .deep])
  func wherePowerFailsTheDamageStaysDamage(_ kind: Kind, _ depth: SurveyOptions.Depth) throws {
    let whole = try store(kind)
    let told = try damage(whole)
    #expect(!told.isEmpty)
    let seed = Seed.fromEnvironment(else: 11)
    let loop = PowerCutLoop(exhaustiveMax: 6, samples: 12, damaged: 3, seed: seed)
    let tried = try loop.run(on: { whole.crash(.keepAll) }) { disk in
      do {
        // A log that the disk refuses to change fails alone.
        _ = try open(disk, depth)
      } catch {
        #expect(disk.isCut, "it failed by itself: \(error)")
      }
    } check: { disk, _, point in
      let fault = try fault(disk, told)
      #expect(fault == nil, "\(kind), \(point), \(seed)")
    }
    #expect(tried.cuts > 8)
  }

  /// The process dies before each of its calls, and the page cache stays.
  @Test(arguments: Kind.allCases, [SurveyOptions.Depth.ends, .deep])
  func whereItIsKilledTheDamageStaysDamage(_ kind: Kind, _ depth: SurveyOptions.Depth) throws {
    let whole = try store(kind).kill()
    let told = try damage(whole)
    let moments = Locked<[(call: DiskCall, disk: SimulatedDisk)]>([])
    let disk = whole.kill()
    disk.beforeEachCall { call in
      guard call.operation.isChanging else { return }
      moments.withLock { $0.append((call, disk.kill())) }
    }
    let manager = try open(disk, depth)
    disk.beforeEachCall(nil)
    #expect(manager.report.failed.isEmpty)
    let seen = moments.withLock { $0 }
    #expect(seen.contains { $0.call == DiskCall(.remove, Self.marker) })
    for (call, left) in seen {
      let fault = try fault(left, told)
      #expect(fault == nil, "\(kind), killed before \(call)")
    }
  }

  /// Whatever keeps a store from being opened leaves it stopped in order.
  @Test(arguments: Kind.allCases) func anOpeningThatFailsLeavesTheMarker(_ kind: Kind) throws {
    let whole = try store(kind)
    let told = try damage(whole)
    var failed = 0
    for occurrence in 1... {
      let disk = whole.kill()
      disk.plan(
        FaultPlan(.error(EIO), at: occurrence, operations: DiskError.Operation.all))
      disk.setTracing(true)
      do {
        _ = try open(disk, .ends)
      } catch {
        failed += 1
        // Nothing tells whether a removal that failed has happened.
        let isRemoval =
          disk.trace.filter(\.operation.isChanging).suffix(2)
          == [DiskCall(.remove, Self.marker), DiskCall(.syncDirectory, CrashStore.path)]
        let isThere = disk.contents(of: Self.marker) != nil || isRemoval
        #expect(isThere, "\(occurrence): \(error)")
        disk.removeFaults()
        let fault = try fault(disk.kill(), told)
        #expect(fault == nil, "\(occurrence): \(error)")
      }
      if disk.faultsFired == 0 { break }
    }
    #expect(failed > 5)
  }

  @Test func aDirectoryInThePlaceOfAStoresFileLeavesTheMarker() throws {
    let disk = try store(.ownEnd)
    let path = "\(CrashStore.path)/\(MetaProperties.name)"
    try disk.remove(path)
    try disk.installDirectory(path)
    let told = try damage(disk)
    #expect(throws: LogError.self) { try open(disk, .ends) }
    #expect(disk.contents(of: Self.marker) != nil)
    try disk.removeDirectory(path)
    #expect(try fault(disk, told) == nil)
  }
}
