import DiskIO
import RecordFormat
import StoreTesting
import Testing

@testable import LogStore

/// Every bit of a log that this engine wrote, flipped one at a time: found before the batch is
/// served, with the exact range, whatever field it is in; everything around it is served.
@Suite struct OwnLogRotTests {
  /// One flipped bit.
  private struct Flip: CustomStringConvertible {
    var segment: OwnLogSample.Segment
    var index: Int
    var position: Int
    var byte: Int
    var bit: Int

    var flipped: [UInt8] {
      var bytes = segment.bytes
      bytes[position + byte] ^= 1 << UInt8(bit)
      return bytes
    }

    var description: String { "batch \(index), byte \(byte), bit \(bit)" }
  }

  /// Every bit of the headers; of each byte of the records one, or with `FLIPS=all` every one.
  private func flips(_ sample: OwnLogSample) -> [Flip] {
    let isAll = environmentNumber("FLIPS") != nil
    return sample.segments.flatMap { segment in
      segment.batches.flatMap { (index, position) in
        (0..<sample.content[index].bytes.count).flatMap { byte in
          (0..<8).compactMap { bit in
            guard isAll || byte < BatchHeader.byteCountMin || bit == byte % 8 else { return nil }
            return Flip(segment: segment, index: index, position: position, byte: byte, bit: bit)
          }
        }
      }
    }
  }

  private func expect(_ log: Log, _ sample: OwnLogSample, _ flip: Flip, _ who: String) throws {
    let damaged = sample.content[flip.index]
    let found = try log.readAround()
    #expect(
      found.damaged == [damaged.baseOffset..<damaged.nextOffset],
      "\(flip), \(who): told \(found.damaged)")
    let isRestServed = found.batches == sample.content.filter { $0 != damaged }
    #expect(isRestServed, "\(flip), \(who): served \(found.batches.map(\.baseOffset))")
    let ranges = log.damagedRanges
    #expect(
      ranges.map(\.bytes) == [flip.position..<flip.position + damaged.bytes.count]
        && ranges.map(\.file) == [flip.segment.path], "\(flip), \(who): \(ranges)")
  }

  /// P12, P13: before the first read.
  @Test(arguments: OwnLogSample.Stop.allCases)
  func anyFlippedBitIsFoundBeforeItsBatchIsServed(_ stop: OwnLogSample.Stop) throws {
    let sample = try OwnLogSample(stop)
    #expect(sample.segments.count >= 3)
    var options = VerificationOptions()
    options.threadCount = 1
    let flips = flips(sample)
    for flip in flips {
      let disk = sample.disk.kill()
      try disk.install(flip.segment.path, flip.flipped)
      let damaged = sample.content[flip.index]
      let report = try LogVerifier(disk, options).verify([CrashStore.directory])
      #expect(
        report.damage.map(\.bytes) == [flip.position..<flip.position + damaged.bytes.count]
          && report.damage.map(\.offsets) == [damaged.baseOffset..<damaged.nextOffset]
          && report.damage.map(\.file) == [flip.segment.path] && report.tornTails.isEmpty,
        "\(stop), \(flip), verify: \(report.damage) \(report.tornTails)")
      let view = try Log.openReadOnlyBlocking(CrashStore.directory, disk: disk, logger: .silent)
      try expect(view, sample, flip, "\(stop), opened for reading")
      let store = try CrashStore(disk, OwnLogSample.config, creates: false)
      try expect(store.log, sample, flip, "\(stop), opened for writing")
      #expect(store.log.recovery.cuts.isEmpty, "\(stop), \(flip): \(store.log.recovery)")
      #expect(store.log.logEndOffset == sample.content.last?.nextOffset, "\(stop), \(flip)")
    }
    #expect(flips.count > 5_000)
  }

  /// P12, P13: bytes that were checked, or written, by the process that reads them again from the
  /// disk.
  @Test func anyFlippedBitIsFoundWhenTheBytesAreCheckedAgain() throws {
    let sample = try OwnLogSample(.killed)
    for flip in flips(sample) {
      let disk = sample.disk.kill()
      let store = try CrashStore(disk, OwnLogSample.config, creates: false)
      // The last segment is written to, and all is read once.
      var batch = SampleBatches.small[0]
      try store.log.appendBlocking(batch: &batch)
      let before = try store.log.readAround()
      #expect(before.damaged.isEmpty && before.batches.count == sample.content.count + 1)
      let file = try disk.open(flip.segment.path, .readWrite)
      try file.write(flip.flipped.span, at: 0)
      for segment in store.log.store.state.segments { segment.verified.removeAll() }
      let damaged = sample.content[flip.index]
      let found = try store.log.readAround()
      #expect(
        found.damaged == [damaged.baseOffset..<damaged.nextOffset],
        "\(flip): told \(found.damaged)")
      let isRestServed = found.batches == before.batches.filter { $0 != damaged }
      #expect(isRestServed, "\(flip): served \(found.batches.map(\.baseOffset))")
    }
  }

  /// After a power cut nothing but the batch itself says where an unsynced one stands: what is not
  /// right goes, and nothing of it is served.
  @Test func anyFlippedBitBehindTheMarkIsCutOrFenced() throws {
    let disk = SimulatedDisk(seed: 63)
    let store = try CrashStore(disk, CrashStore.config(segmentBytes: 4096))
    var model = LogModel()
    for batch in SampleBatches.small[..<4] { try store.append(batch, &model) }
    let content = try LogModel.content(of: store.log)
    let cut = disk.crash(.loseAllUnsynced)
    let path = "\(CrashStore.directory)/\(SegmentName(0, .log).fileName)"
    let bytes = try #require(cut.contents(of: path))
    var position = 0
    for (index, batch) in content.enumerated() {
      for byte in 0..<BatchHeader.byteCountMin {
        for bit in 0..<8 {
          let copy = cut.kill()
          var flipped = bytes
          flipped[position + byte] ^= 1 << UInt8(bit)
          try copy.install(path, flipped)
          let opened = try CrashStore(copy, OwnLogSample.config, creates: false)
          let found = try opened.log.readAround()
          let place = "batch \(index), byte \(byte), bit \(bit)"
          let isRestServed = found.batches == Array(content[..<index])
          #expect(isRestServed, "\(place): served \(found.batches.map(\.baseOffset))")
          #expect(opened.log.recovery.cuts.count == 1, "\(place)")
          #expect(opened.log.recovery.cuts.first?.keptAs != nil, "\(place)")
        }
      }
      position += batch.bytes.count
    }
  }
}
