import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// The leader epochs of a log of ours that was truncated: kept with a CRC, and held against batches
/// and Kafka's checkpoint.
@Suite struct EpochsFileTests {
  private static let config = CrashStore.config(segmentBytes: 500)
  private static let own = "\(CrashStore.directory)/\(EpochsFile.name)"
  private static let kafkas = "\(CrashStore.directory)/\(LeaderEpochCheckpoint.name)"

  /// A closed store whose log was truncated, and appended to since.
  private static func truncated() throws -> (disk: SimulatedDisk, content: [LogModel.Batch]) {
    let disk = SimulatedDisk(seed: 1)
    let store = try CrashStore(disk, config)
    var model = LogModel()
    for batch in SampleBatches.small[..<12] { try store.append(batch, &model) }
    let place = try LogModel.content(of: store.log)[7].baseOffset
    let log = try store.manager.truncateLogBlocking(store.log.topicPartition, from: place).log
    for batch in SampleBatches.small[20..<23] {
      var bytes = batch
      _ = try log.appendBlocking(batch: &bytes)
    }
    let content = try LogModel.content(of: log)
    try store.manager.closeBlocking()
    try #require(content.count == 10)
    return (disk, content)
  }

  private static func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([CrashStore.directory])
  }

  @Test func aWrongEpochOfAnyBatchIsFound() throws {
    let (disk, content) = try Self.truncated()
    let log = try CrashStore(disk.kill(), Self.config, creates: false).log
    for segment in log.store.state.segments {
      let bytes = try #require(disk.contents(of: segment.path(.log)))
      var batches: [LogModel.Batch] = []
      try LogModel.split(bytes, into: &batches)
      var position = 0
      for batch in batches {
        for bit in [0, 1, 30] {
          var harmed = bytes
          harmed[position + 15 - bit / 8] ^= 1 << UInt8(bit % 8)
          let other = disk.kill()
          try other.install(segment.path(.log), harmed)
          let damage = try Self.verify(other).damage
          #expect(
            damage.map(\.offsets) == [batch.baseOffset..<batch.nextOffset],
            "bit \(bit) at offset \(batch.baseOffset): \(damage)")
          let opened = try CrashStore(other, Self.config, creates: false).log
          let reader = LogReader(opened)
          #expect(throws: LogError.self) {
            try reader.read(from: batch.baseOffset, maxBytes: 1)
          }
        }
        position += batch.bytes.count
      }
    }
    #expect(content.last.map { $0.nextOffset } == log.logEndOffset)
  }

  @Test func kafkasCheckpointIsMadeAnewWhateverBecomesOfIt() throws {
    let (disk, content) = try Self.truncated()
    let right = try #require(disk.contents(of: Self.kafkas))
    var harms: [[UInt8]?] = right.indices.map { index in
      var turned = right
      turned[index] ^= 1 << UInt8(index % 8)
      return turned
    }
    harms += [nil, [], Array("0\n1\n0 0\n".utf8), Array("0\n2\n0 0\n7 3\n".utf8)]
    for harm in harms {
      let other = disk.kill()
      try other.remove(Self.kafkas)
      if let harm { try other.install(Self.kafkas, harm) }
      let name = String(decoding: harm ?? [], as: UTF8.self)
      let before = try Self.verify(other)
      #expect(before.damage.isEmpty, "\(name)")
      #expect(before.sideFileDamage.allSatisfy { $0.isMendedByOpen }, "\(before.sideFileDamage)")
      let store = try CrashStore(other, Self.config, creates: false)
      #expect(store.log.leaderEpoch == 1, "\(name)")
      #expect(try LogModel.content(of: store.log) == content, "\(name)")
      #expect(store.log.recovery.damage.isEmpty, "\(name)")
      #expect(other.contents(of: Self.kafkas) == right, "\(name)")
      try store.manager.closeBlocking()
      let after = try Self.verify(other)
      #expect(!after.hasDamage, "\(after.sideFileDamage), \(name)")
    }
  }

  /// As a broker leaves it that led the log since, without writing anything.
  @Test func laterEpochsOfABrokerAreGoneOnWith() throws {
    let (disk, content) = try Self.truncated()
    let end = try #require(content.last?.nextOffset)
    var epochs = try #require(
      try LeaderEpochCheckpoint.read(disk, directory: CrashStore.directory))
    epochs.entries.append(.init(epoch: 5, startOffset: end))
    try disk.install(Self.kafkas, epochs.encoded)
    let store = try CrashStore(disk, Self.config, creates: false)
    #expect(store.log.leaderEpoch == 5)
    var bytes = SampleBatches.small[30]
    _ = try store.log.appendBlocking(batch: &bytes)
    #expect(try RecordBatch(bytes.span).header.leaderEpoch == 5)
    try store.manager.closeBlocking()
    #expect(try !Self.verify(disk).hasDamage)
    let again = try CrashStore(disk, Self.config, creates: false).log
    #expect(again.leaderEpoch == 5)
    #expect(try LogModel.content(of: again).dropLast() == content[...])
  }

  @Test func aFlippedBitOfTheFileIsToldAndHarmless() throws {
    let (disk, content) = try Self.truncated()
    let right = try #require(disk.contents(of: Self.own))
    for index in right.indices {
      var turned = right
      turned[index] ^= 1 << UInt8(index % 8)
      let other = disk.kill()
      try other.install(Self.own, turned)
      #expect(try Self.verify(other).sideFileDamage.map(\.file) == [Self.own], "byte \(index)")
      let store = try CrashStore(other, Self.config, creates: false)
      #expect(try LogModel.content(of: store.log) == content, "byte \(index)")
      #expect(store.log.leaderEpoch == 1, "byte \(index)")
      #expect(other.contents(of: Self.own) == nil, "byte \(index)")
      try store.manager.closeBlocking()
      #expect(try !Self.verify(other).hasDamage, "byte \(index)")
    }
  }
}
