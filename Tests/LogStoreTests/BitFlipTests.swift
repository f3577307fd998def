import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Every bit of a small log, flipped one at a time: never served, found, and nothing lost beyond
/// the batch it is in (I4, I5).
@Suite struct BitFlipTests {
  /// What the opening knows about the log.
  enum Knowledge: String, CaseIterable, Sendable {
    /// Closed clean by this engine.
    case clean
    /// Killed; everything was acknowledged.
    case killed
    /// A directory without a mark, checkpoints or a clean-shutdown mark.
    case stranger
  }

  private static let config = CrashStore.config(segmentBytes: 330, indexIntervalBytes: 120)

  private func disk(_ knowledge: Knowledge) throws -> (SimulatedDisk, [LogModel.Batch]) {
    let disk = SimulatedDisk(seed: 61)
    var model = LogModel()
    let store = try CrashStore(disk, Self.config)
    for batch in SampleBatches.small[..<5] { try store.append(batch, &model) }
    let content = try LogModel.content(of: store.log)
    #expect(store.log.store.state.segments.count == 2)
    if knowledge == .killed { return (disk.kill(), content) }
    try store.manager.closeBlocking()
    let closed = disk.kill()
    if knowledge == .stranger {
      try closed.remove("\(CrashStore.directory)/\(DurableMark.fileName)")
      try closed.remove("\(CrashStore.path)/\(CleanShutdownFile.name)")
      try closed.remove("\(CrashStore.path)/recovery-point-offset-checkpoint")
    }
    return (closed, content)
  }

  /// P12, P13.
  @Test(arguments: Knowledge.allCases)
  func noFlippedBitIsServedAndNoOtherBatchIsLost(_ knowledge: Knowledge) throws {
    let (disk, content) = try disk(knowledge)
    let logs = disk.paths.filter { $0.hasSuffix(".log") }
    var flips = 0
    for path in logs {
      let bytes = try #require(disk.contents(of: path))
      let base = try #require(SegmentName(String(path.split(separator: "/").last!))).baseOffset
      var position = 0
      for (index, batch) in content.enumerated() where batch.baseOffset >= base {
        guard position < bytes.count else { break }
        for byte in 0..<batch.bytes.count {
          // All bits of the header; of the records, one of each byte.
          for bit in 0..<8 where byte < BatchHeader.byteCountMin || bit == byte % 8 {
            let copy = disk.kill()
            var flipped = bytes
            flipped[position + byte] ^= 1 << UInt8(bit)
            try copy.install(path, flipped)
            flips += 1
            let place = "\(knowledge), batch \(index), byte \(byte), bit \(bit)"
            try check(copy, content, flipped: index, byte: byte, knowledge, place)
          }
        }
        position += batch.bytes.count
      }
    }
    #expect(flips > 2_500)
  }

  private func check(
    _ disk: SimulatedDisk, _ content: [LogModel.Batch], flipped index: Int, byte: Int,
    _ knowledge: Knowledge, _ place: String
  ) throws {
    let damaged = content[index]
    let others = content.filter { $0 != damaged }
    let store = try CrashStore(disk, Self.config, creates: false)
    let found = try store.log.readAround()
    let served = found.batches.filter { !others.contains($0) }
    let isLast = index == content.count - 1
    switch byte {
    case 12..<16 where knowledge == .stranger:
      // The leader epoch lies under no checksum and tells nothing of the records; where nobody
      // knows who wrote them, it may be right: served.
      #expect(served.count == 1 && found.damaged.isEmpty, "\(place)")
      #expect(served.first?.baseOffset == damaged.baseOffset, "\(place)")
      #expect(served.first?.bytes[16...] == damaged.bytes[16...], "\(place)")
    case 0..<8 where knowledge == .stranger && isLast:
      // A higher offset of the last batch, whose end nobody knows, is a legal gap.
      #expect(served.allSatisfy { $0.baseOffset > damaged.baseOffset }, "\(place)")
    default:
      #expect(served.isEmpty, "\(place): served offset \(served.first?.baseOffset ?? -1)")
      if knowledge == .stranger, isLast {
        // Nothing tells it from an unfinished write: cut, with its bytes kept.
        let isCut = store.log.recovery.cuts.count == 1 && store.log.recovery.cuts[0].keptAs != nil
        #expect(isCut, "\(place)")
      } else {
        #expect(
          found.damaged == [damaged.baseOffset..<damaged.nextOffset], "\(place): \(found.damaged)")
      }
    }
    #expect(found.batches.filter { others.contains($0) } == others, "\(place): others lost")
  }

  @Test func verifyFindsWhatReadersFind() throws {
    let (disk, content) = try disk(.killed)
    let path = try #require(disk.paths.first { $0.hasSuffix("00000000000000000000.log") })
    let bytes = try #require(disk.contents(of: path))
    var options = VerificationOptions()
    options.threadCount = 1
    for byte in bytes.indices {
      let copy = disk.kill()
      var flipped = bytes
      flipped[byte] ^= 1 << UInt8(byte % 8)
      try copy.install(path, flipped)
      let report = try LogVerifier(copy, options).verify([CrashStore.directory])
      let view = try Log.openReadOnlyBlocking(CrashStore.directory, disk: copy, logger: .silent)
      let found = try view.readAround()
      #expect(
        report.damage.compactMap(\.offsets).filter { !$0.isEmpty } == found.damaged, "\(byte)")
      #expect(found.batches.count + (found.damaged.isEmpty ? 0 : 1) == content.count, "\(byte)")
    }
  }

  @Test func checkpointsWithFlippedBitsLoseNothing() throws {
    let (disk, content) = try disk(.clean)
    let names = ["recovery-point-offset-checkpoint", "log-start-offset-checkpoint"]
    for name in names + ["replication-offset-checkpoint", "meta.properties"] {
      let path = "\(CrashStore.path)/\(name)"
      let bytes = try #require(disk.contents(of: path))
      for isClean in [true, false] {
        for byte in bytes.indices {
          for bit in 0..<8 {
            let copy = disk.kill()
            var flipped = bytes
            flipped[byte] ^= 1 << UInt8(bit)
            try copy.install(path, flipped)
            if !isClean { try copy.remove("\(CrashStore.path)/\(CleanShutdownFile.name)") }
            let store = try CrashStore(copy, Self.config, creates: false)
            let found = try store.log.readAround()
            let place = "\(name) byte \(byte) bit \(bit), clean \(isClean)"
            #expect(found.batches == content && store.log.recovery.cuts.isEmpty, "\(place)")
          }
        }
      }
    }
  }
}
