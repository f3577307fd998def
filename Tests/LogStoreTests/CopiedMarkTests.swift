import DiskIO
import Foundation
import MkstoreBytes
import StoreTesting
import Testing

@testable import LogStore

/// What a mark tells whose file is a copy, and which file is one.
@Suite struct CopiedMarkTests {
  private static let mark = "\(CrashStore.directory)/\(DurableMark.fileName)"

  private func directory(_ disk: any Disk) -> LogDirectory {
    LogDirectory(disk: disk, path: CrashStore.directory)
  }

  /// All files on a new disk, as `cp -r` leaves them; not yet durable where `isSynced` is false.
  private func copy(_ source: SimulatedDisk, isSynced: Bool = true) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: 90)
    for path in source.paths {
      let bytes = try #require(source.contents(of: path))
      if isSynced {
        try disk.install(path, bytes)
      } else {
        try disk.installDirectory(PathText.parent(path))
        try disk.open(path, .create).write(bytes.span, at: 0)
      }
    }
    return disk
  }

  private func cutLast(_ sample: RecoverySample, _ disk: SimulatedDisk) throws -> Int64 {
    let last = try #require(sample.bases.last)
    let index = try #require(sample.content.lastIndex { $0.baseOffset > last })
    try disk.cut(sample.path(last), to: sample.place(index).position)
    return sample.content[index].baseOffset
  }

  private func verify(_ disk: SimulatedDisk) throws -> VerificationReport {
    var options = VerificationOptions()
    options.depth = .deep
    options.threadCount = 1
    return try LogVerifier(disk, options).verify([CrashStore.path])
  }

  @Test func aRenamedMarkIsItsOwnAndACopiedOneIsNone() throws {
    let sample = try RecoverySample()
    #expect(try !DurableMark.read(directory(sample.disk)).isCopy)
    #expect(try !DurableMark.read(directory(sample.disk.kill())).isCopy)
    #expect(try !DurableMark.read(directory(sample.disk.crash(seed: 1))).isCopy)
    let bytes = try #require(sample.disk.contents(of: Self.mark))
    try sample.disk.rename(Self.mark, to: "/data/t-0/x")
    try sample.disk.rename("/data/t-0/x", to: Self.mark)
    #expect(try !DurableMark.read(directory(sample.disk)).isCopy)
    try sample.disk.remove(Self.mark)
    try sample.disk.install(Self.mark, bytes)
    #expect(try DurableMark.read(directory(sample.disk)).isCopy)
  }

  @Test func realFilesTellACopyToo() throws {
    let root = NSTemporaryDirectory() + "mkstore-copied-\(UUID().uuidString)"
    defer { do { try FileManager.default.removeItem(atPath: root) } catch {} }
    let store = try Store.openBlocking(
      root, config: CrashStore.config(segmentBytes: 500), logger: .silent)
    let log = try store.createLogBlocking(try TopicPartition(topic: "t", partition: 0))
    for sample in SampleBatches.small[..<9] {
      var batch = sample
      _ = try log.appendBlocking(batch: &batch)
    }
    try store.closeBlocking()
    let original = LogDirectory(disk: PosixDisk(), path: "\(root)/t-0")
    let file = try PosixDisk().open(original.path(DurableMark.fileName), .read)
    // tmpfs of older kernels, for one, does not say when a file was made.
    guard try file.birth() != nil else { return }
    #expect(try !DurableMark.read(original).isCopy)
    try PosixDisk().rename("\(root)/t-0", to: "\(root)/u-0")
    let moved = LogDirectory(disk: PosixDisk(), path: "\(root)/u-0")
    #expect(try !DurableMark.read(moved).isCopy)
    try FileManager.default.copyItem(atPath: moved.path, toPath: "\(root)/v-0")
    let copied = LogDirectory(disk: PosixDisk(), path: "\(root)/v-0")
    #expect(try DurableMark.read(copied).isCopy)
    let record = try #require(try DurableMark.read(copied).newest)
    _ = try DurableMark.replace(copied, with: record)
    #expect(try !DurableMark.read(copied).isCopy)
  }

  /// The same end, cut off: of the original it is lost, of a copy it was never copied.
  @Test(arguments: [true, false])
  func aShortEndIsDamageInTheOriginalAlone(_ closes: Bool) throws {
    let sample = try RecoverySample(closes: closes)
    let original = sample.disk.kill()
    let end = try cutLast(sample, original)
    #expect(try verify(original).damage.compactMap(\.offsets) == [end..<sample.end])
    let copied = try copy(sample.disk)
    #expect(try cutLast(sample, copied) == end)
    let report = try verify(copied)
    #expect(!report.hasDamage && report.damage.isEmpty)
    #expect(
      report.notes.contains {
        $0.file == Self.mark && $0.text.contains("reached offset \(sample.end)")
          && $0.text.contains("end at offset \(end)")
      }, "\(report.notes)")
    let store = try CrashStore(copied, CrashStore.config(segmentBytes: 500), creates: false)
    #expect(store.log.logEndOffset == end && store.log.recovery.damage.isEmpty)
    #expect(store.log.recovery.notes.contains { $0.contains("reached offset \(sample.end)") })
    try store.manager.closeBlocking()
    #expect(try !DurableMark.read(directory(copied)).isCopy)
    let after = try verify(copied)
    #expect(after.damage.isEmpty && !after.notes.contains { $0.file == Self.mark })
  }

  /// A mark of the form before, which names no file, and one where the file system names none.
  @Test(arguments: [true, false])
  func aMarkWithoutAFileCountsAsBefore(_ isOldForm: Bool) throws {
    let sample = try RecoverySample()
    let copied = try copy(sample.disk)
    var bytes = try #require(copied.contents(of: Self.mark))
    for slot in 0..<DurableMark.slotCount {
      let start = slot * DurableMark.slotBytes
      var span = bytes.mutableSpan
      guard MarkRecord(span.span.extracting(start..<start + 96)) != nil else { continue }
      if isOldForm {
        span.storeBigEndian(UInt64(0x6d6b_6d61_726b_3031), at: start)
        let crc = CRC32C.checksum(span.span.extracting(start..<start + 76))
        span.storeBigEndian(crc, at: start + 76)
        for index in start + 80..<start + 96 { span[index] = 0 }
      } else {
        span.storeBigEndian(Int64.min, at: start + 84)
        let crc = CRC32C.checksum(span.span.extracting(start..<start + 92))
        span.storeBigEndian(crc, at: start + 92)
      }
    }
    try copied.install(Self.mark, bytes)
    let found = try DurableMark.read(directory(copied))
    #expect(!found.isCopy && found.newest?.recoveryPoint == sample.end)
    let end = try cutLast(sample, copied)
    #expect(try verify(copied).damage.compactMap(\.offsets) == [end..<sample.end])
    // Written in the new form by the next write.
    let store = try CrashStore(copied, CrashStore.config(segmentBytes: 500), creates: false)
    var batch = SampleBatches.small[40]
    _ = try store.log.appendBlocking(batch: &batch)
    let written = try DurableMark.read(directory(copied))
    #expect(written.newest?.birth == copied.birth(of: Self.mark) && !written.isCopy)
  }

  /// A batch that was copied while it was written is the end of the log; before a whole segment it
  /// is damage of exactly what is missing.
  @Test func aTornCopyEndsTheLogOrIsDamageUpToTheNextSegment() throws {
    let sample = try RecoverySample(closes: false)
    for (index, base) in sample.bases.enumerated() {
      let copied = try copy(sample.disk)
      let next = index + 1 < sample.bases.count ? sample.bases[index + 1] : nil
      let last = try #require(
        sample.content.lastIndex { $0.baseOffset < next ?? Int64.max })
      try copied.cut(sample.path(base), to: sample.place(last).position + 20)
      let report = try verify(copied)
      let start = sample.content[last].baseOffset
      #expect(report.damage.compactMap(\.offsets) == (next.map { [start..<$0] } ?? []))
      #expect(report.tornTails.map(\.offset) == (next == nil ? [start] : []))
      let store = try CrashStore(copied, CrashStore.config(segmentBytes: 500), creates: false)
      #expect(store.log.logEndOffset == (next == nil ? start : sample.end))
    }
  }

  @Test func aRestoredCopyOfAClosedLogOpensQuicklyAndQuietly() throws {
    let sample = try RecoverySample(batches: 40)
    let copied = try copy(sample.disk)
    let report = try verify(copied)
    #expect(report.notes.isEmpty && report.sideFileDamage.isEmpty && !report.hasDamage)
    let before = copied.counters.bytesRead
    let store = try CrashStore(copied, CrashStore.config(segmentBytes: 500), creates: false)
    let found = store.log.recovery
    #expect(found.wasClean && !found.isEventful && found.notes.isEmpty)
    #expect(found.bytesScanned <= 500 && found.rows == ["R1"])
    #expect(copied.counters.bytesRead - before < 16_384)
    #expect(try LogModel.content(of: store.log) == sample.content)
    try store.manager.closeBlocking()
    #expect(try !DurableMark.read(directory(copied)).isCopy)
    #expect(try !verify(copied).hasDamage)
  }

  /// Whoever copies files need not sync them; the first acknowledgement on top of them does.
  @Test(arguments: [true, false])
  func whatWasCopiedIsDurableBeforeTheFirstAcknowledgement(_ closes: Bool) throws {
    let sample = try RecoverySample(closes: closes)
    let copied = try copy(sample.disk, isSynced: false)
    let store = try CrashStore(copied, CrashStore.config(segmentBytes: 500), creates: false)
    var batch = SampleBatches.small[40]
    _ = try store.log.appendBlocking(batch: &batch)
    let content = try LogModel.content(of: store.log)
    #expect(content.count == sample.content.count + 1)
    let after = try CrashStore(
      copied.crash(.loseAllUnsynced), CrashStore.config(segmentBytes: 500), creates: false)
    #expect(try LogModel.content(of: after.log) == content)
    #expect(after.log.damagedRanges.isEmpty)
  }

  /// The first session in a copy makes the mark that of this log: from then on it is evidence.
  @Test func aPowerCutAnywhereInTheFirstSessionLosesNoAcknowledgedRecord() throws {
    let sample = try RecoverySample(batches: 6, closes: false)
    var cuts = 0
    for operation in 1...400 {
      let copied = try copy(sample.disk)
      copied.plan(.powerCut(at: operation))
      var acknowledged = sample.end
      do {
        let store = try CrashStore(copied, CrashStore.config(segmentBytes: 500), creates: false)
        for number in 20..<24 {
          var batch = SampleBatches.small[number]
          acknowledged = try store.log.appendBlocking(batch: &batch).lastOffset + 1
        }
        try store.manager.closeBlocking()
      } catch {
        try #require(copied.isCut, "operation \(operation): \(error)")
      }
      guard copied.isCut else { break }
      cuts += 1
      for seed in 0..<4 {
        let after = copied.crash(seed: UInt64(seed))
        let store = try CrashStore(after, CrashStore.config(segmentBytes: 500), creates: false)
        let content = try LogModel.content(of: store.log)
        let place = "operation \(operation), seed \(seed)"
        #expect(content.starts(with: sample.content), "\(place)")
        #expect(store.log.logEndOffset >= acknowledged, "\(place)")
        #expect(store.log.damagedRanges.isEmpty, "\(place): \(store.log.damagedRanges)")
      }
    }
    #expect(cuts > 20)
  }

  /// All segments are gone: no order of copying leaves that, so it is a loss.
  @Test func aCopyWithoutAnySegmentHasLostThem() throws {
    let sample = try RecoverySample()
    let copied = try copy(sample.disk)
    for path in copied.paths where path.hasSuffix(".log") { try copied.remove(path) }
    #expect(try verify(copied).damage.compactMap(\.offsets) == [0..<sample.end])
  }

  /// A state of producers that is ahead of a copy's log would speak of offsets that are given out
  /// again.
  @Test func producersAheadOfACopyAreForgotten() throws {
    let disk = SimulatedDisk(seed: 91)
    let (_, log) = try ProducerFixture.open(disk, segmentBytes: 400)
    var early: [String: [UInt8]] = [:]
    for number in 0..<12 {
      var batch = try ProducerFixture.batch(7, sequence: Int32(number))
      _ = try log.appendBlocking(batch: &batch)
      // The log's only segment so far is copied early, all else in the end.
      if number == 1 { for path in disk.paths { early[path] = disk.contents(of: path) } }
    }
    let copied = SimulatedDisk(seed: 92)
    for path in disk.paths where path != "/data/.lock" {
      let isLog = path.hasSuffix(".log")
      if isLog, early[path] == nil { continue }
      try copied.install(path, try #require(isLog ? early[path] : disk.contents(of: path)))
    }
    let ahead = try #require(
      try ProducerFile.read(LogDirectory(disk: copied, path: "/data/a-0"), expirationMs: .max))
    #expect(ahead.endOffset > 2)
    let (_, opened) = try ProducerFixture.open(copied, segmentBytes: 4_000)
    #expect(opened.logEndOffset == 2)
    #expect(opened.recovery.removedFiles.map(\.path).contains("/data/a-0/\(ProducerFile.name)"))
    // Another one's records take the offsets; killed, nothing of the copied state comes back.
    for number in 0..<20 {
      var batch = try ProducerFixture.batch(8, sequence: Int32(number))
      #expect(try opened.appendBlocking(batch: &batch).baseOffset == Int64(2 + number))
    }
    let (_, again) = try ProducerFixture.open(copied.kill(), segmentBytes: 4_000)
    let state = try ProducerFixture.state(again)
    #expect(state.producers[7]?.batches.map(\.lastOffset) == [0, 1])
    var next = try ProducerFixture.batch(7, sequence: 2)
    #expect(try again.appendBlocking(batch: &next).baseOffset == 22)
  }
}
