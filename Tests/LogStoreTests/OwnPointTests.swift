import DiskIO
import StoreTesting
import Testing

@testable import LogStore

/// Damage before our own recovery point, and what follows that: an opening that begins at the point
/// and a look at the whole log judge alike, in the same words.
@Suite struct OwnPointTests {
  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  /// Verifies, opens at the log's end alone or recovers, closes and verifies.
  private func agree(_ disk: SimulatedDisk, _ depth: SurveyOptions.Depth) throws -> [DamagedRange] {
    let before = try verify(disk)
    var config = CrashStore.config(segmentBytes: 500)
    config.surveyDepth = depth
    let store = try CrashStore(disk, config, creates: false)
    try store.manager.closeBlocking()
    let after = try verify(disk)
    #expect(Set(after.damage) == Set(before.damage) && after.tornTails.isEmpty)
    #expect(after.hasDamage == before.hasDamage)
    return before.damage
  }

  /// A killed session, with all of its records synced, and its last segment harmed.
  private func harmed(
    _ change: (RecoverySample, inout [UInt8]) throws -> Void
  ) throws -> (RecoverySample, SimulatedDisk) {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    let path = sample.path(try #require(sample.bases.last))
    var bytes = try #require(disk.contents(of: path))
    try change(sample, &bytes)
    try disk.install(path, bytes)
    return (sample, disk)
  }

  /// What an interrupted write left behind the point is no part of the damage before it.
  @Test(arguments: [SurveyOptions.Depth.ends, .deep]) func damageEndsAtThePoint(
    _ depth: SurveyOptions.Depth
  ) throws {
    var size = 0
    let (sample, disk) = try harmed { _, bytes in
      size = bytes.count
      var random = SeededGenerator(seed: 6)
      bytes[bytes.count - 5] ^= 1
      bytes += random.bytes(57)
    }
    let last = try #require(sample.content.last)
    let told = try agree(disk, depth)
    #expect(told.map(\.offsets) == [last.baseOffset..<last.nextOffset], "\(told)")
    #expect(told.map(\.bytes) == [size - last.bytes.count..<size], "\(told)")
  }

  /// Its batches are not where the mark says: what crosses the point was cut by an opening, but not
  /// counted by a look at the whole segment.
  @Test(arguments: [SurveyOptions.Depth.ends, .deep]) func aBatchTwiceBeforeThePointIsToldTheSame(
    _ depth: SurveyOptions.Depth
  ) throws {
    let (_, disk) = try harmed { sample, bytes in
      let place = sample.place(sample.content.count - 2)
      bytes.insert(
        contentsOf: sample.content[sample.content.count - 2].bytes, at: place.position)
    }
    let told = try agree(disk, depth)
    #expect(!told.isEmpty)
  }

  /// The bytes behind are cut off: how many the file has left is no part of the words.
  @Test(arguments: [SurveyOptions.Depth.ends, .deep]) func wordsDoNotTellTheFilesSize(
    _ depth: SurveyOptions.Depth
  ) throws {
    let (sample, disk) = try harmed { sample, bytes in
      let place = sample.place(sample.content.count - 1)
      bytes[place.position + 9] ^= 8
      bytes += [UInt8](repeating: 7, count: 85)
    }
    let last = try #require(sample.content.last)
    #expect(try agree(disk, depth).map(\.offsets) == [last.baseOffset..<last.nextOffset])
  }

  /// Where a checkpoint says that what is missing was deleted, it goes on to say so.
  @Test(arguments: [SurveyOptions.Depth.ends, .deep]) func theLogsStartStaysKnown(
    _ depth: SurveyOptions.Depth
  ) throws {
    let sample = try RecoverySample(closes: false)
    let disk = sample.disk.kill()
    try disk.remove(sample.path(0))
    let line = "0\n1\nt 0 \(sample.bases[1])\n"
    try disk.install("\(CrashStore.path)/log-start-offset-checkpoint", [UInt8](line.utf8))
    #expect(try agree(disk, depth).isEmpty)
  }

  @Test(arguments: [SurveyOptions.Depth.ends, .deep]) func theStartOfALogWithoutSegmentsStaysKnown(
    _ depth: SurveyOptions.Depth
  ) throws {
    let disk = SimulatedDisk(seed: 74)
    let log = CrashStore.directory
    try disk.install("\(log)/\(SegmentName(0, .index).fileName)", [0, 0, 0, 9, 0, 0, 0, 70])
    try disk.install("\(CrashStore.path)/\(CleanShutdownFile.name)", [])
    try disk.install(
      "\(CrashStore.path)/log-start-offset-checkpoint", [UInt8]("0\n1\nt 0 10\n".utf8))
    #expect(try agree(disk, depth).isEmpty)
  }
}
