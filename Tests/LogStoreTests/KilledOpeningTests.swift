import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// An opening that is killed after it changed the directory: what it told stays told. Expected
/// offsets are those of what was written before the harm.
@Suite struct KilledOpeningTests {
  private static let log = CrashStore.directory
  private static let marker = "\(CrashStore.path)/\(CleanShutdownFile.name)"

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  /// Opens, kills, and opens again; nothing may be cut.
  ///
  /// - Returns: The damage, the same each time.
  private func killed(
    _ disk: SimulatedDisk, _ depth: SurveyOptions.Depth, appends: Bool = false
  ) throws -> [DamagedRange] {
    let before = try verify(disk)
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = depth
    let first = try CrashStore(disk, config, creates: false)
    #expect(first.log.recovery.cuts.isEmpty)
    if appends { _ = try first.tryAppend(SampleBatches.small[0]).get() }
    let left = disk.kill()
    #expect(try Set(verify(left).damage) == Set(before.damage))
    config.surveyDepth = .deep
    let second = try CrashStore(left, config, creates: false)
    #expect(second.log.recovery.cuts.isEmpty)
    #expect(Set(second.log.recovery.damage) == Set(before.damage))
    #expect(second.log.logEndOffset >= first.log.logEndOffset)
    try second.manager.closeBlocking()
    let after = try verify(left)
    #expect(Set(after.damage) == Set(before.damage) && after.hasDamage == before.hasDamage)
    return before.damage
  }

  private func path(_ base: Int64, _ kind: SegmentName.Kind = .log) -> String {
    "\(Self.log)/\(SegmentName(base, kind).fileName)"
  }

  private func append(_ count: Int, to path: String, on disk: SimulatedDisk) throws {
    var random = SeededGenerator(seed: 5)
    try disk.install(path, try #require(disk.contents(of: path)) + random.bytes(count))
  }

  /// Segments at 0, 10 and 20 as a broker leaves them that stopped in order.
  private func broker() throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 73)
    for base in [0, 10, 20] as [Int64] {
      let batches = try BatchSource.batches(from: base, count: 10, valueBytes: 20)
      try disk.install(path(base), batches)
      let last = batches.count / 10 * 9
      let entry: [UInt8] =
        [0, 0, 0, 9] + (0..<4).map { UInt8(truncatingIfNeeded: last >> (24 - 8 * $0)) }
      try disk.install(path(base, .index), entry)
    }
    try disk.install(Self.marker, [])
    return disk
  }

  /// Nothing can be unfinished after a clean stop; once its marker is gone the same bytes look so.
  @Test(arguments: [SurveyOptions.Depth.ends, .deep]) func anInvalidEndOfABrokersLogStaysDamage(
    _ depth: SurveyOptions.Depth
  ) throws {
    let disk = try broker()
    try append(41, to: path(20), on: disk)
    #expect(try killed(disk, depth).map(\.offsets) == [30..<31])
  }

  @Test(arguments: [SurveyOptions.Depth.ends, .deep]) func anInvalidEndBehindACleanMarkStaysDamage(
    _ depth: SurveyOptions.Depth
  ) throws {
    let sample = try RecoverySample()
    try append(41, to: sample.path(try #require(sample.bases.last)), on: sample.disk)
    #expect(try killed(sample.disk, depth).map(\.offsets) == [sample.end..<sample.end + 1])
  }

  /// Our session was killed, and then a broker opened the log and stopped in order: the mark still
  /// says that all after its point may be unfinished.
  @Test(arguments: [SurveyOptions.Depth.ends, .deep], [true, false])
  func aBrokersStopAfterOurKillIsNotForgotten(
    _ depth: SurveyOptions.Depth, _ isHole: Bool
  ) throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    try disk.install(Self.marker, [])
    if isHole {
      try disk.install(path(sample.end + 5), [1, 2, 3])
    } else {
      try append(41, to: sample.path(try #require(sample.bases.last)), on: disk)
    }
    let told = try killed(disk, depth)
    #expect(told.contains { $0.offsets?.contains(sample.end) ?? false }, "\(told)")
  }

  /// An index tells of a loss in the middle; the mark of our first append says nothing of it.
  @Test func aLossInABrokersSegmentStaysToldOnceWeAppend() throws {
    let disk = try broker()
    let bytes = try #require(disk.contents(of: path(10)))
    try disk.install(path(10), Array(bytes.prefix(bytes.count / 10 * 9)))
    #expect(try killed(disk, .ends, appends: true).map(\.offsets) == [19..<20])
  }

  /// Bytes behind a clean mark that are no batch are cut off: they change nothing of whose log it
  /// is, and so of how its batches are judged.
  @Test func bytesBehindACleanMarkTellOfNobody() throws {
    let sample = try RecoverySample()
    let place = sample.place(1)
    try sample.edit(sample.path(place.base), on: sample.disk) { $0[place.position + 15] ^= 8 }
    try append(41, to: sample.path(try #require(sample.bases.last)), on: sample.disk)
    try sample.strip(sample.disk, marker: true)
    let before = try verify(sample.disk)
    let wrong = sample.content[1]
    #expect(before.damage.map(\.offsets) == [wrong.baseOffset..<wrong.nextOffset])
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = .deep
    let store = try CrashStore(sample.disk, config, creates: false)
    #expect(store.log.recovery.cuts.map(\.bytes) == [41])
    #expect(try verify(sample.disk.kill()).damage == before.damage)
  }
}
