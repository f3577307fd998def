import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// What is held against the batches of a log of this engine must never condemn a sound one:
/// somebody else may have been at the directory, and what stands beside the log may be rotten.
@Suite struct OwnLogEvidenceTests {
  private static let checkpoint = "\(CrashStore.directory)/\(LeaderEpochCheckpoint.name)"

  private func expectSound(
    _ disk: SimulatedDisk, _ content: [LogModel.Batch], _ place: String
  ) throws {
    let report = try LogVerifier(disk).verify([CrashStore.directory])
    #expect(report.damage.isEmpty, "\(place): \(report.damage)")
    let view = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
    for log in [view, try CrashStore(disk, OwnLogSample.config, creates: false).log] {
      let found = try log.readAround()
      let isWhole = found.batches == content && found.damaged.isEmpty
      #expect(isWhole, "\(place): served \(found.batches.map(\.baseOffset)), \(found.damaged)")
    }
  }

  @Test(arguments: OwnLogSample.Stop.allCases)
  func aRottenEpochCheckpointCondemnsNoBatch(_ stop: OwnLogSample.Stop) throws {
    let sample = try OwnLogSample(stop)
    let bytes = try #require(sample.disk.contents(of: Self.checkpoint))
    for byte in bytes.indices {
      for bit in 0..<8 {
        let disk = sample.disk.kill()
        var flipped = bytes
        flipped[byte] ^= 1 << UInt8(bit)
        try disk.install(Self.checkpoint, flipped)
        try expectSound(disk, sample.content, "\(stop), byte \(byte), bit \(bit)")
      }
    }
    let missing = sample.disk.kill()
    try missing.remove(Self.checkpoint)
    try expectSound(missing, sample.content, "\(stop), no checkpoint")
  }

  /// A broker led the log for a while and appended nothing; from then on batches bear its epoch.
  @Test func epochsThatABrokerBeganAreGoneOnWith() throws {
    let sample = try OwnLogSample(.clean)
    let end = try #require(sample.content.last).nextOffset
    try LeaderEpochCheckpoint([.init(epoch: 0, startOffset: 0), .init(epoch: 3, startOffset: end)])
      .write(sample.disk, directory: CrashStore.directory)
    let store = try CrashStore(sample.disk, OwnLogSample.config, creates: false)
    #expect(store.log.store.state.rules.isGapless && store.log.store.state.rules.epochs == nil)
    var batch = SampleBatches.small[0]
    try store.log.appendBlocking(batch: &batch)
    let content = try LogModel.content(of: store.log)
    #expect(content.count == sample.content.count + 1)
    try expectSound(sample.disk.kill(), content, "killed")
  }

  /// A broker appended: nothing is held against its batches, and nothing any more against ours.
  @Test func whatABrokerAppendedIsNotJudged() throws {
    let sample = try OwnLogSample(.clean)
    let last = try #require(sample.segments.last)
    let end = try #require(sample.content.last).nextOffset
    let theirs = SampleBatches.placed(SampleBatches.small[0], at: end + 7, epoch: 5)
    try sample.disk.install(last.path, last.bytes + theirs)
    try sample.disk.remove("\(CrashStore.path)/recovery-point-offset-checkpoint")
    let store = try CrashStore(sample.disk, OwnLogSample.config, creates: false)
    #expect(!store.log.store.state.rules.isGapless && store.log.store.state.rules == .none)
    let content = try LogModel.content(of: store.log)
    #expect(content.count == sample.content.count + 1)
    try expectSound(sample.disk.kill(), content, "appended")
  }

  /// A broker compacted sealed segments: what it left is served, for the batches behind a gap, or
  /// the next segment's name, agree with it.
  @Test func gapsThatTheBatchesBehindThemConfirmAreCompactions() throws {
    let sample = try OwnLogSample(.clean)
    for segment in sample.segments.dropLast() {
      for (number, (index, position)) in segment.batches.enumerated()
      where number < segment.batches.count - 1 {
        let disk = sample.disk.kill()
        var bytes = segment.bytes
        bytes.removeSubrange(position..<position + sample.content[index].bytes.count)
        try disk.install(segment.path, bytes)
        // Kafka rebuilds the indexes.
        let name = segment.path.dropLast("log".count)
        for kind in ["index", "timeindex"] { try disk.remove("\(name)\(kind)") }
        var content = sample.content
        content.remove(at: index)
        try expectSound(disk, content, "without batch \(index)")
      }
    }
  }
}
